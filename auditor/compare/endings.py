"""Where a run ended: one number per end metric, comparable between runs."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from auditor.compare.trajectories import Curve

#: Names of metrics of data that was not trained on begin so.
_UNSEEN: Final = "val_"
#: The training loss's end is its mean over this last part of the steps, ten at least: a batch is noise.
_TAIL: Final = 0.1
_LEAST_STEPS: Final = 10
#: Runs whose numbers of steps differ by more than this part are compared where the shorter one ended.
SAME_LENGTH: Final = 0.15
#: Metrics that one comparison tests, at most: more would only dilute each other.
_MOST_METRICS: Final = 8
#: A run has learnt if its loss fell below this part of where it began, and is at chance above the other.
_LEARNT, _CHANCE = 0.1, 0.75


def metrics(sides: Sequence[Mapping[str, Curve]], *, loss: bool) -> list[str]:
    """Names of the end metrics that all runs have: those of unseen data, else the training loss.

    Args:
        sides: the scalars of each run.
        loss: whether the training losses are of one definition.
    """
    shared = set.intersection(*(set(curves) for curves in sides))
    unseen = sorted(name for name in shared if name.startswith(_UNSEEN))[:_MOST_METRICS]
    return unseen or (["loss"] if loss and "loss" in shared else [])


def common_end(last_steps: Sequence[int | None]) -> int | None:
    """The step up to which runs of such lengths are compared; None where each is taken to its own end."""
    known = [step for step in last_steps if step is not None]
    if not known or min(known) >= (1 - SAME_LENGTH) * max(known):
        return None
    return min(known)


def ending(curve: Curve, name: str, until: int | None = None) -> float | None:
    """The end of one metric: its last value, or the mean of the last tenth of the training loss.

    None if there is none, or it is not finite.
    """
    here = len(curve.steps) if until is None else int(np.searchsorted(curve.steps, until, side="right"))
    if not here:
        return None
    last = int(curve.steps[here - 1])
    first = np.searchsorted(curve.steps, tail_after(last), side="right") if name == "loss" else here - 1
    with np.errstate(over="ignore", invalid="ignore"):
        end = float(curve.values[first:here].mean())
    return end if math.isfinite(end) else None


def tail_after(last_step: int) -> int:
    """The step after which the last part of a training loss begins."""
    return last_step - max(_LEAST_STEPS, int(last_step * _TAIL))


@dataclass(frozen=True, slots=True)
class Scale:
    """How values of one metric become numbers whose difference is a ratio.

    Logarithms where every value is positive; else parts of ``unit``, their mean size.
    """

    unit: float | None

    @classmethod
    def of(cls, values: Sequence[float]) -> Scale:
        """The scale for all values of a comparison."""
        if all(value > 0 for value in values):
            return cls(None)
        return cls(float(np.mean(np.abs(values))) or 1.0)

    def of_run(self, value: float) -> float | None:
        """One value; None if it has no logarithm."""
        if self.unit is not None:
            return value / self.unit
        return math.log(value) if value > 0 else None


def stuck(a: Curve, b: Curve) -> str | None:
    """``a`` or ``b`` if its loss never left where it began while the other's fell to a tenth; else None."""
    left, right = _progress(a), _progress(b)
    if left is None or right is None:
        return None
    if min(left, right) <= _LEARNT and max(left, right) >= _CHANCE:
        return "a" if left > right else "b"
    return None


def _progress(curve: Curve) -> float | None:
    """The part of the first loss that is left at the end; the first is the median of the first three."""
    begin, end = curve.values[:3], ending(curve, "loss")
    if end is None or len(curve.values) < 2 * _LEAST_STEPS or not np.isfinite(begin).all():
        return None
    first = float(np.median(begin))
    return end / first if first > 0 and end >= 0 else None
