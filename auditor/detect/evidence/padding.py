"""Padding that is counted as answers: sequences filled up to one length, whose filling is right for nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from auditor.detect.evidence.formulas import categorical_entropy
from auditor.detect.evidence.scored import Scored
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: Part of the positions that must be padding for it to drown the rest, and of the sequences that must hold some.
_SHARE: Final = 0.5
_ROWS: Final = 0.8
#: Part of the other positions that may have padding's class all the same.
_ELSEWHERE: Final = 0.05
#: Answers that must be no padding.
_FEWEST: Final = 50
#: Relative difference up to which the recorded loss is the plain mean over all positions.
_EXACT: Final = 1e-3


@dataclass(frozen=True, slots=True)
class Padded:
    """``share``: part of the positions that are padding. Of the others: ``right`` answers, ``commonest`` class.

    ``loss``: mean cross entropy, ``guess``: that of naming the classes by their shares.
    """

    share: float
    right: float
    commonest: float
    loss: float
    guess: float
    answers: int


def padded(view: RecordView, seen: Scored) -> Padded | None:
    """What the outputs of a recorded step are worth where there is no padding; None where none is counted.

    Counted it is where the recorded loss is the plain mean over all positions.
    """
    batch = next(iter(view.of("batch").values()), None)
    labels = seen.labels() if seen.family == "categorical" and seen.logits is not None else None
    if batch is None or batch.values is None or batch.sampled or len(batch.shape) != 2 or labels is None:
        return None
    given = batch.whole().reshape(batch.shape)
    if labels.size != given.size or seen.loss is None or seen.weights is not None or not _known(seen, labels):
        return None
    counted = categorical_entropy(seen.logits, seen.outputs, labels)
    filled = _filled(given)
    if filled is None or abs(counted - seen.loss) > _EXACT * abs(seen.loss):
        return None
    filled = filled.reshape(-1)
    own, others = np.unique(labels[filled]), ~filled
    if len(own) != 1 or others.sum() < _FEWEST or (labels[others] == own[0]).mean() > _ELSEWHERE:
        return None
    real, outputs = labels[others], seen.outputs[others]
    shares = np.unique(real, return_counts=True)[1] / len(real)
    right = float((outputs.argmax(axis=1) == real).mean())
    loss = categorical_entropy(seen.logits, outputs, real)
    guess = float(-(shares * np.log(shares)).sum())
    return Padded(float(filled.mean()), right, float(shares.max()), loss, guess, len(real))


def _known(seen: Scored, labels: F64) -> bool:
    return bool(labels.min() >= 0 and labels.max() < seen.classes and np.isfinite(seen.outputs).all())


def _filled(given: npt.NDArray[np.generic]) -> npt.NDArray[np.bool_] | None:
    """Where rows end, or begin, with one and the same number again and again; None where few do."""
    for turned in (True, False):
        rows = given[:, ::-1] if turned else given
        ends, counts = np.unique(rows[:, 0], return_counts=True)
        filling = ends[counts.argmax()]
        run = np.logical_and.accumulate(rows == filling, axis=1)
        if run[:, 0].mean() >= _ROWS and _SHARE <= run.mean() < 1:
            return run[:, ::-1] if turned else run
    return None
