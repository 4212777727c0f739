"""Two implementations, step by step: the same weights, state and batch before each step, then stage by stage."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor_agent.parity import align as aligning
from auditor_agent.parity.align import Alignment
from auditor_agent.parity.compare import HARMLESS, Comparison
from auditor_agent.parity.elsewhere import Elsewhere, There
from auditor_agent.parity.given import NotComparableError
from auditor_agent.parity.judge import Divergence
from auditor_agent.parity.programs import Here, Make, Program
from auditor_agent.parity.seen import Seen, Side, array, as_input
from auditor_agent.parity.twin import Twin

#: Steps after which both are also called in evaluation mode.
_EVALUATED: Final = (1, 2, 10)


@dataclass(slots=True)
class Outcome:
    """What a lockstep found.

    Attributes:
        first: the first part that differs; None if nothing does.
        steps: steps that were compared.
        comparisons: tensors and numbers that were compared.
        alignment: which layer is which.
        conventions: differences that are known, too small to matter here, and not a divergence.
        unseen: tensors whose gradient is rounding alone: nothing they do reaches the loss.
        without_oracle: why a side has no float64 twin, by side.
        worst: by stage, the largest difference in units of its tolerance.
        a: the first side.
        b: the second.
        seconds: how long it took.
    """

    first: Divergence | None
    steps: int
    comparisons: int
    alignment: Alignment
    conventions: list[Divergence]
    unseen: list[str]
    without_oracle: dict[str, str]
    worst: dict[str, float]
    a: Side
    b: Side
    seconds: float = 0.0
    batch: tuple[Any, Any] | None = None
    seen: tuple[Seen, Seen] | None = None

    @property
    def equivalent(self) -> bool:
        """Whether no part differed."""
        return self.first is None


@dataclass(slots=True)
class _Pair:
    a: Twin
    b: Twin
    batches: list[tuple[Any, Any]]
    others: list[tuple[Any, Any]]
    without: dict[str, str] = field(default_factory=dict)


def check(a: Make | Elsewhere, b: Make | Elsewhere, steps: int = 20) -> Outcome:
    """Runs two implementations in lockstep until a part differs.

    Args:
        a: makes the first implementation, see ``given.Implementation``; called twice (once for float64). Or
            where it is, to be run in a process of its own.
        b: makes the second, which is given the first one's weights.
        steps: how many steps to compare.

    Raises:
        NotComparableError: if the two cannot be put side by side.
    """
    began = time.monotonic()
    pair = _open(a, b, steps)
    alignment = aligning.align(pair.a.side, pair.b.side, pair.batches[0][0], pair.others[0][0])
    comparison = Comparison(pair.a, pair.b, alignment)
    first, done, last = None, 0, None
    for done in range(1, steps + 1):
        batch, other = pair.batches[done - 1], pair.others[done - 1]
        first, last = _step(comparison, done, batch, other)
        if first is not None:
            break
    if first is None:
        first = next((known for known in comparison.conventions if known.distance >= HARMLESS), None)
    return Outcome(
        first, done, comparison.judge.count, alignment, comparison.conventions, sorted(comparison.unseen), pair.without,
        comparison.judge.worst, pair.a.side, pair.b.side, time.monotonic() - began, batch, last,
    )  # fmt: skip


def _step(
    comparison: Comparison, number: int, batch: tuple[Any, Any], other: tuple[Any, Any]
) -> tuple[Divergence | None, tuple[Seen, Seen] | None]:
    comparison.judge.number = number
    comparison.level()
    if number == 1 and (found := comparison.structure()) is not None:
        return found, None
    if (found := comparison.batch(batch, other)) is not None:
        return found, None
    seen = comparison.run(batch, other)
    found = comparison.step(*seen)
    if found is None and number in _EVALUATED:
        comparison.level()
        found = comparison.evaluation(batch[0], other[0])
    return found, (seen[0].plain, seen[1].plain)


def _open(a: Make | Elsewhere, b: Make | Elsewhere, steps: int) -> _Pair:
    programs: list[Program] = [There(one) if isinstance(one, Elsewhere) else Here(one) for one in (a, b)]
    batches = [one.batches(steps) for one in programs]
    if not batches[0] and not batches[1]:
        raise NotComparableError(
            "neither side brings batches: return them from make, (model, optimizer, loss, batches)"
        )
    kinds = [one.layout for one in programs]
    left = batches[0] or [_turned(pair, kinds[1], kinds[0]) for pair in batches[1]]
    right = batches[1] or [_turned(pair, kinds[0], kinds[1]) for pair in batches[0]]
    pair = _Pair(programs[0].twin(left[0]), programs[1].twin(right[0]), left, right)
    pair.without = {name: twin.lacking for name, twin in (("a", pair.a), ("b", pair.b)) if twin.lacking}
    return pair


def _turned(pair: tuple[Any, Any], source: str, target: str) -> tuple[Any, Any]:
    """A batch in the other side's layout: images have four axes or more."""
    if source == target:
        return pair
    images = [array(one) for one in as_input(pair[0])]
    turned = [_moved(one, source) if one.ndim >= 4 else one for one in images]
    return (tuple(turned) if isinstance(pair[0], (tuple, list)) else turned[0]), pair[1]


def _moved(image: Any, source: str) -> Any:
    return np.moveaxis(image, 1, -1) if source == "first" else np.moveaxis(image, -1, 1)
