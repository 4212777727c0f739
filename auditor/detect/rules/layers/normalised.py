"""Normalisation that computes one thing in training and another in evaluation."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.course import middle
from auditor.detect.facts import RunFacts
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Frameworks in which the momentum is the part that is kept, not the part that is new.
_RETAINING: Final = frozenset({"keras", "tensorflow"})


@dataclass(frozen=True, slots=True)
class GapParameters:
    """Thresholds, ours.

    ``gap``: how far evaluation is from training, median over a layer's units: shift of the mean by the
    standard deviation, or |log| of the ratio of standard deviations, 1 (an e-fold). ``steps``: training
    steps before it counts, 100: running statistics of torch's default have forgotten their start by
    then (0.9¹⁰⁰), those of Keras' (0.99) all but a third. ``times``: recorded evaluations, 2.
    ``declared``: steps after which statistics that are declared never to move count, 50. ``kept``: part
    of their start that statistics must still hold to count as slow, 0.5. ``learnt``: part of the first
    loss below which training must have come, 0.7; of what it has gained evaluation has ``gained``, 0.5, at most.
    ``stretch``: times too large that the weights of a layer with spectral norm were, 3 (one pass of training
    leaves less even of two units; before it they are 10 to 35 times too large in the median, measured on layers
    of 8 to 512 units), in an evaluation of ``samples``, 16 (ours: a dry run to learn shapes has a few). ``alone``:
    steps of a single sample each, after which a loss that is not down to ``learnt`` shows it, 200.
    """

    gap: float = 1.0
    steps: int = 100
    times: int = 2
    declared: int = 50
    kept: float = 0.5
    learnt: float = 0.7
    gained: float = 0.5
    stretch: float = 3.0
    samples: int = 16
    alone: int = 200


@dataclass(slots=True)
class GapMemory:
    """``train``: a normalisation's units in the last recorded training step; ``held``: evaluations that were off.

    ``behind``: evaluations in a row that had not gained what training had. ``first``: the first losses. ``alone``:
    how often a step was told to have a single sample; -1 once it had more, or ran without statistics of its own.
    """

    train: dict[str, list[list[float]]] = field(default_factory=dict)
    held: dict[str, int] = field(default_factory=dict)
    compared: int = 0
    steps: int = 0
    losses: list[float] = field(default_factory=list)
    evaluated: float = math.nan
    fresh: list[str] = field(default_factory=list)
    looked: bool = False
    first: list[float] = field(default_factory=list)
    behind: int = 0
    alone: int = 0


class TrainEvalGap(Rule):
    """Evaluation does not normalise as training does."""

    id = "train_eval_gap_at_start"
    severity = Severity.WARNING
    phase = "activation"
    meaning = "normalisation does something else in evaluation than in training: its statistics are not updated"
    needs = (
        "recordings of evaluations with the layers' units, the declared momentum of the layers, or the event `unready`"
    )
    trigger = (
        "after 100 steps, in two recorded evaluations in a row, the units of a normalisation layer have means off by "
        "their standard deviation or spreads off by a factor e, in the median, against the recorded training step; or "
        "a layer that is as it was initialised declares a momentum with which its statistics never move; or one with "
        "which they still hold half of their start, and in two evaluations in a row, after 100 steps, the loss has "
        "gained less than half of what it has in training; or 16 samples or more were evaluated while the weights of a "
        "layer with spectral norm were 3 times too large or more, for no pass in training mode had come before; or "
        "each of the first 200 batches of a model with batch normalisation has one sample, and the loss is above 0.7 "
        "of its start (a single optimizer: adversaries are no measure)"
    )
    source = "seeds, UMLAUT (CHI'21); the test on units is ours"
    summary = "{name} normalises in evaluation by other statistics than in training: {why} (step {step}{where})."
    likely_causes = (
        "momentum=0 in PyTorch, or momentum=1 in Keras: the two mean opposite things",
        "a momentum so slow that the statistics are those of the start when the evaluation comes",
        "an evaluation before the first training pass of a model with spectral norm, whose power iteration has not run",
        "evaluation data of another scale than the training data, or another preprocessing",
        "batches of one sample: GroupNorm or LayerNorm do not look at the others of a batch",
    )
    advice = (
        "Set the momentum of the layer: torch.nn.BatchNorm2d(n, momentum=0.1), keras.layers.BatchNormalization"
        "(momentum=0.9); compare the preprocessing of both data sets. With spectral norm, call the model a few "
        "times in training mode before its first evaluation (Keras: model(x, training=True)), or use "
        "torch.nn.utils.parametrizations.spectral_norm, which begins with 15 iterations."
    )
    consequence_of = ("wrong_mode", "input_scale")
    Parameters = GapParameters
    State = GapMemory

    def observe(self, view: StepView) -> list[Finding]:
        """The declared momentum, once training has gone on for a while."""
        memory = self.memory
        self._look(view)
        before, memory.steps = memory.steps, memory.steps + len(view)
        found = [] if self.active else self._single(view, before)
        found += self._early(view) or self._slow(view, before)
        mark = self.parameters.declared
        if found or self.active or not before < mark <= memory.steps:
            return found
        layer = _frozen(view.run, memory.fresh)
        if layer is None:
            return []
        name, momentum = layer
        why = f"momentum {momentum:g} never updates them, they are those of the start"
        evidence: dict[str, Any] = {"why": why, "momentum": momentum, "train_loss": middle(np.array(memory.losses))}
        evidence |= {"val_loss": memory.evaluated} if math.isfinite(memory.evaluated) else {}
        return [self.finding(view, mark - before - 1, Subject("activation", name, view.rank), evidence)]

    def _single(self, view: StepView, before: int) -> list[Finding]:
        """Batches of one: what is normalised by its own mean alone says nothing of its size, or nothing at all."""
        memory, mark = self.memory, self.parameters.alone
        at, values = view.scalar("samples")
        told = values[at < mark - before]
        if before >= mark or memory.alone < 0:
            return []
        turned = [event for _, event in view.events("mode") if event.get("phase") == "train"]
        frozen = any("norm" in str(kind).lower() for event in turned for kind in event.get("kinds") or ())
        memory.alone = -1 if frozen or (told != 1).any() else memory.alone + len(told)
        several = isinstance(view.run.section().get("optimizers"), list)
        name = next((str(one.get("name")) for one in view.run.layers if _batchwise(one)), None)
        if memory.steps < mark or memory.alone < self.parameters.times or several or name is None:
            return []
        heard = view.loss[: mark - before]
        start, now = (
            middle(np.array(memory.first)),
            middle(np.array([*memory.losses, *heard[np.isfinite(heard)]])[-50:]),
        )
        if not now > self.parameters.learnt * start > 0:
            return []
        why = (
            f"each of the first {mark} batches has one sample, whose own statistics leave little of it, and the loss "
            f"is {now:.4g}, it began at {start:.4g}"
        )
        evidence = {"why": why, "samples": 1, "train_loss": now, "initial_loss": start}
        return [self.finding(view, mark - before - 1, Subject("activation", name, view.rank), evidence)]

    def _slow(self, view: StepView, before: int) -> list[Finding]:
        """Evaluations that do not gain, where the statistics are mostly those of the start."""
        memory, parameters, found, done = self.memory, self.parameters, list[Finding](), 0
        for at, value in zip(*view.scalar("val_loss"), strict=True):
            self._heard(view.loss[done : int(at) + 1])
            done, steps, memory.evaluated = int(at) + 1, before + int(at) + 1, float(value)
            start, now = middle(np.array(memory.first)), middle(np.array(memory.losses))
            learnt = start > 0 and now < parameters.learnt * start
            lag = not value <= start - parameters.gained * (start - now)
            layer = (
                _lagging(view.run, [*memory.fresh, *_made(view.run)], steps, parameters.kept)
                if learnt and lag
                else None
            )
            memory.behind = memory.behind + 1 if layer is not None and steps >= parameters.steps else 0
            if layer is None or memory.behind < parameters.times or self.active or found:
                continue
            name, momentum, kept = layer
            why = (
                f"with momentum {momentum:g} they are still {kept:.0%} of the start, and the loss there is {value:.4g}"
            )
            evidence: dict[str, Any] = {"why": why, "momentum": momentum, "kept": kept, "train_loss": now}
            evidence |= {"val_loss": float(value), "initial_loss": start}
            found.append(self.finding(view, int(at), Subject("activation", name, view.rank), evidence))
        self._heard(view.loss[done:])
        return found

    def _heard(self, losses: F64) -> None:
        finite = losses[np.isfinite(losses)].tolist()
        self.memory.first = [*self.memory.first, *finite][:10]
        self.memory.losses = [*self.memory.losses, *finite][-50:]

    def _early(self, view: StepView) -> list[Finding]:
        """An evaluation before the normalisation of the weights had begun."""
        for at, event in view.events("unready"):
            factors, layers = event.get("factors") or [0.0], event.get("layers") or ["model"]
            samples = event.get("samples")
            few = not isinstance(samples, int) or samples < self.parameters.samples
            if self.active or few or not float(factors[0]) >= self.parameters.stretch:
                continue
            self.memory.compared += 1
            why = f"it was evaluated before the first pass in training, with weights {factors[0]:.3g} times too large"
            evidence = {"why": why, "factor": float(factors[0]), "layers": len(layers), "samples": samples}
            return [self.finding(view, at, Subject("activation", str(layers[0]), view.rank), evidence)]
        return []

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Units of normalisation layers, in training and in the evaluation that follows."""
        memory = self.memory
        kinds = {str(one.get("name")): str(one.get("kind", "")) for one in view.facts.get("layers") or ()}
        units = {
            name: one.whole().astype(np.float64)
            for name, one in view.of("units").items()
            if "batchnorm" in kinds.get(name, "").lower() and not one.sampled and one.values is not None
        }
        if view.phase == "train":
            memory.train = {name: rows[:2].tolist() for name, rows in list(units.items())[:16]} or memory.train
            return []
        if view.step < self.parameters.steps or str(view.facts.get("training", "false")) == "true":
            return []
        worst: tuple[str, float] | None = None
        for name, rows in units.items():
            if name not in memory.train:
                continue
            memory.compared += 1
            gap = _gap(np.array(memory.train[name]), rows)
            memory.held[name] = memory.held.get(name, 0) + 1 if gap > self.parameters.gap else 0
            if memory.held[name] >= self.parameters.times and (worst is None or gap > worst[1]):
                worst = name, gap
        if worst is None or self.active:
            return []
        name, gap = worst
        why = f"its units are off by {gap:.2g} standard deviations or e-folds in the median"
        evidence = {"why": why, "gap": gap, "units": len(memory.train[name][0]), "evaluations": memory.held[name]}
        return [self.finding(view, 0, Subject("activation", name, view.rank), evidence)]

    def unjudged(self) -> str | None:
        """Nothing to compare."""
        known = self.memory.compared or self.memory.fresh
        return None if known else "no batch normalisation was seen, or no evaluation of it was recorded"

    def _look(self, view: StepView) -> None:
        if self.memory.looked:
            return
        for block, columns in view.blocks("weight"):
            self.memory.looked = True
            ones = (block.stat("min")[0, columns] == 1) & (block.stat("max")[0, columns] == 1)
            self.memory.fresh += [view.table[int(block.tensors[column])].name for column in columns[ones]]


def _gap(train: F64, evaluation: F64) -> float:
    """Median over units of the larger of shift and |log ratio| of spreads."""
    spread = np.maximum(train[1], 1e-12)
    shift = np.abs(evaluation[0] - train[0]) / spread
    ratio = np.abs(np.log(np.maximum(evaluation[1], 1e-12) / spread))
    alive = train[1] > 1e-6
    return float(np.median(np.maximum(shift, ratio)[alive])) if alive.any() else 0.0


def _made(run: RunFacts) -> list[str]:
    """Weights that the manifest tells to have been ones before the first step."""
    told = run.section("init", "weights") or run.section("init")
    return [name for name, one in told.items() if isinstance(one, Mapping) and one.get("min") == one.get("max") == 1]


def _frozen(run: RunFacts, fresh: list[str]) -> tuple[str, float] | None:
    """The first batch normalisation that declares never to move and whose scale is as it was made."""
    never = 1.0 if run.framework in _RETAINING else 0.0
    return next(((name, told) for name, told in _declared(run, fresh) if told == never), None)


def _lagging(run: RunFacts, fresh: list[str], steps: int, least: float) -> tuple[str, float, float] | None:
    """The first whose statistics still hold ``least`` of their start after ``steps``: momentum, and the part it is."""
    for name, told in _declared(run, fresh):
        kept = (told if run.framework in _RETAINING else 1 - told) ** steps
        if least <= kept < 1:
            return name, told, kept
    return None


def _batchwise(layer: Mapping[str, Any]) -> bool:
    """Whether a declared layer normalises over the samples of a batch while it is trained."""
    told = str(layer.get("class", "")).lower().startswith(("batchnorm", "syncbatchnorm"))
    return told and layer.get("trainable", True) is not False


def _declared(run: RunFacts, fresh: list[str]) -> Iterator[tuple[str, float]]:
    """Batch normalisations that keep statistics and whose scale is as it was made, with their momentum."""
    for layer in run.layers:
        if not str(layer.get("class", "")).lower().startswith(("batchnorm", "syncbatchnorm")):
            continue
        config = layer.get("config")
        told = layer.get("momentum", config.get("momentum") if isinstance(config, Mapping) else None)
        tracked = layer.get("track_running_stats", True) and layer.get("trainable", True)
        if isinstance(told, bool) or not isinstance(told, (int, float)) or not tracked:
            continue
        name = str(layer.get("name"))
        if any(weight.replace("/", ".").startswith(f"{name}.") or f"/{name}/" in weight for weight in fresh):
            yield name, float(told)
