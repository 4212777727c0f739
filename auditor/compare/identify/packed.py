"""Targets that come with their mask: as columns behind the values, or as a number that stands for none.

A loss of Keras has two arguments, and what else it needs is packed into the first: ``v, m = y[:, :k], y[:, k:]``, or
``m = y != -1``. Whatever makes a loss of the tables give the recorded values is how it was packed.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import loss
from auditor.compare.identify.evidence import Evidence, data
from auditor.compare.identify.loss_fits import LossFit
from auditor.compare.identify.loss_pairs import pairs_of
from auditor.ingest.records import Recorded, StepRecording

Values = npt.NDArray[Any]

#: Steps whose losses have to follow: fewer can by chance.
_FEWEST: Final = 5
#: Part of the targets that is missing at least where a number stands for that.
_MISSING: Final = 0.02
_WEIGHT: Final = ("factor", "weight0")


def told(evidence: Evidence, fits: list[LossFit]) -> tuple[Evidence, list[LossFit]]:
    """The evidence with values for targets and the mask beside them, and what its loss is then; else as it was."""
    if not evidence.steps or (fits and fits[0].explains) or any(_WEIGHT in one.arrays for one in evidence.steps):
        return evidence, fits
    for candidate in _candidates(evidence):
        if len(pairs_of(candidate)) >= _FEWEST:
            found = loss.identify(candidate)
            if found and found[0].explains:
                return candidate, found
    return evidence, fits


def _candidates(evidence: Evidence) -> Iterator[Evidence]:
    """The evidence with one reading of its targets after the other."""
    targets = [_target(one) for one in evidence.steps]
    known = [one for one in targets if one is not None]
    if not known or len(known) < len(targets):
        return
    values = [each for one, array in zip(evidence.steps, known, strict=True)
              if (each := data(one, "target", array.name)) is not None]  # fmt: skip
    if len(values) < len(known):
        return
    outputs = [data(one, "output", "output0") for one in evidence.steps]
    for parts in (_columns(values, outputs), _sentinel(values)):
        if parts is not None:
            steps = zip(evidence.steps, known, parts, strict=True)
            yield replace(evidence, steps=tuple(_with(one, array, *part) for one, array, part in steps))


def _target(one: StepRecording) -> Recorded | None:
    """The one target of a step, of numbers and whole."""
    found = list(one.of("target").values())
    usable = len(found) == 1 and found[0].values is not None and found[0].values.dtype.kind == "f"
    return found[0] if usable else None


def _columns(targets: list[Any], outputs: list[Any]) -> list[tuple[Values, Values]] | None:
    """Values and mask where a target has twice the columns of the output, the second half zeros and ones."""
    found = []
    for target, output in zip(targets, outputs, strict=True):
        if output is None or output.ndim < 2 or target.shape != (*output.shape[:-1], 2 * output.shape[-1]):
            return None
        value, mask = np.split(target, 2, axis=-1)
        if not np.isin(mask, (0, 1)).all():
            return None
        found.append((value, mask))
    return found


def _sentinel(targets: list[Any]) -> list[tuple[Values, Values]] | None:
    """Values and mask where the least of the targets is a whole number that many of them are: a place without one."""
    least = min(float(one.min()) for one in targets)
    share = float(np.mean(np.concatenate([(one == least).ravel() for one in targets])))
    if least > 0 or not least.is_integer() or not _MISSING <= share < 1:
        return None
    return [(one, (one != least).astype(one.dtype)) for one in targets]


def _with(one: StepRecording, array: Recorded, values: Values, mask: Values) -> StepRecording:
    """A step with these for its target and the weights of its losses."""
    made = {(each.role, each.name): each for each in (
        replace(array, values=values.ravel(), shape=values.shape, elements=values.size),
        replace(array, role=_WEIGHT[0], name=_WEIGHT[1], values=mask.ravel(), shape=mask.shape, elements=mask.size),
    )}  # fmt: skip
    return replace(one, arrays={**one.arrays, **made})
