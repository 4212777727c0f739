"""What the first evaluation is given, held against what the model is trained on: scaled otherwise on one side alone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent

#: Ratio of two sizes that a held-out part of the same data stays well within, and one that nothing but a scale makes.
_ALIKE: Final = math.log(1.5)
_OTHER: Final = math.log(2.5)
#: Values, and rows, that it takes.
_VALUES: Final = 32
_ROWS: Final = 16
#: Axes of rows of features.
_FEATURES: Final = 2
#: Correlation of two columns that are one column in other units, and the part of the columns that are.
_LINEAR: Final = 0.9999
_MOST: Final = 0.9
#: Relative distance of values that were rounded on their way: to bfloat16, the coarsest.
_ROUNDED: Final = 2.0**-7
#: What wrong answers in evaluation count for where training is the same: as evaluation in the wrong mode does.
_WEIGHT: Final = 0.4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Inputs of evaluation of another scale than those of training, on one side; the same rows in other units."""
    looked = [side.evaluation for side in (a, b)]
    if looked[0] is None or looked[1] is None:
        return
    step = max(looked[0].step, looked[1].step)
    sizes = [_against(side) for side in (a, b)]
    if None not in sizes:
        ratios = [size or 1.0 for size in sizes]
        apart = sorted(abs(math.log(ratio)) for ratio in ratios)
        if apart[0] <= _ALIKE and apart[1] >= _OTHER:
            effect = (
                f"evaluation is given inputs {math.exp(apart[1]):.3g} times as large or small as training, on one side"
            )
            yield Cause("DATA-00", "data.evaluation.scale", (ratios[0], ratios[1]), _WEIGHT, effect, step=step)
            return
    units = [_targets_against(side) for side in (a, b)]
    if None not in units:
        ratios = [size or 1.0 for size in units]
        apart = sorted(abs(math.log(ratio)) for ratio in ratios)
        if apart[0] <= _ALIKE and apart[1] >= _OTHER:
            effect = (
                f"targets of the evaluation are {math.exp(apart[1]):.3g} times as large or small as those of training, "
                "on one side: its loss is in other units"
            )
            yield Cause("DATA-00", "data.evaluation.target", (ratios[0], ratios[1]), _WEIGHT, effect, step=step)
            return
    seen = [_of_training(side) for side in (a, b)]
    if None not in seen and seen[0] != seen[1]:
        words = tuple("rows of training" if one else "other rows" for one in seen)
        effect = "the rows of the evaluation are those of training, on one side"
        yield Cause("DATA-03", "data.evaluation.rows", (words[0], words[1]), _WEIGHT, effect, step=step)
        return
    off = _other_units(a, b)
    if off is not None:
        effect = f"evaluation is given the same rows in other units: values are off by {percent(off)}"
        words = ("one scale", "another")
        yield Cause("DATA-00", "data.evaluation.units", words, min(_WEIGHT, off), effect, step=step)


def _of_training(side: Profile) -> bool | None:
    """Whether the first evaluation's rows were trained on; None if too few of either are known to tell.

    Of rows of training as many come again as are recorded of all; of others, that are no words, none. After the last
    step a program may look at the rows of training first, and then at the others: that is no validation.
    """
    looked, samples = _inputs(side), side.value("data.samples_per_epoch")
    batches = [batch for one in side.evidence.steps if (batch := data(one, "batch")) is not None and batch.ndim > 1]
    if looked is None or looked.ndim < _FEATURES or not batches or not samples or batches[0].size < _VALUES:
        return None
    trained = {row.tobytes() for batch in batches for row in np.ascontiguousarray(batch, np.float32)}
    again = sum(row.tobytes() in trained for row in np.ascontiguousarray(looked, np.float32))
    expected = len(looked) * min(1.0, len(trained) / float(samples))
    if expected < _ROWS:
        return None
    if again >= expected / 2:
        return None if _at_the_end(side) else True
    return False if not again else None


def _at_the_end(side: Profile) -> bool:
    return side.evaluation is not None and side.last_step is not None and side.evaluation.step >= side.last_step


def _inputs(side: Profile) -> F64 | None:
    """The first batch of the first evaluation, in its shape where it is whole, else a sample of its values."""
    found = None if side.evaluation is None else side.evaluation.of("batch")
    first = next(iter(found.values()), None) if found else None
    if first is None or first.values is None:
        return None
    return np.asarray(first.values if first.sampled else first.whole(), np.float64)


def _against(side: Profile) -> float | None:
    """How many times as large the inputs of evaluation are as those of training: no words, which have no size."""
    found, trained = _inputs(side), side.value("data.input.rms")
    if found is None or found.size < _VALUES or not trained or _rows(side) < _ROWS or _words(side, found):
        return None
    size = float(np.sqrt(np.mean(found * found)))
    return size / float(trained) if np.isfinite(size) and size > 0 else None


def _targets_against(side: Profile) -> float | None:
    """How many times as large the targets of evaluation are as those of training: of quantities, no classes."""
    found = None if side.judged is None else next(iter(side.judged.of("target").values()), None)
    trained = side.value("data.target.rms")
    if found is None or found.values is None or not trained or not found.shape or found.shape[0] < _ROWS:
        return None
    columns = side.value("data.target.columns")
    if columns is not None and math.prod(found.shape[1:]) != columns:
        return None  # of a loss of two parts the target of the other one: shares beside class numbers
    values = np.asarray(found.values, np.float64)
    if np.array_equal(values, np.round(values)):
        return None
    size = float(np.sqrt(np.mean(values * values)))
    return size / float(trained) if np.isfinite(size) and size > 0 else None


def _rows(side: Profile) -> int:
    """Samples of that batch: a shape that is tried out has few."""
    found = {} if side.evaluation is None else side.evaluation.of("batch")
    return next((one.shape[0] for one in found.values() if one.shape), 0)


def _words(side: Profile, looked: F64) -> bool:
    """Whether both are whole numbers, as those of words are: padding makes them large or small."""
    trained = next((batch for one in side.evidence.steps if (batch := data(one, "batch")) is not None), None)
    return trained is not None and all(np.array_equal(each, np.round(each)) for each in (trained, looked))


def _other_units(a: Profile, b: Profile) -> float | None:
    """The relative distance of the first rows, where each column of one is linear in the same column of the other."""
    left, right = _inputs(a), _inputs(b)
    if left is None or right is None or left.ndim < 2 or left.shape[1:] != right.shape[1:]:
        return None
    rows = min(len(left), len(right))
    if rows < _ROWS:
        return None
    mine, theirs = (side[:rows].reshape(rows, -1) for side in (left, right))
    spread = (mine.std(axis=0) > 0) & (theirs.std(axis=0) > 0)
    if not spread.any():
        return None
    centred = [side[:, spread] - side[:, spread].mean(axis=0) for side in (mine, theirs)]
    lengths = [np.linalg.norm(side, axis=0) for side in centred]
    linear = np.abs((centred[0] * centred[1]).sum(axis=0) / (lengths[0] * lengths[1])) >= _LINEAR
    off = float(np.linalg.norm(mine - theirs) / max(np.linalg.norm(mine), np.linalg.norm(theirs)))
    return off if linear.mean() >= _MOST and off > _ROUNDED and np.isfinite(off) else None
