"""Evaluations: what an estimator predicted, once somebody compares it with targets.

``score``, early stopping and the functions of ``sklearn.metrics`` meet in the checks of their arguments
(:mod:`taps`); a prediction that comes there again, unchanged, is an evaluation. The loss is that of
training, without the penalty, of at most ``MOST`` evenly spread samples: no forward pass is added to
the one that was made.
"""

from __future__ import annotations

import math
import weakref
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from sklearn.base import is_classifier
from sklearn.neural_network import _multilayer_perceptron as perceptron

from auditor_agent.integrations.sklearn.given import Given, spread, table

Values = npt.NDArray[Any]

#: Samples of an evaluation that its loss is made of.
MOST: Final = 1 << 12
#: Samples that are recorded: those of a batch by scikit-learn's own rule.
BATCH: Final = 200


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a model gave for some data, until it is compared with targets."""

    estimator: weakref.ref[Any]
    result: weakref.ref[Any]
    """What the caller was given: classes, their probabilities, or amounts."""
    outputs: Values
    """Of at most ``MOST`` samples, shape (n, outputs)."""
    samples: int
    batch: tuple[Values | None, Values] | None
    """Inputs and outputs of the first samples, where they are to be recorded."""


@dataclass(frozen=True, slots=True)
class Scored:
    """An evaluation that ended."""

    samples: int
    loss: float
    accuracy: float | None
    """Share of right answers; None but for a classifier of single labels."""
    classes: dict[str, int]
    """Of single classes: how many the answers name (``named``); where that is one, targets of others (``missed``);
    targets that were never trained on (``unknown``; they are not in the loss), of how many ``classes`` that were."""
    batch: tuple[Values | None, Values, Values] | None
    """Inputs, targets as the loss sees them, and outputs of the first samples."""


def predicted(estimator: Any, given: Any, outputs: Values, result: Any, *, batch: bool) -> Prediction | None:
    """Keep what was predicted; None for what is no array.

    Args:
        estimator: which predicted.
        given: the data, as it was given.
        outputs: of the last layer, shape (n, outputs).
        result: what the caller gets.
        batch: whether the first samples are to be recorded.
    """
    if not isinstance(result, np.ndarray) or outputs.ndim != 2 or not len(outputs):
        return None
    first = None
    if batch:
        dense = isinstance(given, np.ndarray) or hasattr(given, "iloc")
        first = (table(given[:BATCH], BATCH) if dense else None, outputs[:BATCH].copy())
    thin = outputs[spread(len(outputs), MOST)].copy()
    return Prediction(weakref.ref(estimator), weakref.ref(result), thin, len(outputs), first)


def held_out(given: Given, data: Any, *, fitting: bool) -> bool:
    """Whether ``data`` surely was not trained on; what ``fit`` scores it has held out itself."""
    return fitting or given.trained(data) is False


def compared(prediction: Prediction, target: Any, result: Any) -> Scored | None:
    """The evaluation, if ``result`` is what was predicted; None if it is something else."""
    known, estimator = prediction.result(), prediction.estimator()
    if known is None or estimator is None or not _same(known, result) or len(target) != prediction.samples:
        return None
    wanted = np.asarray(target)
    thin = wanted[spread(len(wanted), MOST)]
    encoded, outputs = _encoded(estimator, thin), prediction.outputs
    single = is_classifier(estimator) and wanted.ndim == 1
    # Of several classes one that was never seen is a row of zeros, which would cost nothing.
    strange = ~encoded.any(axis=1) if single and encoded.shape[1] > 1 else np.zeros(len(encoded), bool)
    with np.errstate(all="ignore"):
        loss = math.nan if strange.all() else _loss(estimator, encoded[~strange], outputs[~strange])
    classes = _classes(wanted, known) if single and wanted.shape == known.shape else {}
    accuracy = float((wanted == known).mean()) if classes else None
    if strange.any():
        classes |= {"unknown": int(strange.sum()), "classes": encoded.shape[1]}
    batch = None
    if prediction.batch is not None:
        inputs, outputs = prediction.batch
        batch = (inputs, _encoded(estimator, wanted[:BATCH]), outputs)
    return Scored(prediction.samples, loss, accuracy, classes, batch)


def _classes(wanted: Values, answers: Values) -> dict[str, int]:
    named = len(np.unique(answers))
    return {"named": named} | ({"missed": int((wanted != answers[0]).sum())} if named == 1 else {})


def _same(known: Values, given: Any) -> bool:
    """Whether ``given`` is the array ``known`` or a view of all of it."""
    if not isinstance(given, np.ndarray) or given.shape != known.shape:
        return False
    ours, theirs = known.__array_interface__, given.__array_interface__
    return bool(ours["data"][0] == theirs["data"][0])


def _encoded(estimator: Any, target: Values) -> Values:
    """Targets as the loss sees them: one column per output."""
    if is_classifier(estimator):
        return np.asarray(estimator._label_binarizer.transform(target))  # noqa: SLF001 -- as its fit encodes them
    return target.reshape(len(target), -1)


def _loss(estimator: Any, target: Values, outputs: Values) -> float:
    """The data loss, by the function that training takes."""
    name = estimator.loss
    if name == "log_loss" and estimator.out_activation_ == "logistic":
        name = "binary_log_loss"
    function = perceptron.LOSS_FUNCTIONS[name]
    return float(getattr(function, "__wrapped__", function)(target, outputs))
