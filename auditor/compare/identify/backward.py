"""Whether the gradient is that of the loss: scaled, accumulated, or of something else.

The gradient of the last layer's bias is the sum over the batch of the loss's derivative by that
output. It is computed here from the recorded output and target, under the loss that was identified,
and held against the recorded one.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.compare.identify import loss as losses
from auditor.compare.identify import loss_parts
from auditor.compare.identify.evidence import F64, Evidence, data
from auditor.compare.identify.fact import Fact
from auditor.ingest.records import StepRecording

_STEP: Final = 1e-5
#: Relative error of a gradient that float32 arithmetic leaves, cancellation within the batch included.
_TOLERANCE: Final = 2e-3
#: Steps whose gradients must show that they are those of another loss.
_SHOWN: Final = 3
#: Losses that take probabilities, or the logits of these.
_ENTROPIES: Final = frozenset({"cross entropy", "binary cross entropy"})
#: What a loss takes where the bias is added to it last.
_OF_OUTPUTS: Final = ("logits", "values", "log rate")
#: Probabilities this close to 0 or 1 may have been clipped, and their logarithms are coarse.
_INSIDE: Final = 1e-5


def facts(evidence: Evidence, fits: list[losses.LossFit]) -> list[Fact]:
    """``backward.factor``: recorded over computed gradient; ``backward.accumulates``: whether steps add up."""
    if not fits or not fits[0].explains or not fits[0].takes.startswith((*_OF_OUTPUTS, "probabilities")):
        return []
    rows = [(wanted, got) for one in evidence.steps if (pair := _both(one, fits[0])) for wanted, got in [pair]]
    if not rows or any(wanted.shape != rows[0][0].shape for wanted, _ in rows):
        return _of_shape(evidence, fits[0])
    wanted, got = (np.stack([pair[side] for pair in rows]) for side in (0, 1))
    # Of a loss that is summed where its mean is told, a last batch of fewer rows has a smaller factor.
    rows_ = np.array([_rows(one) for one in evidence.steps if _both(one, fits[0])])[:, None] / _rows(evidence.steps[0])
    for name, series in (("once", wanted), ("once", wanted * rows_), ("summed", np.cumsum(wanted, axis=0))):
        factor, off = _ratio(series, got)
        if off < _TOLERANCE:
            told = [Fact("backward.factor", _short(factor), residual=off)]
            accumulates = Fact("backward.accumulates", name == "summed", residual=off)
            return told if len(rows) == 1 else [*told, accumulates]
    return []


def _of_shape(evidence: Evidence, fit: losses.LossFit) -> list[Fact]:
    """The factor where a tape was given several numbers, of which it differentiates the sum; told is their mean."""
    told = evidence.first.facts.get("loss") if evidence.first is not None else None
    shape = told.get("loss_shape") if isinstance(told, Mapping) else None
    given = data(evidence.first, "batch") if evidence.first is not None else None
    rows = [len(given) if one is None and given is not None else one for one in shape or ()]
    count = math.prod(rows) if all(isinstance(one, int) for one in rows) else 1
    if count < len("ab") or fit.reduction != "mean" or fit.factor != 1.0:
        return []
    return [Fact("backward.factor", float(count), note="from the shape of what the tape was given")]


def unlike(evidence: Evidence, fit: losses.LossFit) -> float | None:
    """How far the recorded gradient of the output's bias is from that of a loss, whatever its factor; None if unknown.

    Of a loss of outputs as they are, and outputs that are none of probabilities: behind a softmax the bias's gradient
    is another. A penalty on weights is not in it. Of a loss of probabilities the logits stand behind the same softmax.
    Nor is it known of samples that the program weighted by numbers that nobody recorded.
    """
    if fit.takes.startswith("probabilities") and fit.function in _ENTROPIES:
        fit = replace(fit, takes="logits")
    if fit.takes not in _OF_OUTPUTS or any(map(_weighted, evidence.steps)):
        return None
    steps = [one for one in evidence.steps if not _probabilities(one)]
    rows = [pair for one in steps if (pair := _both(one, fit)) is not None]
    if len(rows) < _SHOWN or any(wanted.shape != rows[0][0].shape for wanted, _ in rows):
        return None
    return _ratio(*(np.stack([pair[side] for pair in rows]) for side in (0, 1)))[1]


def _weighted(one: StepRecording) -> bool:
    """Whether the losses of elements were multiplied by a tensor that is not among what was recorded."""
    told = one.facts.get("loss")
    graph = told.get("graph") if isinstance(told, Mapping) else None
    nodes = [node if isinstance(node, Mapping) else {} for node in graph or []]
    if ("factor", "weight0") in one.arrays:
        return False
    return any(_by_a_tensor(node) and _of_losses(nodes, node) for node in nodes)


def _by_a_tensor(node: Mapping[str, Any]) -> bool:
    """Whether a product is with what is neither learnt nor one number."""
    inputs, shapes = list(node.get("inputs") or ()), list(node.get("input_shapes") or ())
    own = node.get("shape")
    return node.get("op") == "Mul" and any(
        given is None and shape == own and bool(own) for given, shape in zip(inputs, shapes, strict=False)
    )


def _of_losses(nodes: Sequence[Mapping[str, Any]], node: Mapping[str, Any]) -> bool:
    """Whether what it multiplies is the losses of elements, as a function of the framework gave them."""
    for _ in nodes:
        below = next((at for at in node.get("inputs") or () if isinstance(at, int)), None)
        if below is None or below >= len(nodes):
            return False
        node = nodes[below]
        if str(node.get("op")) not in loss_parts.PASSED:
            return str(node.get("op")) in loss_parts.POINTWISE
    return False


def _probabilities(one: StepRecording) -> bool:
    output = data(one, "output", "output0")
    return output is not None and bool(output.size) and bool((output >= 0).all() and (output <= 1).all())


def _rows(one: StepRecording) -> int:
    output = data(one, "output", "output0")
    return 1 if output is None or not output.ndim else max(1, len(output))


def _short(factor: float) -> float:
    near = round(factor)
    return float(near) if near and abs(factor / near - 1) < _TOLERANCE else factor


def _both(one: StepRecording, fit: losses.LossFit) -> tuple[F64, F64] | None:
    """The computed and the recorded gradient of the output layer's bias, where that is what the last one is."""
    output = data(one, "output", "output0")
    if output is None or output.ndim != 2:
        return None
    vectors = [array for array in one.of("gradient").values() if array.shape == (output.shape[-1],)]
    if not vectors or vectors[-1].sampled or vectors[-1].values is None:
        return None
    last = list(one.of("gradient").values())[-1]
    if last is not vectors[-1]:
        return None
    squashed = fit.takes.startswith("probabilities")
    slopes = [_by_logits(each, fit) if squashed else losses.slope(each, fit, _STEP) for each in _batches(one)]
    known = [slope for slope in slopes if slope is not None]
    wanted = np.mean(known, axis=0) if known and len(known) == len(slopes) else None
    return None if wanted is None else (wanted, np.asarray(last.values, np.float64).reshape(-1))


def _batches(one: StepRecording) -> Iterator[StepRecording]:
    """Each batch of a step that takes several, as a step of its own (``output0@1`` is the second one's)."""
    yield one
    for count in itertools.count(1):
        end = f"@{count}"
        arrays = {
            (role, name.removesuffix(end)): array for (role, name), array in one.arrays.items() if name.endswith(end)
        }
        if ("output", "output0") not in arrays:
            return
        yield replace(one, arrays=arrays)


def _by_logits(one: StepRecording, fit: losses.LossFit) -> F64 | None:
    """The slope of a loss of probabilities by what a sigmoid or softmax made them of; None where they are clipped."""
    output = data(one, "output", "output0")
    if output is None or not ((output > _INSIDE) & (output < 1 - _INSIDE)).all():
        return None
    logits = np.log(output) if fit.function == "cross entropy" else np.log(output) - np.log1p(-output)
    kept = replace(one.arrays["output", "output0"], values=logits.reshape(-1), dtype="float64")
    given = replace(one, arrays={**one.arrays, ("output", "output0"): kept})
    return losses.slope(given, replace(fit, takes="logits"), _STEP)


def _ratio(wanted: F64, got: F64) -> tuple[float, float]:
    square = float(np.sum(wanted * wanted))
    factor = float(np.sum(wanted * got)) / square if square > 0 else 0.0
    total = float(np.sum(got * got))
    off = float(np.sqrt(np.sum((got - factor * wanted) ** 2) / total)) if total > 0 else np.inf
    return factor, off
