"""Units that are always off, or always at their ends."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

import numpy as np

from auditor.detect.evidence.cost import data_loss
from auditor.detect.evidence.progress import Progress
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject

#: Samples of a batch from which on units that are zero for all of it are dead: of those that answer one sample in
#: ten, a fifth is silent for as many by chance, of those that answer every other one none is.
_FEWEST: Final = 16
#: Part of the cost of guessing below which the loss shows that saturated units do no harm (ours).
_LEARNT: Final = 0.5


@dataclass(frozen=True, slots=True)
class DeadParameters:
    """Thresholds.

    ``share``: part of a layer's units, 0.5 (SageMaker Debugger's dead_relu, DeepDiagnosis), with a run
    that learns nothing as proof (ours: well-trained wide layers have as many). ``all``: part that
    needs no such proof, 0.98 (ours). ``held``: samples in a row, 3, at least ``span`` steps apart, 50.
    """

    share: float = 0.5
    all: float = 0.98
    held: int = 3
    span: int = 50


@dataclass(frozen=True, slots=True)
class SaturatedParameters(DeadParameters):
    """Thresholds.

    ``share``: part of a layer's outputs, 0.5 (SageMaker Debugger's saturated_activation), with a run
    that learns nothing, or saturated from the first steps on, as proof. ``all``: 0.98 (ours).
    ``held``, ``span``: as for dead units.
    """


@dataclass(slots=True)
class UnitMemory:
    """Of each layer: samples in a row beyond the share, the step of the first of them, and its first sample.

    ``looked``: step of the last sample; ``level``: the losses there and then, and at the sample before.
    ``samples``: of the last recorded batch, 0 unknown.
    """

    progress: Progress = field(default_factory=Progress)
    held: dict[str, int] = field(default_factory=dict)
    since: dict[str, int] = field(default_factory=dict)
    first: dict[str, float] = field(default_factory=dict)
    last_layer: str = ""
    looked: int = -1
    samples: int = 0
    level: list[float] = field(default_factory=list)


class UnitRule(Rule):
    """A share of each layer's units, sampled; judged with the run's progress."""

    prefix: ClassVar[str]
    State = UnitMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns the cost of guessing and which layer comes last."""
        self.memory.progress.observe_record(view)
        batch = next(iter(view.of("batch").values()), None)
        if view.phase == "train" and batch is not None and batch.shape:
            self.memory.samples = batch.shape[0]
        layers = view.facts.get("layers")
        if isinstance(layers, list) and layers and isinstance(layers[-1], dict):
            self.memory.last_layer = str(layers[-1].get("name", ""))
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """Said of the first layer whose share held."""
        memory, found, done, losses = self.memory, [], 0, data_loss(view)
        memory.progress.cost.observe(view)
        for at, layer, share in sorted(self._samples(view), key=lambda sample: sample[0]):
            memory.progress.add(losses[done : at + 1])
            done = max(done, at + 1)
            memory.first.setdefault(layer, share)
            if int(view.steps[at]) != memory.looked:
                memory.looked, memory.level = int(view.steps[at]), [*memory.level, memory.progress.recent][-2:]
            finding = self._take(view, at, layer, share)
            found += [finding] if finding else []
        memory.progress.add(losses[done:])
        return found

    def _samples(self, view: StepView) -> Iterator[tuple[int, str, float]]:
        for name, at, values in view.scalars(self.prefix):
            for place, share in zip(at.tolist(), values.tolist(), strict=True):
                yield place, name.removeprefix(self.prefix), share

    def unjudged(self) -> str | None:
        """No shares were told."""
        return None if self.memory.first else f"no {self.prefix}… was captured"

    def proven(self, layer: str, share: float) -> str | None:
        """What shows that the share of ``layer`` does harm, None if nothing does."""
        del layer
        if share >= self.parameters.all:
            return "nothing passes the layer"
        return "the run learns nothing" if self.memory.progress.stuck and not self._learning() else None

    def _learning(self) -> bool:
        """Whether the losses have fallen since the sample before, by more than their noise: they are on their way."""
        last = self.memory.progress.losses.last
        before, now = self.memory.level if len(self.memory.level) > 1 else (math.nan, math.nan)
        return bool(before - now > 2 * 1.25 * float(np.std(last)) * math.sqrt(2 / len(last))) if len(last) else False

    def _take(self, view: StepView, at: int, layer: str, share: float) -> Finding | None:
        memory, step = self.memory, int(view.steps[at])
        if not share >= self.parameters.share:
            memory.held.pop(layer, None)
            memory.since.pop(layer, None)
            return self._over(view, at, layer)
        memory.held[layer] = memory.held.get(layer, 0) + 1
        memory.since.setdefault(layer, step)
        if memory.held[layer] < self.parameters.held or step - memory.since[layer] < self.parameters.span:
            return None
        proof = None if layer == memory.last_layer else self.proven(layer, share)
        if proof is None:
            return None
        evidence = {"share": share, "since": memory.since[layer], "proof": proof, **self._numbers()}
        return self.finding(view, at, Subject("activation", layer, view.rank), evidence)

    def _over(self, view: StepView, at: int, layer: str) -> Finding | None:
        if not self.active or self.memory.held:
            return None
        return self.cleared(view, at, Subject("activation", layer, view.rank))

    def _numbers(self) -> dict[str, Any]:
        progress = self.memory.progress
        chance = progress.chance
        numbers = {"recent_loss": progress.recent, "initial_loss": progress.losses.initial}
        return numbers | ({"chance": chance} if chance is not None else {})


class DeadUnits(UnitRule):
    """ReLU units that are zero for every sample."""

    id = "dead_units"
    prefix = "dead_units/"
    severity = Severity.WARNING
    phase = "activation"
    meaning = "most units of a ReLU layer are zero for every sample: no gradient passes them"
    needs = "dead_units/LAYER, sampled; loss"
    trigger = (
        "at least half of a hidden layer's units are zero for the whole batch (of 16 samples or more) at 3 looks over "
        "at least 50 steps, and the run learns nothing (loss above 0.9 times the cost of guessing, or of its start, "
        "after 100 steps); or 98 % of them"
    )
    source = "SMD dead_relu, AutoTrainer, DeepDiagnosis; the proof is ours"
    summary = "{share:.0%} of the units of {name} have been zero for every sample since step {since}: {proof}{where}."
    likely_causes = (
        "a learning rate so large that one step pushed the biases far below zero",
        "initial weights or inputs with a mean far from zero",
    )
    advice = (
        "Lower lr= by ten, check the initialiser (He/Kaiming, mean 0) and the inputs' scale; nn.LeakyReLU or GELU "
        "instead of ReLU keeps a gradient where a unit is off."
    )
    consequence_of = (
        *("poor_init", "input_scale", "exploding_gradient", "loss_spike", "learning_rate", "loss_diverging"),
        *("data_order_fixed", "embedding_unused"),
    )
    Parameters = DeadParameters

    def unjudged(self) -> str | None:
        """No shares were told, or of too few samples."""
        few = 0 < self.memory.samples < _FEWEST
        return f"batches of less than {_FEWEST} samples show no dead units" if few else super().unjudged()

    def proven(self, layer: str, share: float) -> str | None:
        """A unit that is off for a handful of samples is on for others."""
        return None if 0 < self.memory.samples < _FEWEST else super().proven(layer, share)


class SaturatedUnits(UnitRule):
    """Sigmoid or tanh units at their ends."""

    id = "saturated_units"
    prefix = "saturated/"
    severity = Severity.WARNING
    phase = "activation"
    meaning = "most outputs of a sigmoid or tanh layer are at their ends: next to no gradient passes them"
    needs = "saturated/LAYER, sampled; loss"
    trigger = (
        "at least half of a hidden layer's outputs at their ends (tanh beyond 0.99, sigmoid outside 0.01..0.99) in 3 "
        "samples over at least 50 steps, and either the run learns nothing, or they were so at the first step and the "
        "loss is not below half of the cost of guessing; or 98 %"
    )
    source = "SMD saturated_activation, DeepDiagnosis, TheDeepChecker; the proofs are ours"
    summary = "{share:.0%} of the outputs of {name} have been at their ends since step {since}: {proof}{where}."
    likely_causes = (
        "initial weights far too large for the number of inputs",
        "inputs that were not normalised",
        "a learning rate so large that the weights grew in the first steps",
    )
    advice = (
        "Initialise with Glorot/Xavier (nn.init.xavier_uniform_, kernel_initializer='glorot_uniform'), standardise the "
        "inputs, lower lr=; or put a normalisation layer before the activation."
    )
    consequence_of = ("poor_init", "input_scale", "exploding_gradient", "learning_rate", "loss_diverging")
    Parameters = SaturatedParameters

    def proven(self, layer: str, share: float) -> str | None:
        """Saturated at the first sample counts too: no training has put it there."""
        if self.memory.first.get(layer, 0.0) >= self.parameters.share and not self._learnt():
            return f"{self.memory.first[layer]:.0%} of them from the first step on"
        return super().proven(layer, share)

    def _learnt(self) -> bool:
        """Whether more than half is learnt of what there is: what passes the layer is enough."""
        progress = self.memory.progress
        chance = progress.chance
        return chance is not None and progress.recent < _LEARNT * chance
