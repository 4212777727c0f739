"""Penalties that the layers declare and the loss does not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from auditor.detect.evidence.scored import scored
from auditor.detect.evidence.task import computed
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.model import Finding, Severity, Subject


@dataclass(frozen=True, slots=True)
class PenaltyParameters:
    """Thresholds, ours.

    ``least``: penalty over loss that can be told from rounding, 1e-3. ``missing``: part of the penalty
    by which the loss may differ from that of the data, 0.1. ``times``: recorded steps in a row, 3.
    """

    least: float = 1e-3
    missing: float = 0.1
    times: int = 3


@dataclass(slots=True)
class PenaltyMemory:
    """Recorded steps that could be judged, and how many of the last lacked the penalty."""

    judged: int = 0
    held: int = 0


class MissingRegularization(Rule):
    """The layers declare a penalty, and the loss that is minimised does not have it."""

    id = "missing_regularization"
    severity = Severity.INFO
    phase = "loss"
    meaning = "layer regularisers are declared but are not part of the loss that is minimised"
    needs = "declared regularisers; recordings with weights, and the penalty or outputs and targets"
    trigger = (
        "in 3 recorded steps in a row the declared penalties, computed from the weights, are above 1e-3 of the loss, "
        "and the loss is told to hold no penalty, or is that of the data alone to within a tenth of the penalty"
    )
    source = "seeds; the proof by value is ours"
    summary = (
        "The layers declare penalties that add up to {penalty:.4g} at step {step}, and the loss ({loss:.4g}) does not "
        "hold them{where}; {name} is the first."
    )
    likely_causes = (
        "a custom training loop that does not add model.losses to the loss",
        "a test step or a second loss that was copied without the line that adds them",
    )
    advice = "Add them to the loss under the tape: loss += tf.add_n(model.losses), or remove the regularisers."
    Parameters = PenaltyParameters
    State = PenaltyMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Penalty by declaration against the loss by value; once per run."""
        memory, parameters = self.memory, self.parameters
        declared = list(_declared(view)) if view.phase == "train" and not self.active else []
        loss = view.scalars.get("loss", math.nan)
        penalty = sum(value for _, value in declared)
        if not declared or not math.isfinite(loss) or not penalty > parameters.least * abs(loss):
            return []
        told = view.scalars.get("loss/penalty")
        absent = self._absent(view, loss, penalty) if told is None else told < parameters.missing * penalty
        if absent is None:
            return []
        memory.judged += 1
        memory.held = memory.held + 1 if absent else 0
        if memory.held < parameters.times:
            return []
        evidence = {"penalty": penalty, "loss": loss, "told": told, "layers": [name for name, _ in declared][:16]}
        return [self.finding(view, 0, Subject("loss", declared[0][0], view.rank), evidence)]

    def unjudged(self) -> str | None:
        """Nothing is declared, or nothing of it can be computed."""
        return None if self.memory.judged else "no declared regulariser could be held against a recorded loss"

    def _absent(self, view: RecordView, loss: float, penalty: float) -> bool | None:
        """Whether the recorded loss is the data's alone; None if that cannot be computed."""
        seen = scored(view)
        if seen is None:
            return None
        targets = seen.labels() if seen.family == "categorical" else seen.targets
        data = next(iter(computed(seen, targets).values()), math.nan) if targets is not None else math.nan
        return abs(loss - data) < self.parameters.missing * penalty if math.isfinite(data) else None


def _declared(view: RecordView) -> Iterator[tuple[str, float]]:
    """Each weight with a declared L1 or L2 penalty, and what that comes to."""
    for layer in view.run.layers:
        config = layer.get("config")
        told = {**(config if isinstance(config, Mapping) else {}), **layer}
        for key, value in told.items():
            if not key.endswith("_regularizer") or not isinstance(value, Mapping):
                continue
            inner = value.get("config")
            rates = {**(inner if isinstance(inner, Mapping) else {}), **value}
            weight = _weight(view, str(layer.get("name")), key.removesuffix("_regularizer"))
            if weight is not None:
                name, squares, sizes = weight
                total = _number(rates, "l2") * squares + _number(rates, "l1") * sizes
                if total > 0:
                    yield name, total


def _weight(view: RecordView, layer: str, what: str) -> tuple[str, float, float] | None:
    """The weight's name, its sum of squares and of absolute values, from what was recorded of it."""
    for name, one in view.of("weight").items():
        parts = name.replace(".", "/").split("/")
        if parts[-1] == what and layer in parts and one.values is not None and len(one.values):
            values = one.values.astype(np.float64)
            scale = one.size / len(values)
            return name, float((values**2).sum()) * scale, float(np.abs(values).sum()) * scale
    return None


def _number(rates: Mapping[str, Any], name: str) -> float:
    value = rates.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
