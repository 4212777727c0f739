"""Outputs that do not fit the loss they are given to: of the wrong scale, or cut off."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.hidden import hidden_softmax
from auditor.detect.evidence.scored import Scored, scored
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import F64
from auditor.model import Finding, Severity, Subject

#: What the rows of a float16 softmax may miss of 1 (2048 classes of half an ulp at most).
_SUM: Final = 2e-3
#: Share of exact zeros that shows a ReLU at the end of a model whose last activation is not told (ours).
_CUT: Final = 0.1
#: How far beyond 0 and 1 a binary target may be drawn and still mean one of them.
_NOISE: Final = 0.5
#: Samples that all are of one class, and the step until which they must be: sorted data begins so too.
_ALIKE: Final = 200
_LONG: Final = 100
#: Recordings that must prove a hidden softmax.
_PROVEN: Final = 2


@dataclass(frozen=True, slots=True)
class OutputParameters:
    """``hold``: recorded steps in a row that must show the fault, 3 (ours: one odd batch is no fault)."""

    hold: int = 3


@dataclass(slots=True)
class OutputMemory:
    """``judged``: recorded steps that could be judged; ``held``: how many of the last showed the fault."""

    judged: int = 0
    held: int = 0


class OutputRule(Rule):
    """Looks at the outputs of recorded training steps, and speaks when several in a row agree."""

    Parameters = OutputParameters
    State = OutputMemory

    @abstractmethod
    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """The evidence of the fault, None if this step does not show it."""

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Said at the last of ``hold`` recorded steps that show it; cleared at the first that does not."""
        seen = scored(view)
        if seen is None or not np.isfinite(seen.outputs).all():
            return []
        self.memory.judged += 1
        evidence = self.look(view, seen)
        subject = Subject("output", "output0", view.rank)
        if evidence is None:
            self.memory.held = 0
            return [self.cleared(view, 0, subject)] if self.active else []
        self.memory.held += 1
        enough = self.memory.held >= self.parameters.hold or evidence.get("certain") is True
        return [self.finding(view, 0, subject, evidence)] if enough else []

    def unjudged(self) -> str | None:
        """Nothing was recorded that it reads."""
        return None if self.memory.judged else "no recording of a training step holds the model's whole output"


class LogitsAsProbabilities(OutputRule):
    """A loss of probabilities is given numbers that are none."""

    id = "logits_as_probabilities"
    severity = Severity.CRITICAL
    phase = "output"
    meaning = "logits are fed to a loss that takes probabilities: they are clipped, and most gradients with them"
    needs = "recordings with the model's output; the declared loss"
    trigger = (
        "the loss takes probabilities (or, NLLLoss and CTCLoss, logarithms of them), and in 3 recorded steps in a row "
        "more than 1 % of the outputs lie outside 0..1 (or rows of logarithms do not sum to 1)"
    )
    source = "UMLAUT (CHI'21); the share is ours"
    summary = (
        "{share:.0%} of the outputs are no probabilities (from {low:.4g} to {high:.4g}), but the loss takes them for "
        "{taken} (step {step}{where})."
    )
    likely_causes = (
        "the last layer has no activation and the loss was left at from_logits=False (Keras' default)",
        "nn.NLLLoss on raw outputs: it takes the logarithms of probabilities",
    )
    advice = (
        "Let the loss take logits: from_logits=True in the loss's constructor (Keras), nn.CrossEntropyLoss instead of "
        "nn.NLLLoss (PyTorch); or give the last layer activation='softmax' ('sigmoid' for one unit)."
    )

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """Outputs beyond what a probability can be."""
        low, high = float(seen.outputs.min()), float(seen.outputs.max())
        if _across(seen):
            return None  # probabilities they are, of the wrong axis
        if operation(view) == "NllLoss" or _connects(view):
            off = ~near(np.exp(np.minimum(seen.outputs, 50.0)).sum(axis=1), 1.0)
            share, taken = float(off.mean()), "logarithms of probabilities"
        elif seen.family in {"categorical", "binary"} and seen.logits is False:
            outside = (seen.outputs < -_SUM) | (seen.outputs > 1 + _SUM)
            share, taken = float(outside.mean()), "probabilities"
        else:
            return None
        return {"share": share, "low": low, "high": high, "taken": taken} if share > 0.01 else None


@dataclass(slots=True)
class ActivationMemory(OutputMemory):
    """``hidden``: recordings that prove a softmax in the middle of the model."""

    hidden: int = 0


class OutputActivationMismatch(OutputRule):
    """The last activation cannot say what the targets ask for."""

    id = "output_activation_mismatch"
    severity = Severity.WARNING
    phase = "output"
    meaning = (
        "an activation does not fit: the last one cannot give what loss and targets ask for, or a hidden one is softmax"
    )
    needs = "recordings with output and target, activations and weights"
    trigger = (
        "in 3 recorded steps in a row: softmax over a single unit (all outputs are 1); or outputs that never leave "
        "0..1, -1..1 or 0.. and reach for more than 5 % of the targets, which lie beyond, while the loss is one of "
        "regression; or a cross entropy over exclusive classes of outputs that went through a sigmoid each; or any "
        "cross entropy of outputs that went through a ReLU (told, or a tenth of the logits exactly 0 and none below; "
        "at once where the loss takes probabilities); or outputs cut off to 0..1, a tenth of them exactly 0, under one "
        "of probabilities; or a softmax over the samples (columns that sum to 1, not rows)"
    )
    source = "AutoTrainer (ICSE'21), DeepDiagnosis (ICSE'22); the shares are ours"
    summary = "{what} (step {step}{where})."
    likely_causes = (
        "the last layer's activation was copied from a classifier, or from a hidden layer",
        "the targets were not scaled to the range of the last activation",
        "softmax taken for a hidden activation like any other",
    )
    advice = (
        "Unbounded targets: no activation in the last layer (or scale the targets). Two classes: one unit with "
        "sigmoid and a binary cross entropy. C exclusive classes: C units with softmax, or with none and a loss from "
        "logits. Hidden layers: ReLU, GELU or tanh."
    )

    State = ActivationMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """A softmax in the middle needs two recordings that prove it: weights are recorded whole only now and then."""
        memory = self.memory
        if memory.hidden >= _PROVEN:
            return []
        found = super().observe_record(view)
        evidence = hidden_softmax(view) if view.phase == "train" and not self.active else None
        memory.hidden += evidence is not None
        if evidence is None or memory.hidden < _PROVEN:
            return found
        return [*found, self.finding(view, 0, Subject("activation", evidence["layer"], view.rank), evidence)]

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """The first of the misfits that the step shows."""
        whole = _single_softmax(seen) or _across(seen) or _sigmoids(view, seen)
        return whole or _cut_off(view, seen) or _clamped(view, seen) or _out_of_reach(view, seen)


@dataclass(slots=True)
class RangeMemory(OutputMemory):
    """``samples``: labels so far that were all of class ``only``, -1 once there were others."""

    samples: int = 0
    only: float = np.nan


class LabelRange(OutputRule):
    """Targets that the loss has no meaning for."""

    id = "label_range"
    severity = Severity.CRITICAL
    phase = "batch"
    meaning = "targets outside what the loss can mean: classes beyond C - 1, or no 0 and 1 for a binary cross entropy"
    needs = "recordings with targets and the model's output"
    trigger = (
        "in 3 recorded steps in a row, class labels below 0 (but -100, torch's mark for ignored) or at least C, or "
        "binary targets half a class or more outside 0..1, or rows with several ones under a softmax cross entropy "
        "(PyTorch); or, of three classes or more with a unit each, the same one for all of 200 recorded samples or "
        "more, up to step 100 or later"
    )
    source = "UMLAUT (CHI'21)"
    summary = "Targets run from {low:g} to {high:g}; the loss knows {known} (step {step}{where})."
    likely_causes = (
        "labels are numbered from 1, or the model has too few output units",
        "labels are -1 and 1 where the loss takes 0 and 1",
        "labels were scaled with the inputs, or cut off to whole numbers: all became 0",
    )
    advice = (
        "Number the classes 0 … C - 1 (y - y.min(), or sklearn.preprocessing.LabelEncoder) or widen the last layer."
    )

    State = RangeMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Labels beyond the classes, or all of one class."""
        seen, memory = scored(view), self.memory
        if seen is None or memory.samples < 0 or seen.family != "categorical" or not _unit_each(view, seen.classes):
            return super().observe_record(view)
        labels = seen.labels()
        if labels is None or not labels.size:
            return super().observe_record(view)
        one = not memory.samples or memory.only == labels[0]
        memory.samples = memory.samples + len(labels) if one and np.ptp(labels) == 0 else -1
        memory.only = float(labels[0])
        if memory.samples < _ALIKE or view.step < _LONG:
            return super().observe_record(view)
        if self.active:
            return []
        known = f"{seen.classes} classes, and of {memory.samples} recorded samples none is of another"
        evidence = {"low": memory.only, "high": memory.only, "known": known, "classes": seen.classes}
        return [self.finding(view, 0, Subject("output", "output0", view.rank), evidence)]

    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """Labels beyond the classes."""
        targets = seen.targets
        if targets is None or not targets.size:
            return None
        if _soft(view) and targets.shape == seen.outputs.shape:
            return _many_hot(targets)
        if seen.family == "binary":
            low, high, known = float(targets.min()), float(targets.max()), "0 to 1"
            # Labels with noise on purpose (a discriminator's) still lie nearest to 0 or 1.
            wrong = low <= -_NOISE or high >= 1 + _NOISE
        else:
            labels = seen.labels() if seen.family == "categorical" and targets.size == len(seen.outputs) else None
            labels = labels[labels != -100] if labels is not None else None
            if labels is None or not labels.size or seen.classes < 2:
                return None
            low, high, known = float(labels.min()), float(labels.max()), f"classes 0 to {seen.classes - 1}"
            wrong = low < 0 or high >= seen.classes
        return {"low": low, "high": high, "known": known, "classes": seen.classes} if wrong else None


def _unit_each(view: RecordView, classes: int) -> bool:
    """Whether a weight has a unit for each of three classes or more: similarities have not."""
    return classes > 2 and any(classes in gradient.shape for gradient in view.of("gradient").values())


def _nodes(view: RecordView) -> list[dict[str, Any]]:
    fact = view.facts.get("loss")
    graph = fact.get("graph") if isinstance(fact, dict) else None
    return [node for node in graph if isinstance(node, dict)] if isinstance(graph, list) else []


def squashes(view: RecordView) -> bool:
    """Whether torch's graph shows a softmax of the model's output itself."""
    return any(node.get("op") == "LogSoftmax" and "output0" in (node.get("inputs") or ()) for node in _nodes(view))


def _connects(view: RecordView) -> bool:
    """Whether torch's graph shows a connectionist temporal classification of the model's output itself."""
    return any(node.get("op") == "CtcLoss" and "output0" in (node.get("inputs") or ()) for node in _nodes(view))


def _soft(view: RecordView) -> bool:
    """Whether torch's graph shows a cross entropy of the model's output with a row of probabilities per sample."""
    fact = view.facts.get("loss")
    return isinstance(fact, dict) and "soft_target" in fact and squashes(view)


def _many_hot(targets: F64) -> dict[str, Any] | None:
    """Rows of zeros and ones with several ones: independent labels, where the loss takes one distribution."""
    ones = targets.reshape(-1, targets.shape[-1]).sum(axis=1)
    if not bool(((targets == 0) | (targets == 1)).all()) or float((ones > 1).mean()) <= _CUT:
        return None
    known = "rows that sum to 1 (softmax makes the classes exclusive: take BCEWithLogitsLoss for independent labels)"
    return {"low": float(ones.min()), "high": float(ones.max()), "known": known, "classes": int(targets.shape[-1])}


def near(values: F64, to: float) -> Any:
    """Which values are ``to`` but for what float16 rounds away of a sum."""
    return np.abs(values - to) <= _SUM


def distributions(rows: F64) -> bool:
    """Whether every row is made of probabilities that sum to 1."""
    inside = bool((rows >= -1e-6).all() and (rows <= 1 + 1e-6).all())
    return inside and bool(near(rows.sum(axis=1), 1.0).all())


def operation(view: RecordView) -> str:
    """The operation of the loss in torch's graph, "" where none was told."""
    fact = view.facts.get("loss")
    return str(fact.get("operation")) if isinstance(fact, dict) else ""


def _single_softmax(seen: Scored) -> dict[str, Any] | None:
    ones = seen.classes == 1 and len(seen.outputs) > 1 and bool((seen.outputs == 1.0).all())
    varied = seen.targets is not None and bool(np.ptp(seen.targets) > 0)
    return {"what": "All outputs are exactly 1: softmax over a single unit"} if ones and varied else None


def _across(seen: Scored) -> dict[str, Any] | None:
    """Columns that are distributions where rows should be: a softmax over the samples."""
    if seen.family != "categorical" or seen.classes < 2 or len(seen.outputs) < 2:
        return None
    for taken, values in (("softmax", seen.outputs), ("log_softmax", np.exp(np.minimum(seen.outputs, 50.0)))):
        if distributions(values.T) and not distributions(values):
            return {"what": f"{taken} goes over the samples of a batch: its columns sum to 1, its rows do not"}
    return None


def _sigmoids(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """Exclusive classes, one sigmoid each: the declared last layer says so and the rows do not sum to 1."""
    if seen.family != "categorical" or seen.classes < 2 or distributions(seen.outputs):
        return None
    inside = bool((seen.outputs >= 0).all() and (seen.outputs <= 1).all())
    if not inside or last_activation(view) != "sigmoid" or seen.labels() is None:
        return None
    return {"what": f"{seen.classes} exclusive classes have a sigmoid each, under a cross entropy over classes"}


def _out_of_reach(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """Targets of a regression beyond the range of the last activation, more than one in twenty."""
    if seen.family != "regression" or seen.targets is None:
        return None
    activation = last_activation(view) or _cut(seen)
    bounds = {"sigmoid": (0.0, 1.0), "softmax": (0.0, 1.0), "tanh": (-1.0, 1.0), "relu": (0.0, np.inf)}.get(activation)
    if bounds is None:
        return None
    low, high = bounds
    if seen.outputs.min() < low - 1e-6 or seen.outputs.max() > high + 1e-6:
        return None
    beyond = float(((seen.targets < low - 1e-6) | (seen.targets > high + 1e-6)).mean())
    if beyond <= 0.05:
        return None
    reach = "0 and more" if high == np.inf else f"{low:g} to {high:g}"
    what = f"{activation} gives {reach}, but {beyond:.0%} of the targets lie beyond"
    return {"what": what, "beyond": beyond, "activation": activation, "target_range": _range(seen.targets)}


def _cut_off(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """A cross entropy of what went through a ReLU: of classes, what is 0 gets no gradient, or no logarithm."""
    if seen.family not in {"binary", "categorical"} or seen.outputs.min() < 0:
        return None
    told, zero = last_activation(view), float((seen.outputs == 0).mean())
    if told != "relu" and (told or zero < _CUT or seen.logits is not True):
        return None
    taken = "" if seen.logits is None else " from logits" if seen.logits else " of probabilities"
    what = f"relu before a cross entropy{taken}: {zero:.0%} of the outputs are 0"
    certain = told == "relu" and seen.logits is False
    return {"what": what, "zero_outputs": zero, "activation": told or "relu", "certain": certain}


def _clamped(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """Outputs cut off to 0..1 to serve as probabilities: no gradient passes where they are exactly 0 or 1."""
    activation, zero = last_activation(view), float((seen.outputs == 0).mean())
    if seen.family != "binary" or seen.logits is not False or activation in {"sigmoid", "softmax"}:
        return None
    # A sigmoid that gives an exact 0 has been given less than -88; one zero in ten is no sigmoid's.
    if zero < _CUT or seen.outputs.min() < 0 or seen.outputs.max() > 1:
        return None
    ends = zero + float((seen.outputs == 1).mean())
    what = f"outputs are cut off to 0..1 before a binary cross entropy: {ends:.0%} of them are exactly 0 or 1"
    return {"what": what, "zero_outputs": zero, "activation": activation}


def _cut(seen: Scored) -> str:
    """``relu`` where a regression's outputs are never negative and often exactly 0: nothing else does that."""
    cut = seen.family == "regression" and seen.outputs.min() >= 0 and float((seen.outputs == 0).mean()) >= _CUT
    return "relu" if cut else ""


def _range(values: F64) -> list[float]:
    return [float(values.min()), float(values.max())]


def last_activation(view: RecordView) -> str:
    """The activation that the model ends in, lower case; "" where it is not known."""
    told = view.facts.get("output_activation")
    if isinstance(told, str):
        return told.lower()
    if view.run.framework == "torch" and not str(view.run.section("model").get("class", "")).endswith(".Sequential"):
        return ""  # modules are listed as they were registered, which need not be the order in which they run
    layers = [layer for layer in view.run.layers if not str(layer.get("class", "")).lower().startswith(("dropout",))]
    if not layers:
        return ""
    last = layers[-1]
    named = last.get("activation")
    if isinstance(named, str):
        return named.lower()
    kind = str(last.get("class", "")).lower()
    return kind if kind in {"sigmoid", "softmax", "tanh", "relu"} else ""
