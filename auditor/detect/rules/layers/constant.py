"""A model that answers the same whatever it is asked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from auditor.detect.evidence.extremes import alike
from auditor.detect.evidence.scored import Scored
from auditor.detect.recorded import RecordView
from auditor.detect.rules.data.outputs import OutputParameters, OutputRule
from auditor.model import Severity


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
        "of the batch differ"
    )
    source = "TheDeepChecker, DeepDiagnosis (ICSE'22); the count is ours"
    summary = "The model gives the same output, {value:.4g}, for every sample of a batch (step {step}{where})."
    likely_causes = (
        "softmax over a single unit, or over the axis of the samples",
        "weights that are all zero, or a layer whose units are all dead",
        "the inputs do not reach the output (overwritten in forward, multiplied by zero)",
    )
    advice = (
        "Feed two different samples and follow them layer by layer to where they become equal; check the last "
        "activation (sigmoid for one unit), the softmax's axis (dim=-1), and the initialiser."
    )
    consequence_of = (
        *("dead_units", "symmetric_units", "poor_init", "saturated_units", "output_activation_mismatch"),
        *("loss_diverging", "learning_rate", "exploding_gradient", "underfitting_regularization"),
        "input_scale",
    )
    Parameters = ConstantParameters

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """Equal outputs, and that they should not be."""
        return alike(view, seen)
