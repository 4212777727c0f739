"""Two runs of one quantity, side by side by step: their ratio, and where they part.

Nothing here says whether a difference matters; two healthy seeds part as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy

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
        return _distance(self.a, self.b)

    @property
    def parts_at(self) -> int | None:
        """The step from which the two stay apart (see ``APART``) to the end, or None."""
        apart = self._apart > APART
        together = np.flatnonzero(~apart)
        first = int(together[-1]) + 1 if len(together) else 0
        if first >= len(apart):
            return None
        broke = np.isfinite(self.a[first:]) != np.isfinite(self.b[first:])
        # At the end of the curves a running median is as noisy as what it smooths.
        lasting = len(apart) - first >= 2 * _window(len(apart))
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
    steps, at, bt = np.intersect1d(a.steps, b.steps + offset, assume_unique=True, return_indices=True)
    return Pair(steps, a.values[at], b.values[bt], offset)


def _distance(a: F64, b: F64) -> F64:
    """|a - b| / max(|a|, |b|) of the running medians; 1 where exactly one is finite, 0 where neither is."""
    good_a, good_b = np.isfinite(a), np.isfinite(b)
    out: F64 = np.where(good_a != good_b, 1.0, 0.0)
    both = good_a & good_b
    left, right = _running_median(a[both]), _running_median(b[both])
    scale = np.maximum(np.abs(left), np.abs(right))
    scale[scale == 0] = 1.0
    # Divided one by one before subtracting: the difference of two large values may overflow.
    out[both] = np.abs(left / scale - right / scale)
    return out


def _window(count: int) -> int:
    low, high = _WINDOW
    return min(high, max(low, count // 20 | 1))


def _running_median(values: F64) -> F64:
    window = _window(len(values))
    if len(values) < window:
        return values
    smooth: F64 = scipy.ndimage.median_filter(values, size=window, mode="mirror")
    return smooth


def thin(curve: Curve, points: int = POINTS) -> Curve:
    """At most about ``points`` points that show the same curve: the extremes of each stretch.

    The first, the last and the first non-finite point stay, and one non-finite point per stretch.
    """
    count = len(curve.steps)
    if count <= points:
        return curve
    keep: _Keep = np.zeros(count, dtype=bool)
    keep[[0, count - 1]] = True
    bad = ~np.isfinite(curve.values)
    for stretch in np.array_split(np.arange(count), max(1, points // 3)):
        values, broken = curve.values[stretch], bad[stretch]
        if broken.any():
            keep[stretch[np.argmax(broken)]] = True
        if not broken.all():
            keep[stretch[np.argmin(np.where(broken, np.inf, values))]] = True
            keep[stretch[np.argmax(np.where(broken, -np.inf, values))]] = True
    return Curve(curve.steps[keep], curve.values[keep])


def smoothed(curve: Curve, points: int = POINTS) -> Curve:
    """The running median of the finite values, at most ``points`` evenly spaced points of it."""
    good = np.isfinite(curve.values)
    steps, values = curve.steps[good], curve.values[good]
    if len(steps) <= points:
        return Curve(steps, _running_median(values))
    at = np.linspace(0, len(steps) - 1, points).astype(np.int64)
    half = _window(len(steps)) // 2
    # Of the points that are shown alone; beyond an end the curve is mirrored in its last value, as above.
    windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, half, mode="reflect"), 2 * half + 1)
    return Curve(steps[at], np.median(windows[at], axis=1))


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
