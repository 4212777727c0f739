"""Training in evaluation mode, and evaluation in training mode."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject
from auditor_agent.statistics import MOMENTS

#: What the classes of layers that normalise by the batch have in their names.
_NORMS: Final = ("norm",)


@dataclass(frozen=True, slots=True)
class ModeParameters:
    """``steps``: training steps in the wrong mode until it is said, 20 (ours: a dry run is over by then).

    ``evaluations``: evaluations in the wrong mode, 2, and ``apart``: training steps between two of them,
    5 (ours: a teacher or a policy that runs at every step is no evaluation).
    """

    steps: int = 20
    evaluations: int = 2
    apart: int = 5


@dataclass(slots=True)
class ModeMemory:
    """The last word on each phase, when it came, and what tells a recipe from a fault.

    ``fresh``: normalisation weights that were all 1 at the first step. ``since``: step from which on the
    training mode is as it is; ``right_at``: step in which a pass that a gradient follows was last in training mode;
    ``evaluated``: evaluations in training mode, the last at ``last``.
    ``apart``: the model itself is in training mode, and single layers were turned.
    """

    training: str = ""
    kinds: list[str] = field(default_factory=list)
    modules: list[str] = field(default_factory=list)
    since: int = -1
    right_at: int = -1
    was_right: bool = False
    apart: bool = False
    seen_evaluation: bool = False
    evaluation: str = ""
    evaluation_kinds: list[str] = field(default_factory=list)
    evaluation_modules: list[str] = field(default_factory=list)
    evaluated: int = 0
    last: int = -1
    fresh: list[str] = field(default_factory=list)
    told: bool = False


class WrongMode(Rule):
    """Layers are in the mode of the other phase."""

    id = "wrong_mode"
    severity = Severity.WARNING
    phase = "activation"
    meaning = "training runs in evaluation mode (dropout off, normalisation frozen), or evaluation in training mode"
    needs = "mode events"
    trigger = (
        "20 steps in a row in which all layers with two modes are in evaluation mode, if dropout is among them, or "
        "training began in the right mode and the model as a whole was turned, or the normalisation is as it was "
        "initialised (a network that goes on from trained weights may freeze it); or two evaluations, not at every "
        "step, with dropout or normalisation in training mode, or (Keras) one of a model that was itself called with "
        "training=True (PyTorch: not where the model itself is in evaluation mode and single layers were turned, as "
        "for Monte Carlo dropout; TensorFlow loops: not of a model whose outputs other models judge, as a generator's)"
    )
    source = "TrainCheck (OSDI'25), seeds"
    summary = "{what}: {names} ({kinds}); step {step}{where}."
    likely_causes = (
        "a validation function calls model.eval(), and nothing calls model.train() behind it",
        "model(x) in a custom loop without training=True, or model(x, training=True) in the evaluation",
    )
    advice = (
        "Call model.train() at the beginning of every epoch and model.eval() before every evaluation (Keras loops: "
        "model(x, training=True) under the tape, model(x, training=False) elsewhere)."
    )
    Parameters = ModeParameters
    State = ModeMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Takes the events in, then asks at the view's steps how long it has been so."""
        self._fresh(view)
        found: list[Finding] = []
        for at, kind, event in _in_order(view):
            found += self._since(view, at)
            if kind == "evaluation":
                found += self._evaluation(view, at, int(event["step"]))
            elif event.get("phase") == "eval":
                found += self._evaluating(view, at, event)
            elif event.get("phase") == "train":
                found += self._training(view, at, event)
        return found + self._since(view, len(view))

    def _since(self, view: StepView, until: int) -> list[Finding]:
        """Whether training has been in evaluation mode for long enough, at one of the steps before ``until``."""
        memory = self.memory
        if memory.training != "false" or self.active or not until:
            return []
        late = np.flatnonzero(view.steps[:until].astype(np.int64) >= memory.since + self.parameters.steps - 1)
        if not len(late) or not self._fault():
            return []
        return [self._said(view, int(late[0]), "Training runs in evaluation mode", training=True)]

    def unjudged(self) -> str | None:
        """No mode was told."""
        known = self.memory.training or self.memory.evaluation
        return None if known else "the modes of the layers were not captured, or none of them has two"

    def _training(self, view: StepView, at: int, event: Mapping[str, Any]) -> list[Finding]:
        memory = self.memory
        memory.training, memory.since = str(event.get("training")), int(event["step"])
        memory.kinds, memory.modules = _words(event, "kinds"), _words(event, "modules")
        memory.was_right = memory.was_right or memory.training == "true"
        memory.right_at = memory.since if memory.training == "true" else memory.right_at
        if memory.training == "false" and memory.right_at == memory.since:
            memory.training = "mixed"  # another pass of the same step: a discriminator that judges, a teacher
        memory.apart = event.get("whole") is True
        if self.active and memory.training == "true" and memory.evaluation != "true":
            return [self.cleared(view, at, Subject("run", "model", view.rank))]
        return []

    def _evaluating(self, view: StepView, at: int, event: Mapping[str, Any]) -> list[Finding]:
        memory = self.memory
        memory.seen_evaluation = True
        memory.evaluation = str(event.get("training"))
        if event.get("unscored") is True:
            memory.evaluation = ""  # a generator is called to look at what it makes, with dropout for its noise
        if event.get("whole") is False:
            memory.evaluation = ""  # behind model.eval() single layers were turned: dropout for its spread of answers
        memory.evaluation_kinds, memory.evaluation_modules = _words(event, "kinds"), _words(event, "modules")
        memory.evaluated, memory.last = 0, -1
        # TensorFlow tells an evaluation once, when it is traced; normalisation alone may be a generator's.
        dropout = any(not _norm(kind) for kind in memory.evaluation_kinds)
        traced = view.run.framework == "tensorflow" and dropout
        # Keras likewise; there dropout may be meant to go on, as a layer that is itself called with training=True.
        traced = traced or (view.run.framework == "keras" and event.get("asked") is True)
        if traced and memory.evaluation == "true" and memory.evaluation_kinds and not self.active:
            return [self._said(view, at, "Evaluation runs in training mode", training=False)]
        return []

    def _evaluation(self, view: StepView, at: int, step: int) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        memory.seen_evaluation = True
        if memory.evaluation != "true" or not memory.evaluation_kinds:
            return []
        spaced = memory.last < 0 or step - memory.last >= parameters.apart
        memory.evaluated, memory.last = memory.evaluated + 1 if spaced else 0, step
        if memory.evaluated < parameters.evaluations or self.active:
            return []
        return [self._said(view, at, "Evaluation runs in training mode", training=False)]

    def _fault(self) -> bool:
        """Whether evaluation mode during training is none of the recipes."""
        memory = self.memory
        if any(not _norm(kind) for kind in memory.kinds):
            return True
        # model.eval() turns the model itself as well; who turns its normalisation alone freezes it on purpose.
        frozen_later = memory.was_right and memory.seen_evaluation and not memory.apart
        new = not memory.was_right and any(_of(weight, name) for name in memory.modules for weight in memory.fresh)
        return bool(memory.kinds) and (frozen_later or new)

    def _fresh(self, view: StepView) -> None:
        """Weights that are 1 throughout at the first look: a normalisation that has learnt nothing yet."""
        if self.memory.told:
            return
        lowest, largest = MOMENTS.index("min"), MOMENTS.index("max")
        for block, columns in view.blocks("weight"):
            self.memory.told = True
            floats = [block.stat(MOMENTS[place])[0, columns] for place in (lowest, largest)]
            ones = (floats[0] == 1) & (floats[1] == 1)
            self.memory.fresh += [view.table[int(block.tensors[column])].name for column in columns[ones]]

    def _said(self, view: StepView, at: int, what: str, *, training: bool) -> Finding:
        memory = self.memory
        kinds = memory.kinds if training else memory.evaluation_kinds
        modules = memory.modules if training else memory.evaluation_modules
        evidence = {
            "what": what,
            "names": ", ".join(modules),
            "kinds": ", ".join(dict.fromkeys(kinds)),
            "since": memory.since if training else memory.last,
            "was_right": memory.was_right,
        }
        return self.finding(view, at, Subject("run", "model", view.rank), evidence)


def _in_order(view: StepView) -> Iterable[tuple[int, str, Mapping[str, Any]]]:
    """Mode and evaluation events as they came."""
    for event in view.batch.events:
        kind = str(event.get("type"))
        if kind in {"mode", "evaluation"}:
            after = int(np.searchsorted(view.steps, int(event["step"]), side="right"))
            yield max(after - 1, 0), kind, event


def _words(event: Mapping[str, Any], name: str) -> list[str]:
    told = event.get(name)
    return [str(word) for word in told] if isinstance(told, list) else []


def _norm(kind: str) -> bool:
    return any(word in kind.lower() for word in _NORMS)


def _of(weight: str, module: str) -> bool:
    """Whether a parameter's name is one of the module's: ``net.1.weight`` of ``net.1``, ``…/bn/gamma`` of ``bn``."""
    parts = weight.replace("/", ".").split(".")
    wanted = module.replace("/", ".").split(".")
    return parts[: len(wanted)] == wanted or parts[-1 - len(wanted) : -1] == wanted
