"""What the rows of the batches are, beyond their scale: rounded, rearranged, drawn anew, their own target: DATA-00."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from auditor.compare.identify.arrays import ways
from auditor.compare.identify.evidence import F64, data, targets_of
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent
from auditor.compare.recognise.step_rows import step_rows

#: Rows that it takes to say anything of them, and that are looked at.
_FEWEST: Final = 32
_MOST: Final = 4096
#: Part of the rows whose numbers differ from one another on the one side, and are the same few on the other: as many
#: values as rows are those of a continuous quantity, a fifth of that are steps.
_MANY: Final = 0.5
_FEW: Final = 0.2
#: Columns that are looked at for it.
_COLUMNS: Final = 64
#: Standard deviation of what rounding to steps of one takes off: uniform over a step.
_ROUNDED: Final = 1 / math.sqrt(12)
#: Units in the last place of float32 within which two of its numbers are neighbours.
_ULPS: Final = 1.5
#: Part of the rows of which something is so on one side, and at most on the other.
_ALWAYS: Final = 0.99
_HARDLY: Final = 0.05
#: Axes of a batch of words; also positions and words from which on it is one of sequences.
_SEQUENCES: Final = 2
#: Different numbers that a target has which is no class.
_VALUES: Final = 16
#: Rows that must be expected to come again, for their absence not to be chance: e^-12.
_AWAITED: Final = 12.0
_AGAIN: Final = 0.7
_NEVER: Final = 0.25
#: Of rows that a coin has changed fewer than all come again: at most this part of the awaited ones, by so many standard
#: errors fewer than on the other side. Half of them where half are flipped.
_SOMETIMES: Final = 0.75
_ERRORS: Final = 5.0
#: Batches that one side must have seen, each of them its own.
_BATCHES: Final = 4.0
#: What other rows in every epoch count for: noise that changes what is learnt, and leaves the aim. As dropout of a
#: fifth does: sqrt(p / (1 - p)), the weakest in use.
_DRAWN: Final = 0.5


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows of whole recorded batches in their shape: (rows, ...); with the targets of as many where all have one."""

    inputs: F64
    targets: F64 | None


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How rows of the two differ, where they are of one size."""
    yield from _unshifted(a, b)
    left, right = _rows(a), _rows(b)
    if left is None or right is None or min(len(left.inputs), len(right.inputs)) < _FEWEST:
        return
    yield from _given(left, right)
    if left.inputs[0].size != right.inputs[0].size:
        return
    yield from _resolution(left, right)
    yield from _arranged(left.inputs, right.inputs)
    yield from _drawn(a, b)
    yield from _one_batch(a, b, left, right)


def _rows(side: Profile) -> Rows | None:
    inputs: list[F64] = []
    targets: list[F64] = []
    for one in side.evidence.steps:
        batch, target = data(one, "batch"), data(one, "target")
        if batch is None or not batch.ndim or (inputs and batch.shape[1:] != inputs[0].shape[1:]):
            continue
        inputs.append(batch)
        if target is not None and len(targets_of(one)) == 1 and target.ndim and len(target) == len(batch):
            targets.append(target.reshape(len(target), -1))
    if not inputs:
        return None
    paired = len(targets) == len(inputs) and len({target.shape[1] for target in targets}) == 1
    return Rows(np.concatenate(inputs)[:_MOST], np.concatenate(targets)[:_MOST] if paired else None)


# -- targets that are among the inputs ---------------------------------------------------------


def _given(a: Rows, b: Rows) -> Iterator[Cause]:
    places = [_place(side) for side in (a, b)]
    if (places[0] is None) == (places[1] is None) or a.targets is None or b.targets is None:
        return
    words = tuple("none of the inputs" if place is None else f"input {place}" for place in places)
    effect = "the target is one of its own inputs on one side: taken a step too early, or left among the features"
    yield Cause("DATA-00", "data.target.given", (words[0], words[1]), 1.0, effect)


def _unshifted(a: Profile, b: Profile) -> Iterator[Cause]:
    """Sequences of words whose targets are the words themselves on one side: not taken one step after them."""
    parts = [part for side in (a, b) if (part := _copied(side)) is not None]
    if len(parts) < len("ab") or min(parts) > 1 / 2 or max(parts) < _ALWAYS:
        return
    words = tuple("the inputs themselves" if part >= _ALWAYS else "other words" for part in parts)
    effect = "the target at each position is the input at that position on one side: nothing is left to predict"
    yield Cause("DATA-00", "data.target.given", (words[0], words[1]), 1.0, effect)


def _copied(side: Profile) -> float | None:
    """The part of the words of sequences that their targets repeat; None where inputs are no sequences of words."""
    same: list[bool] = []
    for one in side.evidence.steps:
        batch, target = data(one, "batch"), data(one, "target")
        if batch is None or target is None or batch.ndim != _SEQUENCES or batch.shape[1] < _SEQUENCES:
            continue
        if batch.size == target.size and np.array_equal(batch, np.round(batch)) and np.unique(batch).size > _SEQUENCES:
            same += (batch.ravel() == target.ravel()).tolist()
    return float(np.mean(same)) if len(same) >= _FEWEST else None


def _place(side: Rows) -> int | None:
    """Which number of each input is its target; None if none is."""
    if side.targets is None or side.targets.shape[1] != 1:
        return None
    target = side.targets.astype(np.float32)
    if len(np.unique(target)) < _VALUES:
        return None
    same = (side.inputs.reshape(len(side.inputs), -1).astype(np.float32) == target).mean(axis=0)
    best = int(np.argmax(same))
    return best if same[best] >= _ALWAYS else None


# -- values rounded to steps -------------------------------------------------------------------


def _resolution(a: Rows, b: Rows) -> Iterator[Cause]:
    """A continuous quantity on one side, a few steps of it on the other: cast, counted or rounded."""
    if a.inputs.shape[1:] != b.inputs.shape[1:] or a.inputs[0].size > _COLUMNS:
        return
    sides = [side.inputs.reshape(len(side.inputs), -1) for side in (a, b)]
    rows = [_different(side) for side in (a, b)]
    worst, told, cast = 0.0, (0, 0), False
    for column in range(sides[0].shape[1]):
        values = [np.unique(side[:, column]) for side in sides]
        parts = [len(value) / many for value, many in zip(values, rows, strict=True)]
        if max(parts) < _MANY or min(parts) > _FEW * max(parts):
            continue
        coarse = int(np.argmin(parts))
        if not _fractions(values[1 - coarse]):
            continue  # counts and words: how many there are is the sample's doing
        spread = float(sides[1 - coarse][:, column].std())
        step = float(np.ptp(sides[1 - coarse][:, column])) / max(1, len(values[coarse]) - 1)
        size = 1.0 if spread <= 0 else min(1.0, _ROUNDED * step / spread)
        if size > worst:
            worst, told, cast = size, (len(values[0]), len(values[1])), _single(values[coarse])
    if worst and cast:
        effect = f"float32 has no numbers between a few steps on one side: off by {percent(worst)} of their spread"
        words = tuple(f"{many} different values" for many in told)
        yield Cause("DATA-04", "data.input.resolution", (words[0], words[1]), worst, effect)
    elif worst:
        effect = f"values are rounded to a few steps on one side: off by {percent(worst)} of their spread"
        words = tuple(f"{many} different values" for many in told)
        yield Cause("DATA-00", "data.input.resolution", (words[0], words[1]), worst, effect)


def _single(values: F64) -> bool:
    """Whether sorted values lie as close to each other as float32 has numbers: of time stamps, 128 seconds apart."""
    largest = np.float32(np.abs(values).max(initial=0.0))
    return len(values) > 1 and bool(np.diff(values).min() < _ULPS * np.spacing(largest))


def _fractions(values: F64) -> bool:
    return bool((values != np.round(values)).mean() >= _MANY)


def _different(side: Rows) -> int:
    """How many different samples there are; two of one input may still have targets of their own."""
    flat = side.inputs.reshape(len(side.inputs), -1)
    return len(np.unique(flat if side.targets is None else np.hstack([flat, side.targets]), axis=0))


# -- numbers in other places -------------------------------------------------------------------


def _arranged(a: F64, b: F64) -> Iterator[Cause]:
    """Rows of the same numbers of which none stands as on the other side, whichever axes come first."""
    if a[0].size < 2:
        return
    left, right = _known(a), _known(b)
    common = [key for key in left if key in right and left[key] >= 0 and right[key] >= 0]
    if len(common) < _FEWEST:
        return
    mine, theirs = a[[left[key] for key in common]], b[[right[key] for key in common]]
    mine, theirs = mine.astype(np.float32), theirs.astype(np.float32)  # one of them may have been cast
    apart = [(turned != mine).reshape(len(mine), -1) for turned in ways(mine, theirs)]
    if not apart or min(float(off.any(axis=1).mean()) for off in apart) < 1 - _HARDLY:
        return
    part = min(float(off.mean()) for off in apart)
    effect = f"inputs of the same numbers have {percent(part)} of them in other places: reversed, or channels swapped"
    yield Cause("DATA-00", "data.input.arrangement", ("in order", "otherwise"), max(part, _FEW), effect)


def _known(rows: F64) -> dict[bytes, int]:
    """Where the row of such numbers is, by the numbers sorted; -1 where different rows have the same numbers."""
    flat = np.ascontiguousarray(rows.reshape(len(rows), -1), np.float32) + np.float32(0.0)
    found: dict[bytes, int] = {}
    for at, (row, ordered) in enumerate(zip(flat, np.sort(flat, axis=1), strict=True)):
        key = ordered.tobytes()
        if ordered[0] == ordered[-1]:
            continue  # of one number in all places there is one order
        if key in found and found[key] >= 0 and not np.array_equal(flat[found[key]], row):
            found[key] = -1
        found.setdefault(key, at)
    return found


# -- rows that come once -----------------------------------------------------------------------


def _drawn(a: Profile, b: Profile) -> Iterator[Cause]:
    """Rows that come again in every epoch on one side and never on the other: augmented, or drawn anew."""
    if any(_draws(side) for side in (a, b)):
        return  # a layer draws them anew where the other side's program may do so before the model
    told = [_again(side, other) for side, other in ((a, b), (b, a))]
    if None in told:
        return
    parts = [min(1.0, one.part) for one in told if one is not None]  # of one order that repeats all come, not a share
    counted = _samples(a) == _samples(b) is not None  # how many are awaited is as sure as the rows of an epoch are
    errors = [one.error for one in told if one is not None]
    apart = counted and max(parts) - min(parts) > _ERRORS * math.hypot(*errors)
    if max(parts) < _AGAIN or min(parts) > (_SOMETIMES if apart else _NEVER):
        return
    words = tuple(f"{percent(min(1.0, part))} of the awaited rows" for part in parts)
    effect = "the rows of one epoch come again in the next on one side, others on the other: augmented, or drawn anew"
    yield Cause("DATA-00", "data.input.repeats", (words[0], words[1]), _DRAWN, effect)


def _draws(side: Profile) -> bool:
    """Whether the model changes its inputs at random: noise, images that are turned and cut, or what nobody knows."""
    classes = [str(one.get("class")).rpartition(".")[2] for one in side.layers]
    return 0 in side.structure.own or any(name.startswith(("Random", "GaussianNoise", "Augment")) for name in classes)


def _one_batch(a: Profile, b: Profile, left: Rows, right: Rows) -> Iterator[Cause]:
    """One batch again and again, where the other side sees others: the loader is begun anew, or cut at one place.

    A batch of all the data comes again by its nature: it is another size (DATA-02).
    """
    sizes = [side.value("data.batch_size", 0) for side in (a, b)]
    if any(size and size == _samples(side) for side, size in zip((a, b), sizes, strict=True)):
        return
    batches = [_different(side) / size if size else 0.0 for side, size in zip((left, right), sizes, strict=True)]
    rows = [len(side.inputs) / size if size else 0.0 for side, size in zip((left, right), sizes, strict=True)]
    if min(rows) < _BATCHES or not 0 < min(batches) <= 1 or max(batches) < _BATCHES:
        return
    words = tuple("one batch" if many <= 1 else f"{many:.3g} batches" for many in batches)
    effect = "one and the same batch is trained on at every recorded step of one side"
    yield Cause("DATA-00", "data.input.batches", (words[0], words[1]), 1.0, effect)


@dataclass(frozen=True, slots=True)
class Again:
    """The part of the awaited rows that came again, with its standard error: each row comes or does not."""

    part: float
    error: float


def _again(side: Profile, other: Profile) -> Again | None:
    """How many of the rows of the first epoch that are awaited later come; None where too few are.

    Awaited in whichever order they come: as many as the first epoch's recorded rows are of all; and of one order
    that repeats, those of the steps at the same places in it.
    """
    samples = _samples(side) or _samples(other)
    batch = min(step_rows(side), default=0)
    if not samples or not batch:
        return None
    seen: set[bytes] = set()
    later: list[bytes] = []
    epoch = _epoch(side, samples, batch)
    places: set[int] = set()
    placed = 0
    for one in side.evidence.steps:
        rows = data(one, "batch")
        if rows is None or not rows.ndim:
            continue
        keys = [row.tobytes() for row in np.ascontiguousarray(rows.reshape(len(rows), -1), np.float32)]
        if one.step <= epoch:
            seen.update(keys)
            places.add(one.step % epoch)
        else:
            later += keys
            placed += len(keys) * (one.step % epoch in places)
    awaited = min(float(placed), len(later) * min(1.0, len(seen) / samples))
    if awaited < _AWAITED:
        return None
    came = sum(key in seen for key in later)
    scatter = math.sqrt(max(1.0, came * (1 - came / len(later))))
    return Again(came / awaited, scatter / awaited)


def _epoch(side: Profile, samples: int, batch: int) -> int:
    """Steps of the first epoch: as many as it takes for so many samples, of batches as they came where that is told."""
    sizes = side.curves.get("samples")
    if sizes is not None and len(sizes.steps) and np.array_equal(sizes.steps, np.arange(1, len(sizes.steps) + 1)):
        reached = np.flatnonzero(np.cumsum(sizes.values) >= samples)
        if len(reached):
            return int(reached[0]) + 1
    return max(1, math.ceil(samples / batch))


def _samples(side: Profile) -> int | None:
    """Rows of an epoch, as counted or declared."""
    found = side.value("data.samples_per_epoch") or side.value("data.declared.samples")
    return int(found) if isinstance(found, (int, float)) and found > 0 else None
