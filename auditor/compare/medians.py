"""Running medians of long curves at few places: all of them at 100,000 steps would take longer than the rest."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]

#: Steps of a running median: a twentieth of the steps within these bounds; odd. The noise from batch to batch is of
#: no interest here.
_WINDOW: Final = (9, 101)
#: The shortest of them.
WINDOW: Final = _WINDOW[0]
#: Places that are looked at together, the fewest first: most pairs of curves are together at their end.
_BLOCKS: Final = (512, 8192)
#: Part of a distance that rounding may make of it.
_ROUNDING: Final = 1e-9


def window(count: int) -> int:
    """Steps of the running median of so many values."""
    low, high = _WINDOW
    return min(high, max(low, count // 20 | 1))


def medians(values: F64, at: I64) -> F64:
    """The running median of finite values at some places; of fewer values than a window themselves.

    Beyond an end the curve is mirrored in its last value.
    """
    return values[at] if len(values) < window(len(values)) else _middle(_windows(values)[at])


def distance(a: F64, b: F64) -> F64:
    """|a - b| / max(|a|, |b|) of finite values, element by element; 0 of two zeros."""
    scale = np.maximum(np.abs(a), np.abs(b))
    scale[scale == 0] = 1.0
    # Divided one by one before subtracting: the difference of two large values may overflow.
    return np.abs(a / scale - b / scale)


def last_together(a: F64, b: F64, apart: float) -> int:
    """The last place at which the running medians of two curves are at most ``apart`` from each other; -1 if none.

    Searched from the end. A window that moves by k values changes the rank of its median among the old ones by at
    most k: so one window in some tells of the places around it between which numbers their medians lie.
    """
    count = len(a)
    if count < window(count):
        return _last(distance(a, b) <= apart)
    sides, last, size = (_windows(a), _windows(b)), count, _BLOCKS[0]
    while last > 0:
        first = max(0, last - size)
        at = _undecided(sides, first, last, apart)
        found = _last(distance(*(_middle(side[at]) for side in sides)) <= apart)
        if found >= 0:
            return int(at[found])
        last, size = first, min(2 * size, _BLOCKS[1])
    return -1


def _undecided(sides: tuple[Any, Any], first: int, last: int, apart: float) -> I64:
    """The places of a stretch that are not known to be apart by the windows some steps from them."""
    half = sides[0].shape[1] // 2
    reach = half // 4
    looks = np.minimum(np.arange(first + reach, last + reach, 2 * reach + 1), last - 1)
    bounds = [np.partition(side[looks], (half - reach, half + reach), axis=1) for side in sides]
    (low_a, high_a), (low_b, high_b) = ((one[:, half - reach], one[:, half + reach]) for one in bounds)
    beyond = apart * (1 + _ROUNDING)
    above = (low_a > high_b) & (distance(low_a, high_b) > beyond)
    below = (low_b > high_a) & (distance(low_b, high_a) > beyond)
    around = looks[~(above | below), None] + np.arange(-reach, reach + 1)
    return np.unique(around[(around >= first) & (around < last)])


def _windows(values: F64) -> Any:
    half = window(len(values)) // 2
    return np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="reflect"), 2 * half + 1)


def _middle(rows: F64) -> F64:
    """Medians of rows: finite and odd in number, of which ``np.median`` gives the same in twice the time."""
    half = rows.shape[1] // 2
    found: F64 = np.partition(rows, half, axis=1)[:, half]
    return found


def _last(where: npt.NDArray[np.bool_]) -> int:
    places = np.flatnonzero(where)
    return int(places[-1]) if len(places) else -1
