"""Outputs that do not fit the loss they are given to: of the wrong scale, or cut off."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.ending import ROUNDED, connects, direct, distributions, last_activation, near, operation
from auditor.detect.evidence.heads import Head, heads
from auditor.detect.evidence.hidden import hidden_softmax
from auditor.detect.evidence.scored import Scored, scored
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import F64
from auditor.model import Finding, Severity, Subject

#: Share of exact zeros that shows a ReLU at the end of a model whose last activation is not told (ours).
_CUT: Final = 0.1
#: Activations that come to exactly 1 where what they are given is large.
_ENDS: Final = frozenset({"sigmoid", "hard_sigmoid", "tanh"})
#: What torch's losses of logarithms were given, as recorded.
_NLL: Final = frozenset({"NllLoss.input", "NllLoss2D.input"})
#: Recordings that must prove a hidden softmax.
_PROVEN: Final = 2
#: Share of the targets that an activation cannot give, beyond which it does not fit (ours: outliers are fewer).
_BEYOND: Final = 0.05
#: Sum of a row of targets from which it names two labels (smoothing raises that of one by less than a half).
_SEVERAL: Final = 1.5


@dataclass(frozen=True, slots=True)
class OutputParameters:
    """``hold``: recorded steps in a row that must show the fault, 3 (ours: one odd batch is no fault)."""

    hold: int = 3


@dataclass(slots=True)
class OutputMemory:
    """``judged``: outputs of recorded steps that could be judged; ``held``: of each, how many of the last showed it."""

    judged: int = 0
    held: dict[str, int] = field(default_factory=dict)


class OutputRule(Rule):
    """Looks at the outputs of recorded training steps, and speaks when several in a row agree."""

    Parameters = OutputParameters
    State = OutputMemory

    @abstractmethod
    def look(self, view: RecordView, seen: Scored) -> dict[str, Any] | None:
        """The evidence of the fault, None if this step does not show it."""

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Of a model of several outputs each is judged by itself."""
        return [finding for head in heads(view) for finding in self.judge(head)]

    def judge(self, view: RecordView) -> list[Finding]:
        """Said at the last of ``hold`` recorded steps that show it; cleared at the first that does not."""
        seen, name = scored(view), view.name if isinstance(view, Head) else "output0"
        if seen is None or not np.isfinite(seen.outputs).all():
            return []
        self.memory.judged += 1
        evidence, hold = self.look(view, seen), self.parameters.hold
        subject, held = Subject("output", name, view.rank), self.memory.held.pop(name, 0)
        if evidence is None:
            return [self.cleared(view, 0, subject)] if self.active and held >= hold else []
        self.memory.held[name] = held = hold if evidence.get("certain") is True else held + 1
        return [self.finding(view, 0, subject, evidence)] if held >= hold else []

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
        logarithms = _logarithms(view, seen)
        if logarithms is not None:
            off = ~near(np.exp(np.minimum(logarithms, 50.0)).sum(axis=1), 1.0)
            low, high = float(logarithms.min()), float(logarithms.max())
            share, taken = float(off.mean()), "logarithms of probabilities"
        elif seen.family in {"categorical", "binary"} and seen.logits is False:
            outside = (seen.outputs < -ROUNDED) | (seen.outputs > 1 + ROUNDED)
            share, taken = float(outside.mean()), "probabilities"
        else:
            return None
        return {"share": share, "low": low, "high": high, "taken": taken} if share > 0.01 else None


def _logarithms(view: RecordView, seen: Scored) -> F64 | None:
    """What the loss takes for logarithms of probabilities, classes along axis 1; None if it does not take such.

    NLLLoss may be given something that was worked out of the model's output: its logarithm, its pixels
    in rows. Then its own input says, where it was recorded whole, and nothing else.
    """
    # The negative of probabilities is no positive loss: their logarithm is taken between.
    taken = seen.outputs.min() >= 0 and (seen.loss or 0.0) > 0
    if connects(view):
        return None if taken else seen.outputs
    if operation(view) != "NllLoss":
        return None
    given = next((one for name, one in view.of("output").items() if name in _NLL), None)
    if given is None:
        return seen.outputs if direct(view) and not taken else None
    values = given.whole().astype(np.float64) if given.values is not None and not given.sampled else None
    return values if values is not None and values.ndim > 1 and bool(np.isfinite(values).all()) else None


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
        "of probabilities; or logits that went through a tanh; or a softmax over the samples (columns that sum to 1, "
        "not rows), or over labels of which more than 5 % of the samples have several, under a binary cross entropy"
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
        "logits. C labels that may hold together: C units with sigmoid. Hidden layers: ReLU, GELU or tanh."
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
        whole = _single_softmax(view, seen) or _across(seen) or _sigmoids(view, seen) or _shared(seen)
        return whole or _cut_off(view, seen) or _clamped(view, seen) or _capped(view, seen) or _out_of_reach(view, seen)


def _single_softmax(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    if last_activation(view) in _ENDS:
        return None  # that is at its end for every sample: what drives it there is another fault
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


def _shared(seen: Scored) -> dict[str, Any] | None:
    """Several labels at a time under a softmax: what one of them is given, the others lose.

    Rows of one-hot targets lose nothing by it, smoothed or mixed ones neither: they sum to about 1.
    """
    targets = seen.targets
    if seen.family != "binary" or seen.classes < 2 or targets is None or targets.shape[-1:] != (seen.classes,):
        return None
    several = float((targets.reshape(-1, seen.classes).sum(axis=1) >= _SEVERAL).mean())
    if several <= _BEYOND or not distributions(seen.outputs):
        return None
    what = f"softmax shares 1 among {seen.classes} labels, but {several:.0%} of the samples have two of them or more"
    return {"what": what, "beyond": several, "activation": "softmax"}


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
    if beyond <= _BEYOND:
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


def _capped(view: RecordView, seen: Scored) -> dict[str, Any] | None:
    """Logits that went through a tanh: from -1 to 1 no answer can be sure."""
    if seen.family not in {"binary", "categorical"} or seen.logits is not True or last_activation(view) != "tanh":
        return None
    if not np.abs(seen.outputs).max() <= 1 or (seen.family == "categorical" and seen.classes < 2):
        return None
    others = 1.0 if seen.family == "binary" else (seen.classes - 1) * float(np.exp(-1.0))
    surest = 1 / (1 + others * float(np.exp(-1.0)))
    what = f"tanh before a cross entropy from logits: no answer can be surer than {surest:.0%}"
    return {"what": what, "surest": surest, "activation": "tanh"}


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
