"""A model that answers the same whatever it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.extremes import alike
from auditor.detect.evidence.owned import weights
from auditor.detect.evidence.scored import Scored
from auditor.detect.recorded import RecordView
from auditor.detect.rules.data.outputs import OutputParameters, OutputRule
from auditor.model import Severity

#: Names of the factor of a batch normalisation, in Keras and in PyTorch, at the end of its path.
_FACTORS: Final = ("gamma", "weight")


@dataclass(frozen=True, slots=True)
class ConstantParameters(OutputParameters):
    """``hold``: recorded steps in a row, 8 (ours: a last layer that begins at zero moves in the first step)."""

    hold: int = 8


class ConstantOutput(OutputRule):
    """Equal rows for inputs that differ."""

    id = "constant_output"
    severity = Severity.WARNING
    phase = "output"
    meaning = "the model says the same for every input"
    needs = "recordings with inputs, outputs and targets"
    trigger = (
        "in 8 recorded steps in a row all rows of the output are equal to float32's rounding, while inputs and targets "
        "of the batch differ; or in as many each batch is a single sample, and no factor of a batch normalisation has "
        "a gradient other than zero: less its own mean, a sample is nothing"
    )
    source = "TheDeepChecker, DeepDiagnosis (ICSE'22); the count is ours"
    summary = "{what} (step {step}{where})."
    likely_causes = (
        "softmax over a single unit, or over the axis of the samples",
        "weights that are all zero, or a layer whose units are all dead",
        "the inputs do not reach the output (overwritten in forward, multiplied by zero)",
        "batches of one sample, of which batch normalisation leaves nothing",
    )
    advice = (
        "Feed two different samples and follow them layer by layer to where they become equal; check the last "
        "activation (sigmoid for one unit), the softmax's axis (dim=-1), the initialiser, and the batch size: batch "
        "normalisation needs some 16 samples, LayerNormalization and GroupNormalization do with one."
    )
    consequence_of = (
        *("dead_units", "symmetric_units", "poor_init", "saturated_units", "output_activation_mismatch"),
        *("loss_diverging", "learning_rate", "exploding_gradient", "underfitting_regularization"),
        "input_scale",
    )
    Parameters = ConstantParameters

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """Equal outputs, and that they should not be."""
        shown = alike(view, seen)
        if shown is None:
            return _single(view, seen)
        return shown | {"what": f"The model gives the same output, {shown['value']:.4g}, for every sample of a batch"}


def _single(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """Single samples that batch normalisation makes nothing of.

    Without rows of positions to take a mean over. The gradient of its factor is the sum of what it was given,
    normalised, times what comes back: zeros, bit by bit.
    """
    batch = next(iter(view.of("batch").values()), None)
    layers = [layer for layer in view.run.layers if str(layer.get("class", "")).startswith("BatchNorm")]
    factors = [str(one.get("name")) for layer in layers for one in weights(layer)]
    factors = [name for name in factors if name.replace("/", ".").rsplit(".", 1)[-1] in _FACTORS]
    gradients = [view.array("gradient", name) for name in factors]
    told = [one.values for one in gradients if one is not None and one.values is not None]
    alone = batch is not None and len(batch.shape) > 1 and batch.shape[0] == 1 and view.facts.get("training") == "true"
    if not alone or not told or any(np.any(values) for values in told):
        return None
    what = "Each batch is a single sample, of which batch normalisation leaves nothing: the inputs are lost there"
    return {"what": what, "value": float(seen.outputs[0, 0]), "spread": 0.0, "samples": 1, "layers": len(told)}
