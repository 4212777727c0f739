"""Two tensors against what rounding explains.

The tolerance comes from a float64 run of the same program in the same framework, the oracle:
e = max(|float32 - oracle|, 2u), u = 2**-24, the larger of the two sides' errors; a difference above 16 e
is a divergence. Per tensor, never concatenated.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from auditor_agent.parity.cells import F64
from auditor_agent.parity.likeness import FACTOR, U, best_layout, distance

#: A tensor as it was computed, and in float64; None where it is not there.
Measured = tuple[F64 | None, F64 | None]

#: A side computes at lower precision if its rounding is above this and so many times the other's.
_COARSE: Final = (2.0**-13, 256.0)


@dataclass(frozen=True, slots=True)
class Divergence:
    """One part that differs.

    ``stage`` is one of the catalogue's; ``part`` what within it (``output``, ``update``, ``first_moment``);
    ``name`` the layer or tensor on either side; ``values`` what the two show where that is short;
    ``settings`` of the two layers; ``note`` a known reason.
    """

    step: int
    stage: str
    part: str
    name: tuple[str, str]
    distance: float
    tolerance: float
    kind: str = ""
    values: tuple[Any, Any] | None = None
    settings: tuple[Mapping[str, Any], Mapping[str, Any]] = field(default=({}, {}))
    note: str = ""


class Judge:
    """Compares tensors; keeps count of what was compared and how close it came to its tolerance."""

    def __init__(self) -> None:
        self.number = 1
        """The step in hand."""
        self.count = 0
        self.worst: dict[str, float] = {}
        """By stage: the largest distance, in tolerances."""

    def pair(
        self, stage: str, part: str, name: tuple[str, str], a: Measured, b: Measured, **more: Any
    ) -> Divergence | None:
        """A tensor that one side may lack; one of zeros may be lacking."""
        if a[0] is None or b[0] is None:
            other = a[0] if b[0] is None else b[0]
            if other is None or not other.any():
                return None
            has = a[0] is not None, b[0] is not None
            return self.told(stage, f"no {part}", name, (1.0, 0.0), kind=more.get("kind", ""), values=has)
        return self.check(stage, part, name, (a[0], a[1]), (b[0], b[1]), **more)

    def check(  # noqa: PLR0913 -- what a comparison is told with
        self, stage: str, part: str, name: tuple[str, str], a: tuple[F64, F64 | None], b: tuple[F64, F64 | None],
        *, kind: str = "", values: tuple[Any, Any] | None = None, floor: float = 0.0, coarse: bool = False,
        settings: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
    ) -> Divergence | None:  # fmt: skip
        """Two tensors, each with what the oracle has: a divergence if further apart than rounding explains.

        ``floor``: the least tolerance; ``coarse``: one side's rounding far above the other's is a divergence.
        """
        self.count += 1
        found = best_layout(a[0], b[0])
        if found is None:
            shapes = list(a[0].shape), list(b[0].shape)
            return self.told(stage, part, name, (float("inf"), 0.0), kind=kind, values=shapes, settings=settings)
        apart = found[0]
        known = [distance(plain, exact) for plain, exact in (a, b) if exact is not None]
        tolerance = max(FACTOR * max([2 * U, *known]), floor)
        if coarse and len(known) == 2 and max(known) > _COARSE[0] and max(known) > _COARSE[1] * max(min(known), 2 * U):
            rounding = (known[0], known[1])
            return self.told(
                "precision", part, name, (max(known), tolerance), kind=kind, values=rounding, settings=settings
            )
        self.worst[stage] = max(self.worst.get(stage, 0.0), apart / tolerance)
        if apart <= tolerance:
            return None
        return self.told(stage, part, name, (apart, tolerance), kind=kind, values=values, settings=settings)

    def told(  # noqa: PLR0913 -- a divergence has these parts
        self, stage: str, part: str, name: tuple[str, str], sizes: tuple[float, float], *, kind: str = "",
        values: tuple[Any, Any] | None = None,
        settings: tuple[Mapping[str, Any], Mapping[str, Any]] = ({}, {}),
    ) -> Divergence:  # fmt: skip
        """A divergence at the step in hand; ``sizes``: distance and tolerance."""
        return Divergence(self.number, stage, part, name, *sizes, kind=kind, values=values, settings=settings)
