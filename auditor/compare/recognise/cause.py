"""A cause: one difference of the catalogue between two runs, with its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from auditor.compare.identify.fact import Fact, How
from auditor.compare.profile import Profile

#: Effects, as a part of what a step does: from here on even what two frameworks do by default makes two runs differ,
MATTERS: Final = 0.02
#: and from here on a difference is told as a cause rather than as harmless.
LISTED: Final = 1e-3
#: Of a loss of other size: every number that is printed differs, whatever the steps do. Ranked behind all that
#: changes steps beyond ``MATTERS``, for under Adam a factor never shows in the weights (MISMATCHES.md, lockstep).
REPORTED: Final = 0.75 * MATTERS
#: Below the rounding of float64 over some thousand steps.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, slots=True)
class Cause:
    """One difference.

    ``values`` of the two sides; ``weight``: relative size of what it changes, 0 none, 1 as large as the
    thing itself; ``mend``: the side whose program the fix is for. ``chance``: another seed of one
    configuration may show it as well, so that it is told and claims nothing. ``hints``: what else is known of
    each side that the line of its fix is chosen by, where ``values`` do not say it.
    """

    id: str
    parameter: str
    values: tuple[Any, Any]
    weight: float
    effect: str
    how: How = "measured"
    confidence: float = 0.9
    step: int = 1
    mend: Literal["a", "b"] = "b"
    chance: bool = False
    hints: tuple[str, str] = ("", "")


Recogniser = Callable[[Profile, Profile], Iterator[Cause]]


def between(a: Profile, b: Profile, parameter: str) -> tuple[Fact, Fact] | None:
    """Both sides' facts about a parameter, if both are known."""
    left, right = a.facts.get(parameter), b.facts.get(parameter)
    return None if left is None or right is None else (left, right)


def how(*facts: Fact | None) -> How:
    """``measured`` if every fact is."""
    return "measured" if all(fact is not None and fact.how == "measured" for fact in facts) else "declared"


def sure(*facts: Fact | None) -> float:
    """The confidence that the facts allow together."""
    least = min((fact.confidence for fact in facts if fact is not None), default=0.5)
    return round(min(0.99, least), 2)


def close(a: Any, b: Any, relative: float = 1e-4) -> bool:
    """Whether two values mean the same: numbers up to a relative error."""
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (a, b))
    if numbers:
        return bool(abs(a - b) <= relative * max(abs(a), abs(b)))
    return bool(a == b)


def percent(part: float) -> str:
    """A relative size in words; of what is below any rounding no digits."""
    if abs(part) < _ROUNDING:
        return "0 %"
    return f"{100 * part:.3g} %" if part < 10 else f"{part:.3g} times"
