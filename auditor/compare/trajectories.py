"""Two runs of one quantity, side by side by step: their ratio, and where they part.

Nothing here says whether a difference matters; two healthy seeds part as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.compare import medians

I64 = npt.NDArray[np.int64]
F64 = npt.NDArray[np.float64]
_Keep = npt.NDArray[np.bool_]

#: Two curves part when their running medians differ by more than this share of the larger one, and go
#: on doing so up to the end of what both ran, for at least two windows of steps.
APART = 0.1
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

    @property
    def parts_at(self) -> int | None:
        """The step from which the two stay apart (see ``APART``) to the end, or None."""
        count, (good_a, good_b) = len(self.steps), (np.isfinite(self.a), np.isfinite(self.b))
        both, neither = np.flatnonzero(good_a & good_b), np.flatnonzero(~good_a & ~good_b)
        place = medians.last_together(self.a[both], self.b[both], APART)
        first = 1 + max(int(both[place]) if place >= 0 else -1, int(neither[-1]) if len(neither) else -1)
        if first >= count:
            return None
        broke = good_a[first:] != good_b[first:]
        # At the end of the curves a running median is as noisy as what it smooths.
        lasting = count - first >= 2 * medians.window(count)
        return int(self.steps[first]) if lasting or broke.any() else None

    @property
    def end_apart(self) -> float | None:
        """The distance of the two at the last common step, of running medians (see ``APART``); None without a step."""
        if not len(self.steps):
            return None
        good_a, good_b = np.isfinite(self.a), np.isfinite(self.b)
        if not (good_a[-1] and good_b[-1]):
            return float(good_a[-1] != good_b[-1])
        both = good_a & good_b
        end = np.array([int(both.sum()) - 1])
        return float(medians.distance(*(medians.medians(side[both], end) for side in (self.a, self.b)))[0])


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
        return Curve(steps, medians.medians(values, np.arange(len(values))))
    at = np.linspace(0, len(steps) - 1, points).astype(np.int64)
    return Curve(steps[at], medians.medians(values, at))


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
