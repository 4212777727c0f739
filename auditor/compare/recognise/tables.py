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
    batch, table = _batch(step), _gradient(side, step)
    if batch is None or table is None or batch.max() >= len(table) or not (batch == 0).any():
        return None
    moved: npt.NDArray[np.bool_] = np.asarray(table.any(axis=1))
    occurs = np.zeros(len(table), np.bool_)
    occurs[batch.astype(np.int64).ravel()] = True
    if moved[~occurs].any() or not moved[1:].any():
        return None
    return not moved[0]


def _gradient(side: Profile, step: StepRecording) -> F64 | None:
    """The gradient of the one table that a run has; None of several, and where it was not recorded whole."""
    layers = [one for one in side.layers if words.kind_of(one.get("class")) == "embedding"]
    if len(layers) != 1:
        return None
    name = str(layers[0].get("path") or layers[0].get("name"))
    found = [one for key, one in step.of("gradient").items() if key.startswith((f"{name}.", f"{name}/"))]
    known = len(found) == 1 and len(found[0].shape) == _TABLE and not found[0].sampled and found[0].values is not None
    return np.asarray(found[0].whole(), np.float64) if known else None


def _batch(step: StepRecording) -> F64 | None:
    """The words of a step, where they are all that the model is given."""
    batch = data(step, "batch") if len(step.of("batch")) == 1 else None
    if batch is None or batch.ndim != _TABLE or not np.array_equal(batch, np.round(batch)) or batch.min() < 0:
        return None
    return batch if len(np.unique(batch)) >= _WORDS else None


def _share(side: Profile) -> float:
    """The part of the words that are padding, in the first recorded batch of words."""
    found = (batch for one in side.evidence.steps if (batch := _batch(one)) is not None)
    return next((float((batch == 0).mean()) for batch in found), 0.0)
