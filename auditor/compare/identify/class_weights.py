"""Weights of rows that are those of their classes: ``weights[y] * nll``, as a ``weight`` argument has them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import loss, losses
from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.loss_fits import LossFit
from auditor.ingest.records import StepRecording

_WEIGHT: Final = ("factor", "weight0")


def told(evidence: Evidence, fits: list[LossFit]) -> tuple[Evidence, list[LossFit]]:
    """The evidence without the weights of rows, and the loss with weights of classes; else as both were."""
    if not fits or not fits[0].explains or fits[0].classes:
        return evidence, fits
    found = [_by_class(one) for one in evidence.steps]
    each = [one for one in found if one is not None]
    if not each or len(each) < len(found) or not _of_classes(each):
        return evidence, fits
    plain = replace(evidence, steps=tuple(_without(one) for one in evidence.steps))
    again = loss.identify(plain)
    same = bool(again) and again[0].explains and bool(again[0].classes) and again[0].function == fits[0].function
    return (plain, again) if same else (evidence, fits)


def _by_class(one: StepRecording) -> tuple[npt.NDArray[Any], F64] | None:
    """The class and the weight of every row of a step; None where these are not one of each."""
    targets = list(one.of("target").values())
    weight = data(one, *_WEIGHT)
    if weight is None or len(targets) != 1 or targets[0].values is None or targets[0].values.dtype.kind not in "iu":
        return None
    classes = targets[0].values
    return (classes.ravel(), weight.ravel()) if classes.size == weight.size else None


def _of_classes(each: list[tuple[npt.NDArray[Any], F64]]) -> bool:
    """Whether each class has one weight, of which there are several and none is a mask's."""
    classes, weights = (np.concatenate([one[at] for one in each]) for at in (0, 1))
    if losses.is_mask([weights]) or np.ptp(weights) == 0:
        return False
    return all(np.ptp(weights[classes == one]) == 0 for one in np.unique(classes))


def _without(one: StepRecording) -> StepRecording:
    return replace(one, arrays={key: array for key, array in one.arrays.items() if key != _WEIGHT})
