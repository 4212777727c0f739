"""Columns of inputs that cannot be those of the same data, where no row of one side is known on the other.

Scaled to one spread and one centre, a column may still be another one: its logarithm, its ranks, a mixture of all
columns. Distributions are held against each other by Kolmogorov's distance, what two columns have in common by the
correlation of their ranks, which no monotone change of units moves; both beyond what chance leaves of as many rows.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile
from auditor.compare.recognise import unseen
from auditor.compare.recognise.cause import Cause, between, percent
from auditor.compare.structure.operations import WEIGHTED

#: Different rows that it takes, and columns that are looked at.
_FEWEST: Final = 64
_WIDEST: Final = 64
#: Part of a column's spread by which a scaler that was fitted to another part of the data may move its numbers;
_MOVED: Final = 0.1
#: Kolmogorov's distance of what is further apart than that, from which on it is told;
_DISTANCE: Final = 0.15
#: and in units of sqrt(1/n + 1/m): beyond it chance is 2 exp(-2 z^2), 3e-9.
_CHANCE: Final = 3.2
#: Difference of two rank correlations, and in standard errors of Fisher's transformation (of ranks 1.03 wider).
_TOGETHER: Final = 0.25
_ERRORS: Final = 6.0
_RANKED: Final = 1.03
#: Part of the rows that may share one value of a column that tells something: of more the rest is a handful, whose
#: spread, by which the column may be scaled, is chance.
_TIED: Final = 0.5
#: Part of the variance between batches from which on the recorded ones are no sample of the data.
_SORTED: Final = 0.05
#: Least that another number of features counts for.
_WIDTH: Final = 0.1


def width(a: Profile, b: Profile) -> Iterator[Cause]:
    """Rows of another number of features, where both first layers take them as they are."""
    both = between(a, b, "data.features")
    if both is None or any(len(fact.value) != 1 for fact in both) or not (_dense(a) and _dense(b)):
        return
    few, many = sorted(int(fact.value[0]) for fact in both)
    if few in {many, 0} or unseen.behind(a, b) or unseen.behind(b, a):
        return
    effect = f"rows have {many} features on one side and {few} on the other: left out, added, or coded otherwise"
    values = (int(both[0].value[0]), int(both[1].value[0]))
    yield Cause("DATA-00", "data.input.width", values, max(_WIDTH, 1 - few / many), effect)


def _dense(side: Profile) -> bool:
    """Whether one array is what the model is given, and a dense layer is the first with weights."""
    first = side.evidence.first
    kinds = [one.kind for one in side.structure.operations if one.kind in WEIGHTED]
    return first is not None and len(first.of("batch")) == 1 and side.structure.ordered and kinds[:1] == ["dense"]


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Columns of equal place and other distribution, or other company."""
    if max(a.value("data.sorted", 0.0), b.value("data.sorted", 0.0)) > _SORTED:
        return
    left, right = _rows(a), _rows(b)
    if left is None or right is None or left.shape[1] != right.shape[1]:
        return
    varied = [at for at in range(left.shape[1]) if max(_tied(left[:, at]), _tied(right[:, at])) <= _TIED]
    if not varied:
        return
    left, right = left[:, varied], right[:, varied]
    far, at = _farthest(left, right)
    if far:
        effect = (
            f"numbers of column {varied[at]} are spread otherwise, by {percent(far)} of the rows: transformed or cut"
        )
        yield Cause("DATA-00", "data.input.distribution", ("one", "another"), far, effect, confidence=0.8)
        return
    off, pair = _company(left, right)
    if off:
        both = " and ".join(str(varied[one]) for one in pair)
        effect = f"columns {both} go together otherwise on one side: mixed, or in another order"
        yield Cause("DATA-00", "data.input.correlation", ("one", "another"), min(1.0, off), effect, confidence=0.8)


def _rows(side: Profile) -> F64 | None:
    """Different rows of plain features, no words; None where too few are known."""
    found = [batch for one in side.evidence.steps if (batch := data(one, "batch")) is not None and batch.ndim == 2]
    found = [batch for batch in found if batch.shape[1] == found[0].shape[1] and np.isfinite(batch).all()]
    if not found or found[0].shape[1] > _WIDEST:
        return None
    rows: F64 = np.unique(np.concatenate(found), axis=0)
    return None if len(rows) < _FEWEST or bool((rows == np.round(rows)).all()) else rows


def _farthest(a: F64, b: F64) -> tuple[float, int]:
    """Kolmogorov's distance of the column in which it is largest; 0 where chance or a scaler explains it."""
    sizes = [_distance(np.sort(a[:, at]), np.sort(b[:, at])) for at in range(a.shape[1])]
    column = int(np.argmax(sizes))
    least = max(_DISTANCE, _CHANCE * math.sqrt(1 / len(a) + 1 / len(b)))
    return (sizes[column], column) if sizes[column] > least else (0.0, column)


def _distance(a: F64, b: F64) -> float:
    """The largest difference of two distribution functions, of sorted values, of which one may be moved a little.

    Moved together: a value that many rows share, an empty pixel, is scaled to another number on each side.
    """
    least = _MOVED * max(float(a.std()), float(b.std()))
    return max(float(_beyond(one, other, least).max()) for one, other in ((a, b), (b, a)))


def _beyond(a: F64, b: F64, least: float) -> F64:
    """By how much more of ``a`` than of ``b`` lies below each value of ``a``, that of ``b`` moved up by ``least``."""
    below: F64 = np.searchsorted(a, a, side="right") / len(a)
    return below - np.searchsorted(b, a + least, side="right") / len(b)


def _company(a: F64, b: F64) -> tuple[float, tuple[int, int]]:
    """The largest difference of what two columns have in common; 0 where chance explains it."""
    if a.shape[1] < len("ab"):
        return 0.0, (0, 0)
    left, right = (_ranks(side) for side in (a, b))
    apart = np.abs(left - right)
    error = _RANKED * math.sqrt(1 / (len(a) - 3) + 1 / (len(b) - 3))
    bounded = [np.arctanh(np.clip(side, -0.999, 0.999)) for side in (left, right)]
    apart = np.where(np.abs(bounded[0] - bounded[1]) > _ERRORS * error, apart, 0.0)
    np.fill_diagonal(apart, 0.0)
    place: Any = np.unravel_index(int(np.argmax(apart)), apart.shape)
    off = float(apart[place])
    return (off if off > _TOGETHER else 0.0), (int(place[0]), int(place[1]))


def _tied(values: F64) -> float:
    """The part of the rows that share the most usual value."""
    return float(np.unique(values, return_counts=True)[1].max() / len(values))


def _ranked(values: F64) -> F64:
    """The rank of each value, 1 … n; of equal ones the mean of theirs (scipy.stats takes half a second to import)."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[places]


def _ranks(rows: F64) -> F64:
    """Correlations of the columns' ranks; 0 with one that never varies."""
    ranks = np.stack([_ranked(column) for column in rows.T], axis=1)
    centred = ranks - ranks.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=0)
    scaled = np.divide(centred, lengths, out=np.zeros_like(centred), where=lengths > 0)
    product: F64 = scaled.T @ scaled
    return product
