"""Targets that a program worked out of its labels itself: smoothed, or -1 and 1 for a hinge.

A framework that is asked for smoothing, or whose hinge takes 0 and 1, is given the labels and does it in the loss. For
both to be one thing the labels are taken for the target, where the loss explains its recorded values of them as well.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import loss
from auditor.compare.identify.evidence import Evidence, data
from auditor.compare.identify.loss_fits import LossFit
from auditor.ingest.records import StepRecording

Values = npt.NDArray[Any]

#: Rounding of a target that was worked out in float32.
_ROUNDED: Final = 1e-5
_HALF: Final = 0.5


def told(evidence: Evidence, fits: list[LossFit]) -> tuple[Evidence, list[LossFit]]:
    """The evidence with labels for targets, and what its loss is then; as both were where nothing was worked out."""
    if not fits or not fits[0].explains:
        return evidence, fits
    found = [_values(one) for one in evidence.steps]
    each = [one for one in found if one is not None]
    labels = _labels(fits[0].function, each) if len(each) == len(found) else None
    if labels is None:
        return evidence, fits
    steps = tuple(_with(one, made) for one, made in zip(evidence.steps, labels, strict=True))
    plain = replace(evidence, steps=steps)
    again = loss.identify(plain)
    same = bool(again) and again[0].explains and again[0].function == fits[0].function
    return (plain, again) if same else (evidence, fits)


def _values(one: StepRecording) -> Values | None:
    """The one target of a step; None where there is another number of them, or it was not recorded whole."""
    targets = list(one.of("target").values())
    usable = len(targets) == 1 and targets[0].values is not None and targets[0].values.dtype.kind == "f"
    values = data(one, "target", targets[0].name) if usable else None
    return values if values is not None and values.size else None


def _labels(function: str, each: list[Values]) -> list[Values] | None:
    """The labels behind the targets of all steps; None where these are labels themselves, or numbers."""
    if not each:
        return None
    if "hinge" in function:
        signs = all(np.isin(one, (-1, 1)).all() for one in each) and any((one < 0).any() for one in each)
        return [(one + 1) / 2 for one in each] if signs else None
    if function == "binary cross entropy":
        low = min(float(one.min()) for one in each)
        ends = (low, 1 - low)
        smoothed = _ROUNDED < low < _HALF and all(_is_one_of(one, ends) for one in each)
        return [(one > _HALF).astype(one.dtype) for one in each] if smoothed else None
    if function == "cross entropy" and all(one.ndim > 1 and one.shape[-1] > 1 for one in each):
        classes = each[0].shape[-1]
        low = min(float(one.min()) for one in each)
        ends = (low, 1 - (classes - 1) * low)
        smoothed = _ROUNDED < low < 1 / classes - _ROUNDED and all(
            one.shape[-1] == classes and _is_one_of(one, ends) for one in each
        )
        return [(one > 1 / classes).astype(one.dtype) for one in each] if smoothed else None
    return None


def _is_one_of(values: Values, ends: tuple[float, float]) -> bool:
    """Whether every element is one of two numbers, and the higher is there."""
    near = [np.abs(values - end) <= _ROUNDED for end in ends]
    return bool((near[0] | near[1]).all() and near[1].any())


def _with(one: StepRecording, labels: Values) -> StepRecording:
    """A step with these for its target."""
    return replace(one, arrays={
        key: replace(array, values=labels.ravel()) if key[0] == "target" else array for key, array in one.arrays.items()
    })  # fmt: skip
