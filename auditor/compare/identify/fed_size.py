"""Whether a model's first layer is fed numbers of the size of the recorded batch, as its gradients tell.

A program may scale its inputs by arithmetic that no layer is: ``x / 255`` in ``call``, which TensorFlow's graph has
and no record of layers. The gradient of the first kernel is the sum of ``delta x`` over the samples, that of its bias
the sum of ``delta``: their ratio is of the size of ``x``, smaller by the root of the samples at most where ``x`` is
centred and all deltas have one sign (of independent samples, by the sizes of the two sums).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.ingest.records import Recorded, StepRecording

#: The network is fed other numbers than were recorded: nobody knows how large they are.
CHANGED: Final = "data.input.changed"
#: How many times smaller than that a ratio must be (ours), and the steps that are looked at.
_SMALLER: Final = 4.0
_EARLY: Final = 5


def facts(evidence: Evidence) -> list[Fact]:
    """``data.input.changed`` where the gradients of the early steps say so."""
    found = [part for one in evidence.steps[:_EARLY] if (part := _part(one, evidence.framework)) is not None]
    return [Fact(CHANGED, value=True)] if found and float(np.median(found)) < 1 / _SMALLER else []


def _part(one: StepRecording, framework: str) -> float | None:
    """The size that the gradients tell over the least that the batch's would be; None where it is not known."""
    batch, gradients = data(one, "batch"), list(one.of("gradient").values())
    at = next((at for at, array in enumerate(gradients) if len(array.shape) > 1), len(gradients))
    if batch is None or batch.ndim < len("ab") or len(one.of("batch")) != 1 or at + 1 >= len(gradients):
        return None
    kernel, bias = gradients[at], gradients[at + 1]
    units, given = _extents(kernel, framework)
    channels = batch.shape[1] if framework == "torch" and batch.ndim > len("abc") else batch.shape[-1]
    if bias.shape != (units,) or given != channels or any(each.values is None for each in (kernel, bias)):
        return None
    size, sums = _rms(batch), [_rms(np.asarray(each.values, np.float64)) for each in (kernel, bias)]
    if not all(math.isfinite(each) and each > 0 for each in (size, *sums)):
        return None
    return sums[0] / sums[1] / size * math.sqrt(len(batch))


def _extents(kernel: Recorded, framework: str) -> Sequence[int]:
    """Units and inputs of a kernel."""
    return kernel.shape[:2] if framework == "torch" else (kernel.shape[-1], kernel.shape[-2])


def _rms(values: np.ndarray) -> float:
    return float(np.sqrt(np.mean(values * values)))
