"""Losses with a number of their own, which the steps settle: smoothing, the corner of a huber loss, a factor."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64
from auditor.compare.identify.loss_fits import ELEMENTWISE, TOLERANCE, LossFit, apt
from auditor.compare.identify.loss_joined import Joined
from auditor.compare.identify.loss_pairs import Pair, aligned, one_hot, reductions

#: Steps that it takes to solve for a number: with fewer one that is free fits everything.
_FEWEST: Final = 3
#: Smoothing that counts as some, and where a corner is looked for.
_LEAST_SMOOTHING: Final = 1e-3
_CORNERS: Final = (1e-3, 1e2)
_HALVINGS: Final = 40
#: Reductions under which one is looked for, each with what an element of a step's output weighs under it.
_REDUCTIONS: Final[dict[str, Callable[[F64], float]]] = {
    "mean": lambda output: 1 / output.size,
    "sum": lambda _: 1.0,
    "sum over outputs, mean over batch": lambda output: 1 / len(output),
}
#: Classes whose weights are solved for, at most, and steps beyond as many: an exact fit of fewer says nothing.
_CLASSES: Final = 12
_BEYOND: Final = 3
#: How a loss is reduced whose rows count by their class (``loss_pairs.reductions`` names it so).
_BY_CLASS: Final = "weighted, mean over batch"
#: Whole numbers up to which a factor, or one over it, is taken for one.
_WHOLE: Final = 4096


def solved(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """The hypotheses, each with its number solved for."""
    if len(pairs) < _FEWEST:
        return
    for met, broadcast in aligned(pairs):
        steps = Joined(met)
        for row in ELEMENTWISE:
            if row[0] == "binary cross entropy":
                yield from _smoothed(steps, row, broadcast=broadcast)
                yield from _positive(steps, row, broadcast=broadcast)
        yield from _cornered(met, broadcast=broadcast)
        yield from _floored(met, broadcast=broadcast)
    rows = one_hot(pairs)
    if rows is not None:
        steps = Joined(rows)
        for row in apt(rows):
            if row[0] == "cross entropy":
                yield from _smoothed(steps, row, broadcast=False)


def factored(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """A loss of the tables times any number: divided by the batches to a step, weighed as one loss among others.

    One number for all steps, so a function that is not the loss is not made to fit by it.
    """
    if len(pairs) < _FEWEST:
        return
    for met, broadcast in aligned(pairs):
        steps = Joined(met)
        for row in ELEMENTWISE:
            yield from _times(steps, row, broadcast=broadcast)
    rows = one_hot(pairs)
    steps = Joined(rows or ())
    for row in apt(rows) if rows is not None else ():
        yield from _times(steps, row, broadcast=False)


def by_classes(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """Cross entropy of which the mean was taken over the classes as well, where the sum was to be."""
    rows = one_hot(pairs)
    classes = rows[0].output.shape[-1] if rows else 1
    if rows is None or classes < 2:
        return
    values = np.array([pair.value for pair in rows])
    for function, takes, loss in apt(rows):
        if function == "cross entropy":
            means = np.array([loss(pair.output, pair.target).mean() for pair in rows]) / classes
            residual = float(np.sqrt(np.mean((values - means) ** 2) / np.mean(values * values)))
            yield LossFit(function, takes, "mean", 1 / classes, broadcast=False, smoothing=0.0, residual=residual)


def by_class(pairs: Sequence[Pair]) -> Iterator[LossFit]:
    """Rows that count by their class, as a program weighs them itself: the mean is linear in the classes' weights."""
    rows = one_hot(pairs)
    for row in apt(rows) if rows is not None else ():
        if row[0] == "cross entropy":
            yield from _classed(rows or (), row)
    for met, broadcast in aligned(pairs):
        if broadcast or not all(np.isin(pair.target, (0, 1)).all() for pair in met):
            continue
        both = [replace(pair, target=np.stack([1 - pair.target.ravel(), pair.target.ravel()], axis=1)) for pair in met]
        for function, takes, loss in ELEMENTWISE:
            if function == "binary cross entropy":
                given = [loss(pair.output, pair.target).ravel() for pair in met]
                yield from _weighed(both, given, (function, takes))


def _classed(pairs: Sequence[Pair], row: tuple[str, str, losses.Pointwise]) -> Iterator[LossFit]:
    function, takes, loss = row
    yield from _weighed(pairs, [loss(pair.output, pair.target) for pair in pairs], (function, takes))


def _by_weights(pairs: Sequence[Pair], parts: Sequence[F64], named: tuple[str, str]) -> Iterator[LossFit]:
    """The weights of classes by whose sum the recorded losses are divided: up to a factor, the first of them one."""
    shares, counts = (
        np.stack([row @ pair.target for row, pair in zip(rows, pairs, strict=True)])
        for rows in (parts, [np.ones(len(part)) for part in parts])
    )
    seen = (counts != 0).any(axis=0)
    if not 1 < seen.sum() <= _CLASSES or len(pairs) < seen.sum() + _BEYOND:
        return
    values = np.array([pair.value for pair in pairs])
    weights = np.linalg.svd(shares[:, seen] - values[:, None] * counts[:, seen])[2][-1]
    if not weights[0] or (weights / weights[0]).min() <= 0:
        return
    weights = weights / weights[0]
    found = shares[:, seen] @ weights / (counts[:, seen] @ weights)
    residual = float(np.sqrt(np.mean((values - found) ** 2) / np.mean(values * values)))
    if residual <= TOLERANCE and np.ptp(weights) > _LEAST_SMOOTHING * weights.max():
        classes = tuple(float(f"{weight:.4g}") for weight in weights)
        yield LossFit(*named, "mean by weight", 1.0, broadcast=False, smoothing=0.0, residual=residual, classes=classes)


def _weighed(pairs: Sequence[Pair], parts: Sequence[F64], named: tuple[str, str]) -> Iterator[LossFit]:
    """The weights of classes under which the recorded losses are the mean of ``parts``, if there are such."""
    if any(
        part.shape != pair.target.shape[:1] or not np.isfinite(part).all()
        for part, pair in zip(parts, pairs, strict=True)
    ):
        return
    yield from _by_weights(pairs, parts, named)
    shares = np.stack([part @ pair.target / len(part) for part, pair in zip(parts, pairs, strict=True)])
    shares = shares[:, (shares != 0).any(axis=0)]
    if not 1 < shares.shape[1] <= _CLASSES or len(pairs) < shares.shape[1] + _BEYOND:
        return
    values = np.array([pair.value for pair in pairs])
    weights = np.linalg.lstsq(shares, values, rcond=None)[0]
    residual = float(np.sqrt(np.mean((values - shares @ weights) ** 2) / np.mean(values * values)))
    if residual <= TOLERANCE and weights.min() > 0 and np.ptp(weights) > _LEAST_SMOOTHING * weights.max():
        classes = tuple(float(f"{weight:.4g}") for weight in weights)
        yield LossFit(*named, _BY_CLASS, 1.0, broadcast=False, smoothing=0.0, residual=residual, classes=classes)


def _times(steps: Joined, row: tuple[str, str, losses.Pointwise], *, broadcast: bool) -> Iterator[LossFit]:
    (function, takes, loss), values = row, steps.values
    parts = steps.parts(function, loss, 0.0)
    if parts is None:
        return
    for reduction, reduced in reductions(parts, steps.pairs).items():
        square = float(reduced @ reduced)
        factor = _plain(float(values @ reduced) / square) if square > 0 else 0.0
        off = values - factor * reduced
        residual = float(np.sqrt(np.mean(off * off) / np.mean(values * values)))
        if factor > 0 and residual <= TOLERANCE:
            yield LossFit(function, takes, reduction, factor, broadcast, 0.0, residual)


def _plain(factor: float) -> float:
    """A whole number, or one over one, where it is that up to rounding."""
    for told in (factor, 1 / factor if factor else 0.0):
        near = round(told)
        if 1 <= near <= _WHOLE and abs(told / near - 1) < TOLERANCE:
            return float(near) if told == factor else 1 / near
    return factor


def _smoothed(steps: Joined, row: tuple[str, str, losses.Pointwise], *, broadcast: bool) -> Iterator[LossFit]:
    """The smoothing that explains the loss, which is linear in it: targets enter cross entropy linearly."""
    function, _, loss = row
    ends = [parts for whole in (0.0, 1.0) if (parts := steps.parts(function, loss, whole)) is not None]
    if len(ends) < 2:
        return
    sharp, flat = (reductions(parts, steps.pairs) for parts in ends)
    values = steps.values
    for reduction, reduced in sharp.items():
        way = flat[reduction] - reduced
        square = float(way @ way)
        smoothing = round(float(way @ (values - reduced)) / square, 5) if square > 0 else 0.0
        if _LEAST_SMOOTHING < smoothing < 1:
            off = values - reduced - smoothing * way
            residual = float(np.sqrt(np.mean(off * off) / np.mean(values * values)))
            yield LossFit(function, row[1], reduction, 1.0, broadcast, smoothing, residual)


def _positive(steps: Joined, row: tuple[str, str, losses.Pointwise], *, broadcast: bool) -> Iterator[LossFit]:
    """The weight of positive targets that explains the loss, which is linear in it."""
    (function, takes, loss), pairs, values = row, steps.pairs, steps.values
    if not all(np.isin(pair.target, (0, 1)).all() for pair in pairs):
        return
    parts = steps.parts(function, loss, 0.0)
    if parts is None:
        return
    positives = reductions([part * pair.target for part, pair in zip(parts, pairs, strict=True)], pairs)
    for reduction, whole in reductions(parts, pairs).items():
        way = positives[reduction]
        square = float(way @ way)
        more = float(way @ (values - whole)) / square if square > 0 else 0.0
        positive = float(f"{1 + more:.5g}")
        if positive > 0 and abs(positive - 1) > _LEAST_SMOOTHING:
            off = values - whole - (positive - 1) * way
            residual = float(np.sqrt(np.mean(off * off) / np.mean(values * values)))
            yield LossFit(function, takes, reduction, 1.0, broadcast, 0.0, residual, positive)


def _cornered(pairs: Sequence[Pair], *, broadcast: bool) -> Iterator[LossFit]:
    """The corner of a huber or smooth absolute loss that explains the loss, by halving: both are monotone in it."""
    values = np.array([pair.value for pair in pairs])
    total, sizes = float(values.sum()), [pair.output.size for pair in pairs]
    output, target = (np.concatenate([getattr(pair, name).ravel() for pair in pairs]) for name in ("output", "target"))
    distances, nothing = np.abs(output - target), np.zeros(())
    largest = float(distances.max(initial=0.0))
    for name, family in (("huber", losses.huber), ("smooth l1", losses.smooth_l1)):
        for reduction, weigh in _REDUCTIONS.items():
            weights = np.repeat([weigh(pair.output) for pair in pairs], sizes)
            low, high = _CORNERS
            for _ in range(_HALVINGS):
                if _digits(low) == _digits(high) or _digits(low) >= largest:
                    break  # of any number between them the same is kept, or nothing
                middle = float(np.sqrt(low * high))
                more = float(weights @ family(middle)(distances, nothing)) < total
                low, high = (middle, high) if more == (name == "huber") else (low, middle)
            corner = _digits(float(np.sqrt(low * high)))
            if corner >= largest:
                continue  # nothing lies beyond it: a squared error by another name
            off = values - reductions([family(corner)(pair.output, pair.target) for pair in pairs], pairs)[reduction]
            residual = float(np.sqrt(np.mean(off * off) / np.mean(values * values)))
            yield LossFit(f"{name}({corner:g})", "values", reduction, 1.0, broadcast, 0.0, residual)


def _floored(pairs: Sequence[Pair], *, broadcast: bool) -> Iterator[LossFit]:
    """What a percentage error divides by at least, by halving: the larger, the smaller the loss."""
    values = np.array([pair.value for pair in pairs])
    sizes = [pair.output.size for pair in pairs]
    output, target = (np.concatenate([getattr(pair, name).ravel() for pair in pairs]) for name in ("output", "target"))
    least, most = (float(found(np.abs(target), initial=end)) for found, end in ((np.min, np.inf), (np.max, 0.0)))
    for reduction, weigh in _REDUCTIONS.items():
        weights = np.repeat([weigh(pair.output) for pair in pairs], sizes)
        low, high = max(least, _CORNERS[0]), most
        if not low < high or not weights @ losses.percentage_over(low)(output, target) > values.sum():
            continue  # no number that it divides by makes it as small
        for _ in range(_HALVINGS):
            middle = float(np.sqrt(low * high))
            more = float(weights @ losses.percentage_over(middle)(output, target)) > values.sum()
            low, high = (middle, high) if more else (low, middle)
        floor = _digits(float(np.sqrt(low * high)))
        function = losses.percentage_over(floor)
        off = values - reductions([function(pair.output, pair.target) for pair in pairs], pairs)[reduction]
        residual = float(np.sqrt(np.mean(off * off) / np.mean(values * values)))
        yield LossFit(f"percentage error({floor:g})", "values", reduction, 1.0, broadcast, 0.0, residual)


def _digits(corner: float) -> float:
    return float(f"{corner:.4g}")
