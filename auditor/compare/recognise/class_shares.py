"""Classes in other shares: a part of the data held back that is no sample of it, rows drawn by their class."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, Final

import numpy as np
import scipy

from auditor.compare.identify.differences import target_of
from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile
from auditor.compare.recognise import pairing
from auditor.compare.recognise.cause import Cause, percent

#: Classes that may be told apart, and rows for each that it takes.
_MOST: Final = 64
_ROWS: Final = 10
#: Part of the rows that are of another class from which on the two train on other data, and the chance that any
#: two samples of one set are as far apart (chi-squared test of homogeneity).
_APART: Final = 0.1
_CHANCE: Final = 1e-6
#: Part of the variance between batches from which on the first ones are no sample of the data.
_SORTED: Final = 0.05

#: What follows from classes in other shares: sizes of their numbers, and how many there are.
FOLLOW: Final = frozenset({"data.target.scale", "data.target.range", "data.target.mean", "data.validation_split"})


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """The classes that the two are trained on come in other shares."""
    if max(side.value("data.sorted", 0.0) for side in (a, b)) > _SORTED:
        return
    left, right = _counts(a), _counts(b)
    both = left.keys() | right.keys()
    if not left or not right or both not in (left.keys(), right.keys()) or not 1 < len(both) <= _MOST:
        return  # numbered otherwise: whichever they are
    counts = np.array([[side.get(name, 0) for name in sorted(both)] for side in (left, right)], np.float64)
    samples = [float(side.value("data.samples_per_epoch") or np.inf) for side in (a, b)]
    counts *= np.minimum(1.0, np.array(samples)[:, None] / counts.sum(axis=1, keepdims=True))  # those of one epoch
    rows = counts.sum(axis=1, keepdims=True)
    apart = float(np.abs(counts[0] / rows[0] - counts[1] / rows[1]).sum() / 2)
    if apart < _APART or rows.min() < _ROWS * len(both) or _chance(counts, rows) > _CHANCE:
        return
    said = f"{percent(apart)} of the rows that are trained on are of other classes on one side"
    splits = [side.value("data.declared.validation_split") for side in (a, b)]
    unseen = [_unseen(side, seen) for side, seen in ((a, left), (b, right))]
    words = tuple(f"{len(seen)} classes" for seen in (left, right))
    if bool(unseen[0]) != bool(unseen[1]) or (any(splits) and splits[0] != splits[1]):
        effect = f"{said}: what is held back is no sample, as the last rows of sorted data are none"
        holds = [bool(found) or bool(split) for found, split in zip(unseen, splits, strict=True)]
        yield Cause(
            "DATA-03", "data.held_out.classes", (words[0], words[1]), min(1.0, 2 * apart), effect,
            mend="a" if holds == [True, False] else "b",
        )  # fmt: skip
    else:
        effect = f"{said}: another part of the data, or rows that are drawn by their class"
        yield Cause("DATA-00", "data.target.shares", (words[0], words[1]), apart, effect)


def _chance(counts: F64, rows: F64) -> float:
    """Of two samples of one set, that their counts are as far apart as these (Pearson, 1900)."""
    expected = rows * counts.sum(axis=0) / counts.sum()
    statistic = float(((counts - expected) ** 2 / expected).sum())
    return float(scipy.special.chdtrc(counts.shape[1] - 1, statistic))


def _counts(side: Profile) -> Mapping[float, int]:
    """How many rows of each class were seen; none where targets are no classes."""
    found: Counter[float] = Counter()
    for one in side.evidence.steps:
        numbers = _classes(target_of(one), data(one, "batch"))
        if numbers is None:
            return {}
        found.update(numbers.tolist())
        if len(found) > _MOST:
            return {}
    return found


def _classes(target: Any, batch: F64 | None) -> F64 | None:
    """The class of each row; None where a row has several targets, or one that is no whole number."""
    if target is None or not target.ndim or not target.size:
        return None
    numbers = pairing.classes(target)
    if numbers.shape[1] != 1 or (batch is not None and batch.ndim and len(batch) != len(numbers)):
        return None
    whole = np.array_equal(numbers, np.round(numbers))
    return numbers[:, 0] if whole else None


def _unseen(side: Profile, seen: Mapping[float, int]) -> int:
    """Classes of the first evaluation of which no row was trained on."""
    one = side.evaluation
    numbers = None if one is None else _classes(data(one, "target"), data(one, "batch"))
    return 0 if numbers is None else len(set(numbers.tolist()) - set(seen))
