"""A classifier that answers no better than one that always names the commonest class."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.lasting import Lasting
from auditor.detect.evidence.padding import padded
from auditor.detect.evidence.series import Recent
from auditor.detect.evidence.settled import settled
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.rules.loss.learning import CAUSES
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: The loss of data held out.
_HELD_OUT: Final = "val_loss"
#: Part of itself by which a validation loss must have fallen in the epochs that are looked at.
_FALLEN: Final = 0.02
#: Names of the share of right answers.
_ACCURACIES: Final = (
    *("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    "val_score",
)


@dataclass(frozen=True, slots=True)
class ChanceParameters:
    """Thresholds, ours.

    ``epochs``: evaluations of the metric in a row, 5; ``steps``: of the run, 200. ``errors``: standard
    errors of a share of ``samples`` answers (those told of the evaluation, else 100; a sequence has several
    each), 3, that the best of them may lie above the commonest class. ``uneven``: share of the commonest
    class, 0.6, from which on accuracy says little: then the loss must be that of guessing too (``loss``,
    0.95 of it). ``begun``: recorded steps from which on padding that is counted is looked for, 100, and ``late``: from
    which on it is said of a run that goes on, 400. ``fewest``: samples of an evaluation that is one of few, 50;
    ``ranked``: part of the cost of guessing below which a loss is, 0.7, where a class that is never named is told
    apart all the same.
    """

    epochs: int = 5
    steps: int = 200
    errors: float = 3.0
    samples: int = 100
    uneven: float = 0.6
    loss: float = 0.95
    begun: int = 100
    late: int = 400
    fewest: int = 50
    ranked: float = 0.7


@dataclass(slots=True)
class ChanceMemory:
    """The metric's last values by name, samples of an evaluation and of an epoch, and the losses."""

    cost: Cost = field(default_factory=Cost)
    losses: Recent = field(default_factory=lambda: Recent(limit=64))
    metrics: dict[str, list[float]] = field(default_factory=dict)
    best: dict[str, float] = field(default_factory=dict)
    held_out: list[float] = field(default_factory=list)
    """The last validation losses."""
    samples: int = 0
    answers: int = 1
    """Of each sample: a sequence's, one for each of its positions."""
    lasting: Lasting = field(default_factory=Lasting)
    """What is answered at the end."""
    padding: list[float] = field(default_factory=list)
    """Of the last recorded step that shows answers at chance beside padding: part of it, of right ones, commonest."""


class MetricChance(Rule):
    """A classifier answers no better than one that always names the commonest class."""

    id = "metric_chance"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "accuracy stays at that of always naming the commonest class"
    needs = "accuracy by epoch, of data not trained on if there is any; recordings with targets"
    trigger = (
        "after 5 epochs and 200 steps no accuracy of any epoch, of validation data where there is any, lies above the "
        "share of the commonest class by more than 3 standard errors, and it does not rise from epoch to epoch, nor "
        "does the validation loss fall (of validation data: once less than 1 % of the start is left in the running "
        "statistics of batch normalisation); where that class has 60 % or more, samples must count alike and the loss "
        "be that of guessing too, beyond the error of both; or half of the positions of sequences or more are "
        "padding, all of one class, the loss is the plain mean over all of them, and the others, from step 100 on, "
        "cost 0.95 of guessing them, or no more are right than of the commonest class (said at the end of the run, or "
        "from step 400 on); or, once a run of 100 steps or more has ended, all answers of the last evaluation are of "
        "one class and 10 targets or more of others (scikit-learn), or the accuracy of 5 epochs is the same to the "
        "last digit, that of the commonest class, and recorded answers name no other, while the loss is above 0.7 of "
        "guessing; or fewer than 5 evaluations, of 50 samples or more, found an accuracy at chance and a loss no "
        "better than guessing's"
    )
    source = "UMLAUT (CHI'21); the margin is ours"
    summary = "{what}; always naming the commonest class gives {majority:.1%}{where}."
    likely_causes = (
        "labels that do not belong to their inputs, of the training or of the validation data",
        "a model that learns nothing (learning rate, dead layers), or validation data prepared in another way",
        "padding that is counted in the loss, and drowns the positions that mean something",
    )
    advice = (
        "Look at ten validation samples with labels and predictions; evaluate on the training data: if that is at "
        "chance too, see loss_not_decreasing, else the two are prepared differently, or learnt by heart. Leave padding "
        "out of the loss: ignore_index= (PyTorch), mask_zero=True or ignore_class= (Keras), a mean by the mask."
    )
    consequence_of = (*CAUSES, "loss_not_decreasing", "loss_constant", "overfitting")
    Parameters = ChanceParameters
    State = ChanceMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns the classes' shares, and how many answers there are to a sample."""
        seen, batch = self.memory.cost.observe_record(view), next(iter(view.of("batch").values()), None)
        if seen is not None and batch is not None and batch.shape and batch.shape[0] > 0:
            self.memory.answers = max(1, len(seen.outputs) // batch.shape[0])
        parameters = self.parameters
        if seen is None or view.phase != "train" or view.step < parameters.begun:
            return []
        self.memory.lasting.answered(seen)
        found, self.memory.padding = padded(view, seen), []
        none = found is not None and found.loss > parameters.loss * found.guess
        if found is not None and (none or found.right <= self._limit(found.commonest, found.answers)):
            self.memory.padding = [found.share, found.right, found.commonest, found.loss, found.guess]
        return self._drowned(view) if view.step >= parameters.late else []

    def finish(self, last: Moment) -> list[Finding]:
        """A run that ended has learnt nothing else."""
        return self._drowned(last) or self._ended(last)

    def _ended(self, last: Moment) -> list[Finding]:
        """One class for all in the last evaluation; or an accuracy told seldom, or that never moved, at chance."""
        memory, parameters = self.memory, self.parameters
        if self.active or memory.losses.count < parameters.begun:
            return []
        name = next((one for one in memory.metrics if one.startswith("val_")), "accuracy")
        evidence = memory.lasting.one_class(last.step) or self._once(last, name) or self._stays(name)
        return [self.finding(last, 0, Subject("metric", name, last.rank), evidence)] if evidence else []

    def _once(self, last: Moment, name: str) -> dict[str, Any] | None:
        """Few evaluations, the last after training: no better than guessing, by answers and loss."""
        memory, parameters = self.memory, self.parameters
        share, chance = memory.cost.majority, memory.cost.chance
        values, task = memory.metrics.get(name, []), memory.cost.task
        single = task.family == "categorical" or (task.family == "binary" and task.classes == 1)
        few = 0 < len(values) < parameters.epochs and name.startswith("val_") and memory.samples >= parameters.fewest
        if not few or not single or not share < 0.98 or not memory.lasting.late(last.step) or memory.cost.ordered:
            return None
        limit = self._limit(share, memory.samples * memory.answers)
        if not 0 <= memory.best[name] <= limit or chance is None or not memory.held_out:
            return None
        if not min(memory.held_out) >= chance:
            return None
        what = f"{name} is {memory.best[name]:.1%} after {last.step} steps, at a loss of {memory.held_out[-1]:.4g} "
        what += f"(guessing: {chance:.4g})"
        evidence = {"what": what, "name": name, "best": memory.best[name], "limit": limit, "majority": share}
        return evidence | {"held_out": memory.held_out[-1], "chance": chance}

    def _stays(self, name: str) -> dict[str, Any] | None:
        """An accuracy that is the same to the last digit, that of the commonest class, the only one ever named."""
        memory, parameters = self.memory, self.parameters
        share, chance = memory.cost.majority, memory.cost.chance
        values = memory.metrics.get(name, [])
        if len(values) < parameters.epochs or len(set(values)) > 1 or not memory.lasting.recorded_one:
            return None
        samples = min(memory.samples or parameters.samples, len(memory.cost.task.targets))
        if not math.isfinite(share) or abs(values[-1] - share) > self._limit(share, max(samples, 1)) - share:
            return None
        if chance is None or float(np.median(memory.losses.last)) < parameters.ranked * chance:
            return None
        what = f"{name} is {values[-1]:.1%} in each of the last {len(values)} epochs: one class is all that is named"
        return {"what": what, "name": name, "best": values[-1], "majority": share, "epochs": len(values)}

    def _drowned(self, at: RecordView | Moment) -> list[Finding]:
        """Answers at chance where there is no padding, in a loss that padding has most of."""
        if self.active or not self.memory.padding:
            return []
        share, right, commonest, loss, guess = self.memory.padding
        what = (
            f"The loss counts padding, {share:.0%} of all positions; of the others {right:.1%} are answered rightly, "
        )
        what += f"at a cost of {loss:.4g} (guessing: {guess:.4g})"
        evidence = {"what": what, "share": share, "best": right, "majority": commonest, "loss": loss, "chance": guess}
        return [self.finding(at, 0, Subject("metric", "accuracy", at.rank), evidence)]

    def _limit(self, share: float, answers: int) -> float:
        """What the commonest class's share may come to by chance."""
        errors: float = self.parameters.errors
        return share + errors * math.sqrt(share * (1 - share) / answers)

    def observe(self, view: StepView) -> list[Finding]:
        """Judged at each epoch."""
        memory: ChanceMemory = self.memory
        memory.cost.observe(view)
        for _, event in view.events("evaluation"):
            memory.lasting.evaluated(int(event.get("step", 0)), event)
            samples = event.get("samples")
            memory.samples = max(memory.samples, samples) if isinstance(samples, int) else memory.samples
        heard = dict(zip(*(part.tolist() for part in view.scalar(_HELD_OUT)), strict=True))
        found: list[Finding] = []
        done = 0
        for place, told in _told(view):
            memory.losses.add(_finite(view.loss[done : place + 1]))
            done = place + 1
            for name, value in told.items():
                memory.metrics[name] = [*memory.metrics.get(name, []), value][-self.parameters.epochs :]
                memory.best[name] = max(memory.best.get(name, -math.inf), value)
            if place in heard:
                memory.held_out = [*memory.held_out, heard[place]][-self.parameters.epochs :]
            for name in told:
                found += self._judge(view, place, name) if self._judged(name) else []
        memory.losses.add(_finite(view.loss[done:]))
        return found

    def unjudged(self) -> str | None:
        """No metric, too few of it, or no classes."""
        memory = self.memory
        if not any(len(values) >= self.parameters.epochs for values in memory.metrics.values()):
            return f"fewer than {self.parameters.epochs} epochs with an accuracy"
        return None if math.isfinite(memory.cost.majority) else "no recording tells the targets' classes"

    def _judged(self, name: str) -> bool:
        """Whether ``name`` is what is judged: validation before training."""
        return name.startswith("val_") or not any(one.startswith("val_") for one in self.memory.metrics)

    def _judge(self, view: StepView, at: int, name: str) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        share, task = memory.cost.majority, memory.cost.task
        values = memory.metrics[name]
        enough = len(values) >= parameters.epochs and memory.losses.count >= parameters.steps
        single = task.family == "categorical" or (task.family == "binary" and task.classes == 1)
        if not enough or not single or not math.isfinite(share) or not share < 0.98:
            return []
        limit = self._limit(share, (memory.samples or parameters.samples) * memory.answers)
        best = memory.best[name]
        if self.active:
            return [self.cleared(view, at, Subject("metric", name, view.rank))] if values[-1] > limit else []
        # Where rare classes count for more, naming the commonest is not what is aimed at.
        if not 0 <= best <= limit < 1 or (share >= parameters.uneven and (memory.cost.weighted or not self._guesses())):
            return []
        held_out = name.startswith("val_")
        if (np.diff(values) > 0).all() or (held_out and (self._falls() or not settled(view.run, int(view.steps[at])))):
            return []  # it is on its way
        if memory.cost.ordered and not self._guesses():
            return []  # the recorded batches do not tell the shares of the classes
        what = f"{name} is {best:.1%} at best after {len(values)} epochs"
        evidence = {"what": what, "name": name, "best": best, "limit": limit, "majority": share, "epochs": len(values)}
        return [self.finding(view, at, Subject("metric", name, view.rank), evidence)]

    def _falls(self) -> bool:
        """Whether the validation loss falls, but once at most: what holds for it is being learnt."""
        steps = np.diff(self.memory.held_out)
        enough = len(steps) >= self.parameters.epochs - 1
        return enough and int((steps >= 0).sum()) <= 1 and float(steps.sum()) < -_FALLEN * abs(self.memory.held_out[0])

    def _guesses(self) -> bool:
        """Whether the loss is surely that of guessing, for the noise of both."""
        cost, last = self.memory.cost, self.memory.losses.last
        if cost.chance is None or len(last) < 2:
            return False
        noise = math.hypot(float(np.std(last)) / math.sqrt(len(last)), cost.unsure * cost.chance)
        return bool(float(np.median(last)) - noise > self.parameters.loss * cost.chance)


def _told(view: StepView) -> list[tuple[int, dict[str, float]]]:
    """The steps of this view that tell an accuracy, in order: index, values by name."""
    found: dict[int, dict[str, float]] = {}
    for name in sorted({*_ACCURACIES, *(f"val_{name}" for name in _ACCURACIES)} & view.batch.scalars.keys()):
        at, values = view.scalar(name)
        for place, value in zip(at.tolist(), values.tolist(), strict=True):
            found.setdefault(place, {})[name] = value
    return sorted(found.items())


def _finite(values: F64) -> F64:
    kept: F64 = values[np.isfinite(values)]
    return kept
