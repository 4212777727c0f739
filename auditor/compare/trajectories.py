"""Two runs of one quantity, side by side by step: their ratio, and where they part.

Nothing here says whether a difference matters; two healthy seeds part as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
_Keep = npt.NDArray[np.bool_]

#: Two curves part when their running medians differ by more than this share of the larger one, and go
#: on doing so up to the end of what both ran, for at least two windows of steps.
APART = 0.1
#: Steps of a running median: a twentieth of the common steps within these bounds; odd. The noise from
#: batch to batch is of no interest here.
_WINDOW = (9, 101)
#: The shortest of them.
WINDOW = _WINDOW[0]
#: Points of a curve that a comparison carries; what is thinned out is never a non-finite one.
POINTS = 400
#: Last steps that tell where most pairs of curves were last together, and their running medians at the end.
_TAIL: Final = 512


@dataclass(frozen=True, slots=True)
class Curve:
    """One quantity of one run: ``steps`` int64 (N,) ascending, ``values`` float64 (N,)."""

    steps: I64
    values: F64

    @property
    def first_nonfinite(self) -> int | None:
        """The first step whose value is NaN or infinite, or None."""
        bad = np.flatnonzero(~np.isfinite(self.values))
        return int(self.steps[bad[0]]) if len(bad) else None

    @property
    def last_finite(self) -> float | None:
        """The last finite value, or None."""
        good = self.values[np.isfinite(self.values)]
        return float(good[-1]) if len(good) else None


@dataclass(frozen=True)
class Pair:
    """Two curves on their common steps, numbered as in ``a``; ``offset`` is what was added to b's steps.

    ``ratio`` is b / a, NaN where either is not finite or a is zero.
    """

    steps: I64
    a: F64
    b: F64
    offset: int

    @property
    def ratio(self) -> F64:
        """Value of b over value of a by common step, float64 (N,)."""
        usable = np.isfinite(self.a) & np.isfinite(self.b) & (self.a != 0)
        out: F64 = np.full(len(self.a), np.nan)
        return np.divide(self.b, self.a, out=out, where=usable)

    @property
    def identical(self) -> bool:
        """Whether every common value is the same, bit for bit up to the sign of NaN, and there is one."""
        return len(self.steps) > 0 and bool(np.array_equal(self.a, self.b, equal_nan=True))

    @property
    def first_unequal(self) -> int | None:
        """The first common step at which the two are not exactly equal."""
        unequal = np.flatnonzero((self.a != self.b) & ~(np.isnan(self.a) & np.isnan(self.b)))
        return int(self.steps[unequal[0]]) if len(unequal) else None

    @cached_property
    def _apart(self) -> F64:
        """The distance at the last steps; at all of them only where the two are apart at each of the last."""
        count = len(self.steps)
        tail = _distance(self.a, self.b, max(0, count - _TAIL))
        return tail if len(tail) == count or (tail <= APART).any() else _distance(self.a, self.b)

    @property
    def parts_at(self) -> int | None:
        """The step from which the two stay apart (see ``APART``) to the end, or None."""
        count, together = len(self.steps), np.flatnonzero(self._apart <= APART)
        first = count - len(self._apart) + int(together[-1]) + 1 if len(together) else 0
        if first >= count:
            return None
        broke = np.isfinite(self.a[first:]) != np.isfinite(self.b[first:])
        # At the end of the curves a running median is as noisy as what it smooths.
        lasting = count - first >= 2 * _window(count)
        return int(self.steps[first]) if lasting or broke.any() else None

    @property
    def end_apart(self) -> float | None:
        """The distance of the two at the last common step, of running medians (see ``APART``); None without a step."""
        return float(self._apart[-1]) if len(self.steps) else None


def pair(a: Curve, b: Curve) -> Pair:
    """``a`` and ``b`` on their common steps.

    One framework may count its first step 0 and the other 1: first steps that are one apart are
    taken for the same step. Any other difference (a resumed run) is left as it is.
    """
    offset = 0
    if len(a.steps) and len(b.steps):
        gap = int(a.steps[0] - b.steps[0])
        offset = gap if abs(gap) == 1 and min(a.steps[0], b.steps[0]) == 0 else 0
    return Pair(*common(a, Curve(b.steps + offset, b.values)), offset)


def common(a: Curve, b: Curve) -> tuple[I64, F64, F64]:
    """The steps that two curves have in common, and the values of each there."""
    if np.array_equal(a.steps, b.steps):  # as most runs have them: nothing to sort
        return a.steps, a.values, b.values
    steps, at, bt = np.intersect1d(a.steps, b.steps, assume_unique=True, return_indices=True)
    return steps, a.values[at], b.values[bt]


def _distance(a: F64, b: F64, first: int = 0) -> F64:
    """|a - b| / max(|a|, |b|) of the running medians; 1 where exactly one is finite, 0 where neither is.

    From place ``first`` on.
    """
    good_a, good_b = np.isfinite(a), np.isfinite(b)
    both = good_a & good_b
    shown = both[first:]
    out: F64 = np.where(good_a[first:] != good_b[first:], 1.0, 0.0)
    left, right = (_running_median(values[both], int(shown.sum())) for values in (a, b))
    scale = np.maximum(np.abs(left), np.abs(right))
    scale[scale == 0] = 1.0
    # Divided one by one before subtracting: the difference of two large values may overflow.
    out[shown] = np.abs(left / scale - right / scale)
    return out


def _window(count: int) -> int:
    low, high = _WINDOW
    return min(high, max(low, count // 20 | 1))


def _running_median(values: F64, last: int) -> F64:
    """At the ``last`` of these finite values, beyond whose ends the curve is mirrored in its first and last one."""
    count, window = len(values), _window(len(values))
    first = count - last
    if count < window:
        return values[first:]
    if last > _TAIL:
        from scipy.ndimage import median_filter  # a tenth of a second: few comparisons need it

        smooth: F64 = median_filter(values, size=window, mode="mirror")
        return smooth[first:]
    return _medians(values, np.arange(first, count))


def _medians(values: F64, at: I64) -> F64:
    """The running median at some places alone: of many it is slow."""
    half = _window(len(values)) // 2
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="reflect"), 2 * half + 1)
    # Finite and odd in number: what ``np.median`` gives, in less than half the time.
    medians: F64 = np.partition(windows[at], half, axis=1)[:, half]
    return medians


def thin(curve: Curve, points: int = POINTS) -> Curve:
    """At most about ``points`` points that show the same curve: the extremes of each stretch.

    The first, the last and the first non-finite point stay, and one non-finite point per stretch.
    """
    count = len(curve.steps)
    if count <= points:
        return curve
    keep: _Keep = np.zeros(count, dtype=bool)
    keep[[0, count - 1]] = True
    size, longer = divmod(count, max(1, points // 3))
    cut = longer * (size + 1)  # the first stretches have one step more than the others
    for part, width in ((slice(cut), size + 1), (slice(cut, count), size)):
        keep[part] |= _extremes(curve.values[part].reshape(-1, width)).ravel()
    return Curve(curve.steps[keep], curve.values[keep])


def _extremes(stretches: F64) -> _Keep:
    """Of each row its least and its largest value and its first that is not finite; the first of equals."""
    bad, rows = ~np.isfinite(stretches), np.arange(len(stretches))
    found: _Keep = np.zeros(stretches.shape, dtype=bool)
    found[rows, np.where(bad, np.inf, stretches).argmin(axis=1)] = True
    found[rows, np.where(bad, -np.inf, stretches).argmax(axis=1)] = True
    found[bad.all(axis=1)] = False
    broken = bad.any(axis=1)
    found[rows[broken], bad[broken].argmax(axis=1)] = True
    return found


def smoothed(curve: Curve, points: int = POINTS) -> Curve:
    """The running median of the finite values, at most ``points`` evenly spaced points of it."""
    good = np.isfinite(curve.values)
    steps, values = curve.steps[good], curve.values[good]
    if len(steps) <= points:
        return Curve(steps, _running_median(values, len(values)))
    at = np.linspace(0, len(steps) - 1, points).astype(np.int64)
    return Curve(steps[at], _medians(values, at))


def as_json(a: Curve, b: Curve) -> dict[str, Any]:
    """The trajectories of one quantity as a comparison carries them."""
    both = pair(a, b)
    ratio = thin(Curve(both.steps, both.ratio))
    smooth = {"a": columns(smoothed(a)), "b": columns(smoothed(b))}
    return {
        "a": columns(thin(a)),
        "b": columns(thin(b)),
        "smooth": smooth,
        "ratio": columns(ratio),
        "offset": both.offset,
        "common_steps": len(both.steps),
        "identical": both.identical,
        "first_unequal": both.first_unequal,
        "parts_at": both.parts_at,
        "apart": APART,
        "end_apart": both.end_apart,
        "nonfinite_at": {"a": a.first_nonfinite, "b": b.first_nonfinite},
    }


def columns(curve: Curve) -> dict[str, Any]:
    """A curve as JSON: steps and values side by side."""
    return {"step": curve.steps.tolist(), "value": curve.values.tolist()}
