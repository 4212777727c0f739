"""In which order and in which portions the data came, and at which scale."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify import losses
from auditor.compare.identify.differences import target_of
from auditor.compare.identify.evidence import F64, Evidence, data, row_weights, targets_of
from auditor.compare.identify.fact import Fact
from auditor.compare.trajectories import Curve
from auditor.ingest.records import StepRecording

_FEWEST_BATCHES: Final = 4
_PARTIAL: Final = "data.partial_batches"
_COLUMNS: Final = 64
#: Axes of a batch whose samples are rows of features, and samples that it takes to correlate two numbers.
_FEATURES: Final = 2
_FEWEST_SAMPLES: Final = 64
#: Batches from which on what comes again is a set of data.
_SEVERAL: Final = 2


def facts(evidence: Evidence, curves: Mapping[str, Curve], events: Sequence[Any]) -> list[Fact]:
    """``data.*``: batch size, partial batches, samples an epoch, order, how far batches differ from one another."""
    given = _of_one_shape([batch for one in evidence.steps if (batch := data(one, "batch")) is not None])
    batches = [batch for each in given if (batch := _rows(each)) is not None]
    targets = _ordered([_classes(target) for one in evidence.steps if (target := _rows(_targets(one))) is not None])
    shapes = [array.shape for one in evidence.steps for array in list(one.of("batch").values())[:1] if array.shape]
    found: list[Fact] = []
    sizes = curves["samples"].values.astype(int).tolist() if "samples" in curves else []
    if shapes:
        seen = [shape[0] for shape in shapes]
        # The samples of every step, unless a step is of several batches: an epoch's last one is seldom recorded.
        every = _of_calls(sizes, _usual(seen))
        # Of some steps alone the last batch of an epoch may be none.
        found += [one for one in _portions(every or seen) if every or one.value or one.parameter != _PARTIAL]
        found += _of_loss(evidence)
        found.append(Fact("data.features", list(shapes[0][1:])))
    elif sizes:
        found += _portions(sizes)
    many = _distinct(batches)
    found += _scale("data.input", batches, many) + _scale("data.target", targets, many) + _axes(evidence)
    found += _epochs(curves, events, max((shape[0] for shape in _given(evidence)), default=0))
    apart = max((_apart(_full(columns)) for columns in (targets, batches)), default=0.0)
    if len(batches) >= _FEWEST_BATCHES or len(targets) >= _FEWEST_BATCHES:
        found.append(Fact("data.sorted", round(apart, 4), confidence=0.9))
    return found


def _of_one_shape(batches: Sequence[F64]) -> list[F64]:
    """The batches of the shape that the first has, but for its samples: what a later model is fed is another matter."""
    return [batch for batch in batches if batch.shape[1:] == batches[0].shape[1:]]


def _of_calls(sizes: Sequence[int], rows: int) -> list[int]:
    """The samples of each step, of a batch of so many rows: divided by how often a step calls the model.

    Empty where steps are of several batches.
    """
    calls = _usual(sizes) // max(rows, 1) if sizes else 0
    whole = calls > 0 and _usual(sizes) == calls * rows and all(size % calls == 0 for size in sizes)
    return [size // calls for size in sizes] if whole else []


def _of_loss(evidence: Evidence) -> list[Fact]:
    """Of how many samples the loss is, as the targets of most steps have them."""
    rows = [len(targets[0]) for one in evidence.steps if (targets := targets_of(one)) and targets[0].ndim]
    return [Fact("data.of_loss", _usual(rows))] if rows else []


def _given(evidence: Evidence) -> list[tuple[int, ...]]:
    """The shapes of all inputs that were recorded, of as many calls as steps have."""
    return [array.shape for one in evidence.steps for array in one.of("batch").values() if array.shape]


def _targets(one: StepRecording) -> F64 | None:
    """The target of a step; of several losses the columns of each beside the others'."""
    several = [target.reshape(len(target), -1) for target in targets_of(one) if target.ndim]
    if len(several) > 1 and len({len(target) for target in several}) == 1:
        return np.concatenate(several, axis=1)
    return None if len(several) > 1 else _counting(one, target_of(one))


def _counting(one: StepRecording, target: F64 | None) -> F64 | None:
    """A target with nothing where the loss leaves it out by a mask, whatever the program has there."""
    mask = row_weights(one)
    if target is None or mask is None or mask.size != target.size or not losses.is_mask([mask]):
        return target
    return np.where(mask.reshape(target.shape) != 0, target, 0.0)


def _classes(target: F64) -> F64:
    """Numbers of classes with the first in the place of padding, of -1 or -100, as a program puts it that masks."""
    low = target.min()
    padded = low < 0 and (target == np.round(target)).all() and len(np.unique(target[target >= 0])) > 1
    return np.where(target < 0, 0, target) if padded and (target[target < 0] == low).all() else target


def _ordered(targets: list[F64]) -> list[F64]:
    """Columns of several targets by their mean: a loop adds its losses in one order, a framework in that of names."""
    if not targets or any(target.shape[1] != targets[0].shape[1] for target in targets):
        return targets
    order = np.argsort(np.concatenate(targets).mean(axis=0), kind="stable")
    return [target[:, order] for target in targets]


def _rows(batch: F64 | None) -> F64 | None:
    """A batch as (samples, at most 64 columns); spread so that of interleaved channels none is passed over."""
    if batch is None or batch.ndim == 0 or not batch.size or not np.isfinite(batch).all():
        return None
    rows = batch.reshape(len(batch), -1)
    return rows[:, np.unique(np.linspace(0, rows.shape[1] - 1, _COLUMNS).round().astype(int))]


def _full(batches: Sequence[F64]) -> list[F64]:
    """Without partial ones, which the other side may leave out: what is in them alone is no order of the data."""
    sizes = [len(batch) for batch in batches]
    usual = max(set(sizes), key=sizes.count, default=0)
    return [batch for batch in batches if len(batch) >= usual]


def _portions(sizes: Sequence[int]) -> list[Fact]:
    usual = _usual(sizes)
    partial = sorted({size for size in sizes if size < usual})
    return [Fact("data.batch_size", int(usual)), Fact(_PARTIAL, [int(size) for size in partial])]


def _usual(sizes: Sequence[int]) -> int:
    return max(set(sizes), key=sizes.count)


def _distinct(batches: Sequence[F64]) -> int | None:
    """How many different samples the inputs show; None without inputs.

    A sample that comes again in the next epoch is no second draw: five steps of one full batch say as
    much of the data's mean as the first.
    """
    return len({row.tobytes() for batch in batches for row in np.ascontiguousarray(batch)}) if batches else None


def _scale(name: str, batches: Sequence[F64], many: int | None) -> list[Fact]:
    """What the columns are like. ``rows``: the samples that this is known from, ``many`` where inputs tell."""
    if not batches:
        return []
    rows = np.concatenate([batch for batch in batches if batch.shape[1] == batches[0].shape[1]])
    spread, centre = rows.std(axis=0), rows.mean(axis=0)
    typical = float(np.sqrt(np.mean(rows * rows)))
    sizes = [float(np.sqrt(np.mean(batch * batch))) for batch in batches]
    return [
        Fact(f"{name}.rms", typical),
        Fact(f"{name}.batches", [min(sizes), max(sizes)]),
        Fact(f"{name}.mean", float(centre.mean())),
        Fact(f"{name}.std", float(spread.mean())),
        Fact(f"{name}.range", [float(rows.min()), float(rows.max())]),
        Fact(f"{name}.columns", int(rows.shape[1])),
        Fact(f"{name}.rows", len(rows) if many is None else min(many, len(rows))),
        Fact(f"{name}.centres", [float(value) for value in centre]),
        Fact(f"{name}.spreads", [float(value) for value in spread]),
    ]


def _axes(evidence: Evidence) -> list[Fact]:
    """``data.input.axes``: of each axis of an input its extent, and how much neighbours along it have in common.

    Neighbours as numbers that vary over the samples: whatever each is scaled by, an image is smooth along its
    rows, a series along time.
    """
    whole = [batch for one in evidence.steps if (batch := data(one, "batch")) is not None and batch.ndim > _FEATURES]
    whole = [batch for batch in whole if batch.shape[1:] == whole[0].shape[1:] and np.isfinite(batch).all()]
    rows = np.concatenate(whole) if whole else np.zeros((0, 1, 1))
    if len(rows) < _FEWEST_SAMPLES or bool((rows == np.round(rows)).all()):
        return []
    centred = rows - rows.mean(axis=0)
    spread = centred.std(axis=0)
    scaled = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0)
    told = [{"extent": int(rows.shape[axis]), "alike": _alike(scaled, axis)} for axis in range(1, rows.ndim)]
    return [Fact("data.input.axes", told), Fact("data.input.axes.rows", len(rows))]


def _alike(scaled: F64, axis: int) -> float | None:
    """The mean correlation of neighbours along an axis; None where there are none that vary."""
    first, second = (np.take(scaled, places, axis) for places in _neighbours(scaled.shape[axis]))
    both = (first * second).mean(axis=0)
    varies = (first != 0).any(axis=0) & (second != 0).any(axis=0)
    return float(both[varies].mean()) if varies.any() else None


def _neighbours(extent: int) -> tuple[range, range]:
    return range(extent - 1), range(1, extent)


def _apart(batches: Sequence[F64]) -> float:
    """The part of the data's variance that lies between batches, beyond what chance leaves there: 0 … 1.

    Of the column in which it is largest; 0 for shuffled data, near 1 for sorted.
    """
    batches = [batch for batch in batches if batch.shape[1] == batches[0].shape[1]]
    if len(batches) < _FEWEST_BATCHES:
        return 0.0
    rows = np.concatenate(batches)
    centre = rows.mean(axis=0)
    total = ((rows - centre) ** 2).sum(axis=0)
    between = sum(len(batch) * (batch.mean(axis=0) - centre) ** 2 for batch in batches)
    share = np.divide(between, total, out=np.zeros_like(total), where=total > 0)
    chance = (len(batches) - 1) / max(1, len(rows) - 1)
    # The largest of many columns exceeds chance by chance alone.
    margin = 3 * np.sqrt(2 * chance / max(1, len(rows) - 1)) * np.sqrt(np.log(max(2, share.size)))
    return float(max(0.0, share.max(initial=0.0) - chance - margin))


def _epochs(curves: Mapping[str, Curve], events: Sequence[Any], rows: int = 0) -> list[Fact]:
    """Samples an epoch and whether the order repeats, from epoch events or the batches' digests.

    More samples than the loader's batches have, of as many ``rows`` as any call was given, are those of several calls
    with one batch: of a judge that is shown the data, what a generator makes of noise, and that again.
    """
    told = [event for event in events if event.type == "epoch"]
    found: list[Fact] = []
    fields = [dict(event.fields) for event in told]
    most = float(curves["samples"].values[:1].max(initial=0.0)) if "samples" in curves else 0.0
    most = min(most, rows) if rows else most
    samples = [
        int(one["samples"])
        for one in fields
        if isinstance(one.get("samples"), (int, float))
        and not (most and "batches" in one and one["samples"] > one["batches"] * most)
    ]  # passes beside training
    if samples:
        found.append(Fact("data.samples_per_epoch", max(set(samples), key=samples.count)))
    orders = [one["order"] for one in fields if one.get("order") is not None]
    contents = [one["content"] for one in fields if one.get("content") is not None]
    if len(orders) > 1:
        repeats = len(set(orders)) == 1
        found.append(Fact("data.order", "the same in every epoch" if repeats else "another in every epoch"))
    if len(contents) > 1:
        found.append(Fact("data.content", "the same batches" if len(set(contents)) == 1 else "other batches"))
    if not orders and "batch_digest" in curves:
        period = _period(curves["batch_digest"].values)
        found += [Fact("data.order", "the same in every epoch")] if period else []
        digests = curves["batch_digest"].values
        found += [Fact("data.unrepeated", len(digests))] if len(np.unique(digests)) == len(digests) > 1 else []
        many = 0 if samples else _round(curves, period)
        found += [Fact("data.samples_per_epoch", many, confidence=0.8)] if many else []
    return found


def _round(curves: Mapping[str, Curve], period: int) -> int:
    """Samples of the batches that come again and again, where nobody tells of epochs; 0: one batch, or not known.

    Any ``period`` batches in a row are all of them, whichever of them was the first to be heard.
    """
    sizes, digests = curves.get("samples"), curves["batch_digest"]
    if period < _SEVERAL or sizes is None or not np.array_equal(sizes.steps, digests.steps):
        return 0
    whole = len(digests.values) // period
    rounds = digests.values[: whole * period].reshape(whole, period)
    return int(sizes.values[:period].sum()) if (rounds == rounds[0]).all() else 0


def _period(digests: F64) -> int:
    """After how many batches the first one comes again, and all others after it in the same order; 0: never."""
    again = np.flatnonzero(digests[1:] == digests[0]) if len(digests) > 1 else np.zeros(0)
    if not len(again):
        return 0
    period = int(again[0]) + 1
    rest = digests[period:]
    if len(rest) < min(period, 3):
        return 0
    same = bool(np.array_equal(rest, digests[: len(rest)]) if len(rest) <= period else
                np.array_equal(rest[:period], digests[:period]))  # fmt: skip
    return period if same else 0
