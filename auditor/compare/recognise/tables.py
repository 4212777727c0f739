"""The row of padding in a table of words: trained on one side, at rest on the other (FWD-21), by its gradients.

``padding_idx`` and ``mask_zero`` say little of it: the one cuts the row's gradient, the other only sends a mask along,
which a mean over the words obeys and a flatten does not; and a program may mask by hand with neither.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent
from auditor.compare.structure import Difference, words
from auditor.ingest.records import StepRecording

PARAMETER: Final = "embedding.padding"
_TABLE: Final = 2
#: Different words that a batch of them has at least: fewer may be classes or flags.
_WORDS: Final = 4


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Whether the row of word 0 takes part in the training, where that shows on both sides."""
    rests, share = [_rests(side) for side in (a, b)], max(_share(side) for side in (a, b))
    if None in rests or rests[0] == rests[1]:
        return
    said = tuple("the row of padding rests" if one else "the row of padding is trained" for one in rests)
    effect = f"{percent(share)} of the words are padding, whose row of the table only one side trains"
    yield Cause("FWD-21", PARAMETER, (said[0], said[1]), share, effect)


def measured(difference: Difference, a: Profile, b: Profile) -> bool:
    """Whether a difference is what two tables declare of their padding, while the numbers show what becomes of it."""
    one = difference.a or difference.b
    declared = one is not None and one.kind == "embedding" and difference.setting == "padding"
    return declared and None not in {_rests(a), _rests(b)}


def _rests(side: Profile) -> bool | None:
    """Whether the row of word 0 has no gradient where that word occurs; None where it cannot be told.

    Not where words that do not occur have gradients too: of a penalty, or of a table that is read as a whole.
    """
    found = [told for one in side.evidence.steps if (told := _still(side, one)) is not None]
    return all(found) if found else None


def _still(side: Profile, step: StepRecording) -> bool | None:
    batch = _batch(step)
    if batch is None or not (batch == 0).any():
        return None
    table = _gradient(side, step, batch)
    moved = None if table is None else _moved(table, batch)
    return None if moved is None else not moved[0]


def _moved(table: F64, batch: F64) -> npt.NDArray[np.bool_] | None:
    """Which rows have a gradient; None where others have than those of the words that occur: it is no table of them."""
    if batch.max() >= len(table):
        return None
    moved: npt.NDArray[np.bool_] = np.asarray(table.any(axis=1))
    occurs = np.zeros(len(table), np.bool_)
    occurs[batch.astype(np.int64).ravel()] = True
    return None if moved[~occurs].any() or not moved[1:].any() else moved


def _gradient(side: Profile, step: StepRecording, batch: F64) -> F64 | None:
    """The gradient of the one table that a run has; None of several, and where it was not recorded whole.

    Where the program has no layers, of the one matrix of which the rows of these words alone have one.
    """
    layers = [one for one in side.layers if words.kind_of(one.get("class")) == "embedding"]
    if not side.layers:
        matrices = [one for one in step.of("gradient").values() if len(one.shape) == _TABLE and not one.sampled]
        whole = [np.asarray(one.whole(), np.float64) for one in matrices if one.values is not None]
        tables = [one for one in whole if _moved(one, batch) is not None and not one.any(axis=1).all()]
        return tables[0] if len(tables) == 1 else None
    if len(layers) != 1:
        return None
    name = str(layers[0].get("path") or layers[0].get("name"))
    found = [one for key, one in step.of("gradient").items() if key.startswith((f"{name}.", f"{name}/"))]
    known = len(found) == 1 and len(found[0].shape) == _TABLE and not found[0].sampled and found[0].values is not None
    return np.asarray(found[0].whole(), np.float64) if known else None


def _batch(step: StepRecording) -> F64 | None:
    """The words of a step, where nothing else that the model is given looks like such."""
    given = [one for name in step.of("batch") if (one := data(step, "batch", name)) is not None]
    words_ = [one for one in given if one.ndim == _TABLE and _of_words(one)]
    return words_[0] if len(words_) == 1 else None


def _of_words(batch: F64) -> bool:
    whole = bool(batch.size) and np.array_equal(batch, np.round(batch)) and bool(batch.min() >= 0)
    return whole and len(np.unique(batch)) >= _WORDS


def _share(side: Profile) -> float:
    """The part of the words that are padding, in the first recorded batch of words."""
    found = (batch for one in side.evidence.steps if (batch := _batch(one)) is not None)
    return next((float((batch == 0).mean()) for batch in found), 0.0)
