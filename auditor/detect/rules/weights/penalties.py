"""Penalties that the layers declare and the loss does not hold."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from auditor.detect.evidence.scored import scored
from auditor.detect.evidence.task import computed
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.ingest.records import Recorded
from auditor.model import Finding, Severity, Subject


@dataclass(frozen=True, slots=True)
class PenaltyParameters:
    """Thresholds, ours.

    ``least``: penalty over loss that can be told from rounding, 1e-3. ``missing``: part of the penalty
    by which the loss may differ from that of the data, 0.1. ``times``: recorded steps in a row, 3.
    ``matters``: what the penalty would pull, over the gradient of the data, from which on the weights
    would go elsewhere, 0.1; in each of these steps. A batch's noise only makes its gradient larger.
    """

    least: float = 1e-3
    missing: float = 0.1
    times: int = 3
    matters: float = 0.1


@dataclass(slots=True)
class PenaltyMemory:
    """Recorded steps that could be judged, and how many of the last lacked the penalty.

    ``pulls``: what it would pull at these, over the gradient of the data; ``said``: that it matters.
    """

    judged: int = 0
    held: int = 0
    pulls: list[float] = field(default_factory=list)
    said: bool = False


class MissingRegularization(Rule):
    """The layers declare a penalty, and the loss that is minimised does not have it."""

    id = "missing_regularization"
    severity = Severity.WARNING
    phase = "loss"
    meaning = "layer regularisers are declared but are not part of the loss that is minimised"
    needs = "declared regularisers; recordings with weights, and the penalty or outputs and targets"
    trigger = (
        "in 3 recorded steps in a row the declared penalties, computed from the weights, are above 1e-3 of the loss, "
        "and the loss is told to hold no penalty, or is that of the data alone to within a tenth of the penalty; "
        "info only, while they would not pull at the weights by a tenth of the gradient that these have"
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
        """Penalty by declaration against the loss by value; once per run, and again when it comes to matter."""
        memory, parameters = self.memory, self.parameters
        declared = list(_declared(view)) if view.phase == "train" and not memory.said else []
        loss = view.scalars.get("loss", math.nan)
        penalty = sum(one.value for one in declared)
        if not declared or not math.isfinite(loss) or not penalty > parameters.least * abs(loss):
            return []
        told = view.scalars.get("loss/penalty")
        absent = self._absent(view, loss, penalty) if told is None else told < parameters.missing * penalty
        if absent is None:
            return []
        memory.judged += 1
        memory.held = memory.held + 1 if absent else 0
        memory.pulls = [*memory.pulls, _pulled(declared)][-parameters.times :]
        if memory.held < parameters.times:
            return []
        matters = min(memory.pulls) >= parameters.matters
        if self.active and not matters:
            return []
        memory.said = matters
        evidence = {"penalty": penalty, "loss": loss, "told": told, "pull": memory.pulls[-1]}
        evidence["layers"] = [one.name for one in declared][:16]
        found = self.finding(view, 0, Subject("loss", declared[0].name, view.rank), evidence)
        return [found if matters else replace(found, severity=Severity.INFO)]

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


@dataclass(frozen=True, slots=True)
class _Penalised:
    """A weight and its penalty; squared norms of the penalty's gradient and of the recorded one (0: none)."""

    name: str
    value: float
    pull: float
    gradient: float


def _pulled(declared: list[_Penalised]) -> float:
    """Size of the penalties' gradient over the recorded one, of the weights of which there is one; 0 if unknown."""
    known = [one for one in declared if one.gradient > 0]
    return math.sqrt(sum(one.pull for one in known) / sum(one.gradient for one in known)) if known else 0.0


def _declared(view: RecordView) -> Iterator[_Penalised]:
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
                one = _penalised(view, weight, _number(rates, "l1"), _number(rates, "l2"))
                if one.value > 0:
                    yield one


def _penalised(view: RecordView, weight: Recorded, l1: float, l2: float) -> _Penalised:
    values = np.zeros(1) if weight.values is None else weight.values.astype(np.float64)
    scale = weight.size / len(values)
    total = (l2 * float((values**2).sum()) + l1 * float(np.abs(values).sum())) * scale
    pull = float(((2 * l2 * values + l1 * np.sign(values)) ** 2).sum()) * scale
    recorded = view.array("gradient", weight.name)
    gradient = 0.0
    if recorded is not None and recorded.values is not None and len(recorded.values):
        gradient = float((recorded.values.astype(np.float64) ** 2).mean()) * recorded.size
    return _Penalised(weight.name, total, pull, gradient)


def _weight(view: RecordView, layer: str, what: str) -> Recorded | None:
    """What was recorded of a layer's weight."""
    for name, one in view.of("weight").items():
        parts = name.replace(".", "/").split("/")
        if parts[-1] == what and layer in parts and one.values is not None and len(one.values):
            return one
    return None


def _number(rates: Mapping[str, Any], name: str) -> float:
    value = rates.get(name)
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else 0.0
