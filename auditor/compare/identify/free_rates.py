"""Learning rates that nobody recorded: found so that a rule's steps, taken at rate one, are as long as the recorded.

Where a program updates its weights by hand its rate stands nowhere. One rate of all steps costs a hypothesis next to
nothing. A rate for each step (a schedule) costs more: it takes up whatever scales a whole step, such as the correction
of Adam's bias, a factor of RMSprop's first steps, the clipping of plain SGD. Of rules that explain the numbers equally
well that is why the one is taken whose rates run straightest, and none where two run equally straight.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]

#: One rate of all steps; one for each.
ONE: Final = "one"
EACH: Final = "each"
#: A movement of so many times its rounding tells something of the rule, and not of the rate alone.
_SEEN: Final = 30.0
#: Elements that must tell something at most steps: each step's rate takes one of them.
_FEWEST: Final = 8
#: Roughness that rounding makes, and how much rougher the rates of a rule must be that is as good to be no rival.
_SMOOTH: Final = 0.002
_ROUGHER: Final = 1.5


def solved(unit: F64, moved: F64, noise: F64, free: str) -> F64:
    """The rates (steps, 1) at which movements at rate one come closest to the recorded ones.

    In absolute errors, in units of rounding: a wrong epsilon spoils few elements, and must not spoil the rate by them.

    Args:
        unit: (steps, elements) what the rule moves at rate one.
        moved: what was recorded.
        noise: its rounding, infinite for what does not count.
        free: ``ONE`` or ``EACH``.
    """
    with np.errstate(all="ignore"):
        weight = np.abs(unit) / noise
        ratio = moved / unit
    usable = np.isfinite(weight) & np.isfinite(ratio) & (weight > 0)
    weight, ratio = np.where(usable, weight, 0.0), np.where(usable, ratio, 0.0)
    if free == ONE:
        weight, ratio = weight.reshape(1, -1), ratio.reshape(1, -1)
    rates = np.maximum(_middle(ratio, weight), 0.0)
    return np.broadcast_to(rates[:, None], (len(unit), 1))


def _middle(values: F64, weights: F64) -> F64:
    """The weighted median of each row."""
    rows, order = np.arange(len(values)), np.argsort(values, axis=1)
    reached = np.cumsum(weights[rows[:, None], order], axis=1)
    at = np.minimum((reached < 0.5 * reached[:, -1:]).sum(axis=1), values.shape[1] - 1)
    found: F64 = values[rows, order[rows, at]]
    return found


def telling(moved: F64, noise: F64) -> bool:
    """Whether enough elements move far enough for a rule to be told from a rate that fits anything."""
    counts = (np.abs(moved) > _SEEN * noise).sum(axis=1)
    return bool(np.median(counts) >= _FEWEST)


def roughness(rates: F64) -> float:
    """How far rates (steps,) are from a straight line from step to step, against the largest; 0 for a constant."""
    top = float(np.max(rates, initial=0.0))
    if top <= 0 or not np.isfinite(rates).all():
        return float("inf")
    return float(np.abs(np.diff(rates, n=2)).sum()) / top


def rougher(one: float, other: float) -> bool:
    """Whether rates of roughness ``one`` are clearly rougher than those of roughness ``other``."""
    return one > _ROUGHER * other + _SMOOTH
