"""Batches: content, order, size, type: DATA-*."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify.differences import target_of
from auditor.compare.identify.fact import How
from auditor.compare.identify.fed_size import CHANGED
from auditor.compare.profile import Profile
from auditor.compare.recognise import (
    class_shares,
    columns,
    content,
    evaluated,
    matched,
    pairing,
    precision,
    shuffled,
    tails,
)
from auditor.compare.recognise.cause import Cause, between, percent
from auditor.compare.recognise.gathered import gathered
from auditor.compare.recognise.several import passes_apart
from auditor.compare.recognise.shuffled import SORTED
from auditor.compare.recognise.step_rows import step_rows

#: Logarithm of a ratio of sizes or spreads that the same data in another order stays well within, and the rows
#: that it takes: a standard deviation of n values that two labels share is within 1.5 times another's from 20 on.
_OTHER_SCALE: Final = math.log(1.5)
_ENOUGH: Final = 64
#: Difference of two mean correlations from which on they are those of other neighbours.
_OTHER_AXES: Final = 0.1
#: Batches with the same targets, and targets of one, from which on these are no data.
_BATCHES: Final = 3
_MANY: Final = 8
#: What follows from holding a part of the data back.
_FOLLOW: Final = frozenset({"data.samples_per_epoch", "data.partial_batches"})
#: What follows where equal inputs were seen to have other targets.
_OF_TARGETS: Final = frozenset({"data.target.scale", "data.target.range", "data.target.mean"})
#: Standard errors beyond which two means differ, standard deviations from which on it is told, and how many times
#: one spread may be the other.
_ERRORS: Final = 5.0
_SHIFTED: Final = 0.1
_SAME_SPREAD: Final = 1.5
#: What a part of the data held back counts for: half, as what is left is of the same law. Set by hand: too much behind
#: what is not (another scale, sorted data) to need a finer size.
_HELD: Final = 0.5


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """What the two are fed differently; of inputs nothing that follows from how one side rounds them."""
    rounded = precision.of_inputs(a, b) is not None
    found = [one for one in _causes(a, b) if not (rounded and one.parameter.startswith("data.input"))]
    yield from gathered(found)


def _masked_unseen(a: Profile, b: Profile) -> bool:
    """Whether a mask leaves targets out of one side's loss, and what the other's loss is of nobody knows."""
    masked = [any(("factor", "weight0") in one.arrays for one in side.evidence.steps) for side in (a, b)]
    other = (a, b)[masked.index(False)] if masked[0] != masked[1] else None
    return other is not None and not (other.loss and other.loss[0].explains)


def _places(side: Profile) -> bool:
    """Whether the targets are the same different numbers in every batch: places in it, as of pairs of a batch."""
    found = [target.ravel() for one in side.evidence.steps if (target := target_of(one)) is not None]
    whole = [one for one in found if one.shape == found[0].shape]
    return (
        len(whole) >= _BATCHES
        and whole[0].size >= _MANY
        and np.unique(whole[0]).size == whole[0].size
        and all(np.array_equal(one, whole[0]) for one in whole)
    )


def _causes(a: Profile, b: Profile) -> Iterator[Cause]:
    # The recorded batch is not what the network is fed, or one of several.
    if any(side.value(CHANGED) or passes_apart(side) for side in (a, b)):
        yield from (cause for cause in _scale(a, b) if cause.parameter in _OF_TARGETS)
        yield from (*shuffled.causes(a, b), *_portions(a, b))
        return
    rows = list(content.causes(a, b))
    targets = [] if rows else list(pairing.causes(a, b))
    known = _OF_TARGETS if any(cause.parameter in pairing.TARGETS for cause in targets) else frozenset[str]()
    shares = [] if rows or targets else list(class_shares.causes(a, b))
    unknown = _masked_unseen(a, b) or any(matched.asks(side) or _places(side) for side in (a, b))
    unknown = unknown or _masked_and_picked(a, b)
    known = class_shares.FOLLOW if shares else _OF_TARGETS if unknown else known
    scaled = [cause for cause in _scale(a, b) if cause.parameter not in known]
    yield from scaled
    yield from _axes(a, b)
    yield from shuffled.causes(a, b)
    yield from (*rows, *targets)
    if not rows and not scaled:
        yield from evaluated.causes(a, b)
    parts = [] if shares else [cause for cause in _other_part(a, b) if cause.parameter not in known]
    held = [cause for cause in _held_out(a, b) if cause.parameter not in known]
    kept_back = [*shares, *parts, *held]
    yield from kept_back
    if not (rows or scaled or targets or shares):
        yield from _other_numbers(a, b, moved=bool(parts))
    for cause in _portions(a, b):
        if not (kept_back and cause.parameter in _FOLLOW):
            yield cause


def _other_numbers(a: Profile, b: Profile, *, moved: bool) -> Iterator[Cause]:
    """What is of one scale and one order, and is not the same: by the rows that both know, else by the columns."""
    found = [*columns.width(a, b), *matched.causes(a, b)]
    yield from found or ([] if moved else columns.causes(a, b))


def _scale(a: Profile, b: Profile) -> Iterator[Cause]:
    for name in ("data.input", "data.target"):
        columns = between(a, b, f"{name}.columns")
        if columns is None or columns[0].value != columns[1].value:
            continue
        rms, centre = between(a, b, f"{name}.rms"), between(a, b, f"{name}.mean")
        if rms is None or centre is None or min(rms[0].value, rms[1].value) <= 0:
            continue
        ratio = abs(math.log(rms[1].value / rms[0].value))
        if ratio > _OTHER_SCALE + max(_drift(side, name) for side in (a, b)):
            effect = f"values are {math.exp(ratio):.3g} times as large on one side"
            cause = Cause("DATA-00", f"{name}.scale", (rms[0].value, rms[1].value), min(2.0, ratio), effect)
            yield _other_classes(a, b, name, cause) or cause
        elif (ratio := _spread_apart(a, b, name)) > _OTHER_SCALE:
            values = [side.value(f"{name}.range") for side in (a, b)]
            effect = f"values are spread {math.exp(ratio):.3g} times as widely on one side: coded or scaled otherwise"
            yield Cause("DATA-00", f"{name}.range", (values[0], values[1]), min(2.0, ratio), effect)


def _other_classes(a: Profile, b: Profile, name: str, scaled: Cause) -> Cause | None:
    """Class numbers of one range in other shares, where a part of the rows is held back as they lie: no scale."""
    ranges, splits = [side.value(f"{name}.range") for side in (a, b)], _splits(a, b)
    whole = all(float(end).is_integer() for ends in ranges for end in ends or (0.5,))
    if name != "data.target" or not whole or ranges[0] != ranges[1] or not any(splits) or splits[0] == splits[1]:
        return None
    effect = "the classes come in other shares: the rows that are held back are the last ones of sorted data"
    return Cause("DATA-03", "data.validation_split", (splits[0], splits[1]), min(1.0, scaled.weight), effect)


def _drift(side: Profile, name: str) -> float:
    """Logarithm of the ratio of the largest batch to the smallest where data comes sorted, else 0.

    Batches of sorted data are no sample of it: those that were not recorded may be beyond these by as much as
    these are apart. Sorted class numbers begin at nothing at all, and what they come to cannot be told.
    """
    sizes = side.value(f"{name}.batches")
    if sizes is None or side.value("data.sorted", 0.0) <= SORTED / 2:
        return 0.0
    return math.log(sizes[1] / sizes[0]) if sizes[0] > 0 else math.inf


def _axes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Inputs of the same extents whose neighbours are none on the other side: reshaped where axes were to be moved.

    In whichever order the two have their axes, some order makes what is one data set agree.
    """
    both, many = between(a, b, "data.input.axes"), between(a, b, "data.input.axes.rows")
    sorted_ = max(side.value("data.sorted", 0.0) for side in (a, b))
    if both is None or many is None or len(both[0].value) != len(both[1].value) or sorted_ > SORTED / 2:
        return
    left, right = ([(one["extent"], one["alike"]) for one in fact.value] for fact in both)
    ways = [way for way in itertools.permutations(right) if [n for n, _ in way] == [n for n, _ in left]]
    off = min((_unlike(left, way) for way in ways), default=0.0)
    if off > max(_OTHER_AXES, *(_ERRORS / math.sqrt(fact.value) for fact in many)):
        values = tuple(", ".join(_along(*axis) for axis in side) for side in (left, right))
        effect = "neighbours on one side are none on the other: reshaped where axes were to be moved, or noise is added"
        yield Cause("DATA-00", "data.input.axes", (values[0], values[1]), min(1.0, off), effect)


def _unlike(left: Sequence[tuple[int, float | None]], right: Sequence[tuple[int, float | None]]) -> float:
    """The largest difference of what neighbours have in common along one axis."""
    pairs = [(one, other) for (_, one), (_, other) in zip(left, right, strict=True)]
    return max((abs(one - other) for one, other in pairs if one is not None and other is not None), default=0.0)


def _along(extent: int, alike: float | None) -> str:
    return f"{extent}" if alike is None else f"{extent} ({alike:.2f} alike)"


def _spread_apart(a: Profile, b: Profile, name: str) -> float:
    """Logarithm of the ratio of two standard deviations: labels of -1 and 1 are as large as 1, and twice as far apart.

    Of shuffled batches: those of one class have no spread.
    """
    both, sorted_ = between(a, b, f"{name}.std"), max(side.value("data.sorted", 0.0) for side in (a, b))
    if both is None or sorted_ > SORTED / 2 or min(fact.value for fact in both) <= 0:
        return 0.0
    if min(side.value(f"{name}.rows", 0) for side in (a, b)) < _ENOUGH:
        return 0.0
    return abs(math.log(both[1].value / both[0].value))


def _picks(a: Profile, b: Profile) -> bool:
    """Whether the losses are of as many samples, and one side's are some of a batch: the labelled nodes of a graph."""
    rows = between(a, b, "data.of_loss")
    few = rows is not None and any(side.value("data.of_loss") < side.value("data.batch_size", 0) for side in (a, b))
    return rows is not None and few and rows[0].value == rows[1].value


def _masked_and_picked(a: Profile, b: Profile) -> bool:
    """Whether one side's loss is of some rows of a batch, and the other masks what it leaves out: labelled nodes."""
    few = [0 < side.value("data.of_loss", 0) < side.value("data.batch_size", 0) for side in (a, b)]
    masked = [any(("factor", "weight0") in one.arrays for one in side.evidence.steps) for side in (a, b)]
    return (few[0] and masked[1]) or (few[1] and masked[0])


def _portions(a: Profile, b: Profile) -> Iterator[Cause]:
    size = between(a, b, "data.batch_size")
    alike = bool(step_rows(a) & step_rows(b))
    if size is not None and size[0].value != size[1].value and not alike and not _picks(a, b):
        ratio = abs(math.log(size[1].value / size[0].value))
        effect = f"batches of {size[0].value} against {size[1].value}: {math.exp(ratio):.3g} times the steps"
        yield Cause("DATA-02", "data.batch_size", (size[0].value, size[1].value), min(1.0, 0.3 * ratio), effect)
        return
    samples = between(a, b, "data.samples_per_epoch")
    if samples is not None and samples[0].value != samples[1].value:
        if not _of_several_calls(a, b, samples[0].value, samples[1].value):
            yield _left_out(a, b, samples[0].value, samples[1].value)
        return
    partial = between(a, b, "data.partial_batches")
    if partial is None:
        yield from tails.causes(a, b)
    elif bool(partial[0].value) != bool(partial[1].value):
        usual = size[0].value if size else 1
        part = max([*partial[0].value, *partial[1].value]) / usual if usual else 0.0
        effect = f"a last batch of {percent(part)} of the others is left out on one side"
        yield Cause(
            "DATA-02", "data.partial_batches", (partial[0].value, partial[1].value), 0.006, effect, confidence=0.7
        )


def _of_several_calls(a: Profile, b: Profile, left: int, right: int) -> bool:
    """Whether one side counts what each of a step's calls is given: anchors, positives and negatives, say."""
    calls = max((int(one.facts.get("forwards") or 1) for one in (a if left > right else b).evidence.steps), default=1)
    return calls > 1 and max(left, right) == calls * min(left, right)


def _left_out(a: Profile, b: Profile, left: int, right: int) -> Cause:
    """Fewer samples in an epoch: a last batch is dropped, or, of more than a batch, other rows are trained on."""
    missing, most = abs(left - right), max(left, right)
    weight = max(0.005, missing / most) * (1 + 3 * max(a.value("data.sorted", 0.0), b.value("data.sorted", 0.0)))
    batch = max(float(a.value("data.batch_size") or 0), float(b.value("data.batch_size") or 0))
    entry, effect = "DATA-02", f"{percent(missing / most)} of the samples of an epoch are left out on one side"
    if batch and missing > batch:
        entry, effect = "DATA-03", f"{effect}, more than a batch: another part of the data is trained on"
        fewer = a if left < right else b
        if missing in _evaluated(fewer):
            effect = f"one side trains on {missing} samples more, as many as the other one keeps for its evaluation"
    return Cause(entry, "data.samples_per_epoch", (left, right), weight, effect)


def _evaluated(side: Profile) -> set[int]:
    """How many samples its evaluations had."""
    told = [dict(event.fields).get("samples") for event in side.events if event.type == "evaluation"]
    return {int(one) for one in told if isinstance(one, (int, float))}


def _held_out(a: Profile, b: Profile) -> Iterator[Cause]:
    for side, other, mine in ((a, b, True), (b, a, False)):
        held = side.value("data.held_out")
        if held and not other.value("data.held_out"):
            values = (held, 0.0) if mine else (0.0, held)
            effect = f"{percent(float(held))} of the training data is held out for early stopping"
            weight = _HELD * float(held)
            known = _counted(a, b, (float(values[0]), float(values[1])))
            yield Cause("SCH-04", "data.held_out", (values[0], values[1]), weight, effect, known)
    splits = _splits(a, b)
    if None not in splits and splits[0] != splits[1]:
        parts = (float(splits[0] or 0), float(splits[1] or 0))
        yield Cause("DATA-03", "data.validation_split", (splits[0], splits[1]), _HELD * abs(parts[0] - parts[1]),
                    "another part of the data is trained on", _counted(a, b, parts))  # fmt: skip


def _counted(a: Profile, b: Profile, parts: tuple[float, float]) -> How:
    """Whether the samples of an epoch are those of one set of data with such parts held back, to one sample."""
    samples = between(a, b, "data.samples_per_epoch")
    if samples is None:
        return "declared"
    whole = [fact.value / (1 - part) if part < 1 else 0.0 for fact, part in zip(samples, parts, strict=True)]
    slack = sum(1 / (1 - part) for part in parts if part < 1)
    return "measured" if abs(whole[0] - whole[1]) <= slack else "declared"


def _splits(a: Profile, b: Profile) -> list[Any]:
    return [side.value("data.declared.validation_split") for side in (a, b)]


def _other_part(a: Profile, b: Profile) -> Iterator[Cause]:
    """Values of the same scale with other centres: another part of the data is trained on.

    Of shuffled batches alone, whose mean is that of the data but for chance.
    """
    if max(a.value("data.sorted", 0.0), b.value("data.sorted", 0.0)) > SORTED / 2:
        return
    name, shift = max(((one, _shift(a, b, one)) for one in ("data.target", "data.input")), key=lambda found: found[1])
    if shift > _SHIFTED:
        splits = _splits(a, b)
        entry = "DATA-03" if splits[0] or splits[1] else "DATA-00"
        effect = f"means of {name.removeprefix('data.')} columns are {shift:.2g} standard deviations apart"
        values = tuple(splits) if entry == "DATA-03" else tuple(side.value(f"{name}.mean") for side in (a, b))
        yield Cause(entry, "data.validation_split" if entry == "DATA-03" else f"{name}.mean",
                    (values[0], values[1]), min(1.0, shift), effect)  # fmt: skip


def _shift(a: Profile, b: Profile, name: str) -> float:
    """The largest distance of two columns' means in standard deviations; 0 where chance explains it."""
    sides = [[side.value(f"{name}.{part}") for part in ("centres", "spreads", "rows")] for side in (a, b)]
    if any(part is None for side in sides for part in side) or len(sides[0][0]) != len(sides[1][0]):
        return 0.0
    if len(sides[0][0]) > 1 and a.value("data.features") != b.value("data.features"):
        return 0.0  # images with their channels first and last: one column is not the same on both sides
    (left, spread, many), (right, other, more) = ([np.asarray(part, np.float64) for part in side] for side in sides)
    common = np.maximum(spread, other)
    ratio = np.maximum(spread, other) / np.maximum(np.minimum(spread, other), 1e-300)
    apart = np.divide(np.abs(left - right), common, out=np.zeros_like(common), where=common > 0)
    apart = np.where(ratio < _SAME_SPREAD, apart, 0.0)  # of another scale: told as such
    chance = _ERRORS * np.sqrt(1 / many + 1 / more) * np.sqrt(np.log(max(2, apart.size)))
    largest = float(apart.max(initial=0.0))
    return largest if largest > chance else 0.0
