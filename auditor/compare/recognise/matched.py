"""The same rows with other numbers in them: rows of two runs that one number tells from all others.

A price, a reading, a target to seven digits stands for its row: where both sides were seen to train on it, the rest
of the two rows can be held against each other, number by number. What only stands in other units is told by its scale;
here is told what no factor and no offset makes of each other: gaps that are filled otherwise, values that are cut off,
codes in another order, a logarithm, the target of another hour.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from auditor.compare.identify.differences import target_of
from auditor.compare.identify.evidence import F64, data, row_weights, targets_of
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent
from auditor.compare.recognise.pairing import classes

#: Rows that it takes, and that are looked at; numbers of a row.
_FEWEST: Final = 32
_MOST: Final = 4096
_WIDEST: Final = 256
#: Part of the rows that must have a value of their own in the column by which they are known.
_OWN: Final = 0.9
#: Part of a column's spread by which no scaler that was fitted to another part of the data puts it off.
_OFF: Final = 0.1
#: Relative distance of equal numbers, rounded to float32 on their way.
_EQUAL: Final = 1e-5
#: Part of the rows of which something is so: most of them.
_MOSTLY: Final = 0.9
#: Part of the rows with other numbers that is more than a reading which two rows of the data have by chance.
_PART: Final = 0.05
#: Columns in which two rows must agree to be one, and part of the rows that such a column's values tell apart.
_AGREE: Final = 2
_TELLS: Final = 0.5
#: Constants that stand for what differs: a filled gap, both ends of a clip.
_CONSTANTS: Final = 2
#: Different values that a code has, at most, and rows of each.
_CODES: Final = 64
_REPEATED: Final = 4
#: Rows that must have come again as they were, for their numbers to be no draw of the moment.
_AGAIN: Final = 16
#: Steps with a call of a network before each, from which on it is no evaluation: agents tell eight of these.
_IN_A_ROW: Final = 4


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of one run: inputs, then targets; ``fixed``: rows came again, and none with other numbers."""

    rows: F64
    inputs: int
    fixed: bool


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """What the rows that both sides train on hold otherwise."""
    left, right = _table(a), _table(b)
    if left is None or right is None or left.inputs != right.inputs or left.rows.shape[1] != right.rows.shape[1]:
        return
    mine, theirs = _common(left.rows, right.rows)
    if len(mine) < _FEWEST:
        return
    fixed = left.fixed and right.fixed
    told = [_apart(mine[:, at], theirs[:, at], fixed=fixed) for at in range(mine.shape[1])]
    inputs, targets = told[: left.inputs], told[left.inputs :]
    yield from _told("data.input.values", "inputs", inputs)
    if not (asks(a) or asks(b)):
        yield from _told("data.target.values", "targets", targets)


def asks(side: Profile) -> bool:
    """Whether a network is called before each step and nothing is judged: what it gives may be what the next is told.

    So a target network of Q-learning, a teacher: their answers are other numbers with other first weights. Where it is
    called within the step, the target itself shows what it was made of.
    """
    told = (one.facts.get("loss") for one in side.evidence.steps[:1])
    if any(isinstance(one, Mapping) and one.get("taught") for one in told):
        return True
    silent = {
        event.step for event in side.events if event.type == "evaluation" and not dict(event.fields).get("losses")
    }
    return sum(step + 1 in silent for step in silent) >= _IN_A_ROW


def _told(parameter: str, what: str, columns: list[tuple[str, float]]) -> Iterator[Cause]:
    off = [(word, size) for word, size in columns if word]
    if not off:
        return
    size = math.sqrt(sum(size * size for _, size in off) / len(columns))
    words = list(dict.fromkeys(word for word, _ in off))
    effect = (
        f"rows that both sides train on have other {what}, {len(off)} of {len(columns)} columns: {', '.join(words)};"
        f" off by {percent(size)} of their spread"
    )
    yield Cause("DATA-00", parameter, ("as here", "otherwise"), min(1.0, size), effect)


def _table(side: Profile) -> Table | None:
    found: list[F64] = []
    width = 0
    for one in side.evidence.steps:
        batch, target = data(one, "batch"), target_of(one)
        if len(targets_of(one)) > 1:  # of several losses nobody knows which one comes first on the other side
            return None
        if batch is None or target is None or batch.ndim < 1 or target.ndim < 1 or len(batch) != len(target):
            continue
        if sum(extent > 1 for extent in batch.shape[1:]) > 1:
            continue  # of images and series of several readings each framework has another axis first
        rows = np.hstack([batch.reshape(len(batch), -1), classes(target)])
        mask = row_weights(one)
        if mask is not None and mask.size == len(rows):
            rows = rows[mask.ravel() != 0]  # what stands behind a mask is no target
        if (found and rows.shape[1] != found[0].shape[1]) or not np.isfinite(rows).all():
            continue
        found.append(rows)
        width = batch.reshape(len(batch), -1).shape[1]
    if not found or found[0].shape[1] > _WIDEST:
        return None
    every = np.concatenate(found)[:_MOST].astype(np.float32).astype(np.float64) + 0.0
    different = np.unique(every, axis=0)
    return Table(different, width, fixed=len(every) - len(different) >= _AGAIN)


def _common(a: F64, b: F64) -> tuple[F64, F64]:
    """Rows of the two that are known by a value of the one column in which most are, and agree in another column.

    A reading of three digits that one recorded row has may belong to another row of the data as well.
    """
    best: tuple[F64, F64] = (a[:0], b[:0])
    for column in range(a.shape[1]):
        (left, at), (right, bt) = (_own(side[:, column]) for side in (a, b))
        if not len(left) or not len(right):
            continue
        _, i, j = np.intersect1d(left, right, assume_unique=True, return_indices=True)
        if len(i) > len(best[0]):
            best = a[at[i]], b[bt[j]]
    telling = [len(np.unique(side[:, column])) for column in range(a.shape[1]) for side in (a, b)]
    tells = np.array(telling).reshape(-1, 2).min(axis=1) >= _TELLS * min(len(a), len(b))
    sure = (_equal(*best) & tells).sum(axis=1) >= _AGREE
    return best[0][sure], best[1][sure]


def _equal(a: F64, b: F64) -> np.ndarray:
    spread = np.maximum(a.std(axis=0), b.std(axis=0)) if len(a) else np.zeros(a.shape[1])
    found: np.ndarray = np.abs(a - b) <= _EQUAL * np.maximum(np.maximum(np.abs(a), np.abs(b)), spread)
    return found


def _own(values: F64) -> tuple[F64, np.ndarray]:
    """Values that one row alone has, and where; none where too many are shared."""
    found, at, counts = np.unique(values, return_index=True, return_counts=True)
    own = counts == 1
    return (found[own], at[own]) if own.sum() >= _OWN * len(values) else (found[:0], at[:0])


def _apart(a: F64, b: F64, *, fixed: bool) -> tuple[str, float]:
    """How one column of equal rows differs, and by which part of its spread; no word where it does not.

    ``fixed``: no side draws its numbers anew, so that a difference without a rule is one all the same.
    """
    differs = ~_equal(a[:, None], b[:, None])[:, 0]
    size = _beyond_a_line(a, b)
    if size < _OFF or differs.mean() < _PART:
        return "", 0.0
    if _constant(a[differs], b[differs]):
        return "filled or cut off at a constant", size
    if _coded(a, b):
        return "coded otherwise", size
    if _monotone(a, b):
        return "transformed", size
    return ("other numbers", size) if fixed else ("", 0.0)


def _beyond_a_line(a: F64, b: F64) -> float:
    """The part of a column's spread that no factor and offset of the other explains: sqrt(1 - r^2)."""
    if a.std() <= 0 or b.std() <= 0:
        return float(a.std() > 0 or b.std() > 0)
    r = float(np.mean((a - a.mean()) * (b - b.mean())) / (a.std() * b.std()))
    return math.sqrt(max(0.0, 1 - r * r))


def _constant(a: F64, b: F64) -> bool:
    """Whether what differs has one or two values on a side."""
    parts = []
    for values in (a, b):
        counts = np.sort(np.unique(values, return_counts=True)[1])[::-1]
        parts.append(counts[:_CONSTANTS].sum() / len(values))
    return bool(max(parts) >= _MOSTLY)


def _coded(a: F64, b: F64) -> bool:
    """Whether the few values of one side are those of the other under other numbers."""
    pairs, counts = np.unique(np.stack([a, b]), axis=1, return_counts=True)
    kinds = [len(np.unique(side)) for side in pairs]
    if max(kinds) > _CODES or len(a) < _REPEATED * max(kinds):
        return False
    usual = sum(int(counts[pairs[0] == value].max()) for value in np.unique(pairs[0]))
    return usual >= _MOSTLY * len(a)


def _monotone(a: F64, b: F64) -> bool:
    """Whether one rises, or falls, wherever the other does."""
    order = np.lexsort((b, a))
    steps = np.diff(b[order])
    slack = _EQUAL * float(np.ptp(b))
    return bool((steps >= -slack).all() or (steps <= slack).all())
