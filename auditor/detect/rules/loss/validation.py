"""What the losses and metrics of data not trained on say: overfitting, and classification at chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.padding import padded
from auditor.detect.evidence.series import Recent
from auditor.detect.evidence.settled import settled
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.rules.loss.learning import CAUSES
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Validation losses by the names they go by; scores, of which more is better.
_LOSSES: Final = ("val_loss",)
_SCORES: Final = ("val_score",)
#: Part of itself by which a validation loss must have fallen in the epochs that are looked at.
_FALLEN: Final = 0.02
#: Names of the share of right answers.
_ACCURACIES: Final = (
    *("accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy"),
    "val_score",
)


@dataclass(frozen=True, slots=True)
class OverfitParameters:
    """Thresholds, ours; a patience of one fires on 32 of 50 healthy twins.

    ``sustained``: evaluations in a row after the best that are all beyond the limit, 5. ``share``: of
    what was gained from the first evaluation to the best, this part was lost again, 0.5. ``least``:
    and at least this part of the best validation loss, 0.25 (``score``: of a score 0.1). ``noise``:
    and this many standard deviations of the evaluations' differences, 4. ``improved``: while the
    training loss fell to this part of what it was at the best evaluation, 0.9. ``by_heart``: where it fell to this
    part, 0.01, the training data is learnt by heart, and ``little`` of the best validation loss will do, 0.1.
    """

    sustained: int = 5
    share: float = 0.5
    least: float = 0.25
    score: float = 0.1
    noise: float = 4.0
    improved: float = 0.9
    by_heart: float = 0.01
    little: float = 0.1


@dataclass(slots=True)
class OverfitMemory:
    """Evaluations of the series ``name``, less is better: the first, the best, the last 64.

    ``training``: the training loss at the last ones; ``training_then``: that at the best.
    """

    losses: Recent = field(default_factory=lambda: Recent(limit=64))
    name: str = ""
    count: int = 0
    first: float = math.nan
    best: float = math.inf
    best_at: int = -1
    training_then: float = math.nan
    values: list[float] = field(default_factory=list)
    training: list[float] = field(default_factory=list)

    def add(self, value: float, training: float) -> None:
        """Take in an evaluation."""
        self.count += 1
        self.first = value if self.count == 1 else self.first
        self.values, self.training = [*self.values, value][-64:], [*self.training, training][-3:]
        if value < self.best:
            self.best, self.best_at, self.training_then = value, self.count, training


class Overfitting(Rule):
    """Validation worsens while training improves."""

    id = "overfitting"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "the validation loss rises, held and beyond its noise, while the training loss still falls"
    needs = "val_loss (or val_score) at 8 evaluations or more; loss"
    trigger = (
        "the last 5 evaluations all lie above the best by half of what was gained from the first to the best, by a "
        "quarter of the best (a tenth where the training loss fell to a hundredth since), and by 4 standard deviations "
        "of the steps between evaluations, and above the training loss, which has fallen by a tenth since"
    )
    source = "SMD overfit, UMLAUT (CHI'21), AutoTrainer (ICSE'21); the test is ours"
    summary = (
        "{name} has risen from {best:.4g} (evaluation {best_at}) to {now:.4g} while the training loss fell from "
        "{training_then:.4g} to {training_now:.4g}{where}."
    )
    likely_causes = (
        "too little data for the size of the model, or too many epochs",
        "training labels that are noise: they can only be learnt by heart",
        "validation data from another distribution",
    )
    advice = (
        "Keep the weights of the best evaluation: keras.callbacks.EarlyStopping(patience=5, "
        "restore_best_weights=True), or torch.save at each new best; then add data or augmentation, dropout, "
        "weight_decay=, or take a smaller model."
    )
    consequence_of = ("label_mismatch", "repeated_batches")
    Parameters = OverfitParameters
    State = OverfitMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Judged at each evaluation."""
        memory: OverfitMemory = self.memory
        name, at, values = _series(view, memory.name)
        epoch_loss = dict(zip(*(part.tolist() for part in view.scalar("epoch_loss")), strict=True))
        found, done = [], 0
        for place, value in zip(at.tolist(), values.tolist(), strict=True):
            memory.losses.add(_finite(view.loss[done : place + 1]))
            done = place + 1
            if math.isfinite(value):
                usual = float(np.median(memory.losses.last)) if len(memory.losses.last) else math.nan
                memory.name = name
                memory.add(-value if name in _SCORES else value, epoch_loss.get(place, usual))
                found += self._judge(view, place)
        memory.losses.add(_finite(view.loss[done:]))
        return found

    def unjudged(self) -> str | None:
        """Too few evaluations."""
        few = self.memory.count < self.parameters.sustained + 3
        return f"fewer than {self.parameters.sustained + 3} evaluations with a validation loss" if few else None

    def _judge(self, view: StepView, at: int) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        if memory.count < parameters.sustained + 3:
            return []
        subject = Subject("loss", memory.name, view.rank)
        if memory.count - memory.best_at < parameters.sustained:
            over = self.active and memory.count == memory.best_at
            return [self.cleared(view, at, subject)] if over else []
        score, values = memory.name in _SCORES, np.array(memory.values)
        then, now = memory.training_then, float(np.median(memory.training))
        share = parameters.little if now < parameters.by_heart * then else parameters.least
        least = parameters.score if score else share * abs(memory.best)
        noise = float(np.median(np.abs(np.diff(values, 2)))) / (0.6745 * math.sqrt(6))
        rise = max(parameters.share * (memory.first - memory.best), least, parameters.noise * noise)
        fell = now < then - (1 - parameters.improved) * abs(then)
        # Weighted classes make two losses of one: that of validation rises, and stays below that of training.
        beyond = score or float(np.median(values[-parameters.sustained :])) > now
        if self.active or not fell or not beyond or not (values[-parameters.sustained :] > memory.best + rise).all():
            return []
        sign = -1.0 if score else 1.0
        evidence = {"name": memory.name, "best": sign * memory.best, "best_at": memory.best_at}
        evidence |= {"now": sign * float(values[-1]), "limit": sign * (memory.best + rise), "noise": noise}
        evidence |= {"evaluations": memory.count, "training_then": then, "training_now": now}
        return [self.finding(view, at, subject, evidence)]


def _series(view: StepView, known: str) -> tuple[str, Any, Any]:
    """The validation series of this view: the one judged so far, or the first that there is."""
    for name in (known,) if known else (*_LOSSES, *_SCORES):
        at, values = view.scalar(name)
        if len(at):
            return name, at, values
    return known, np.zeros(0, np.int64), np.zeros(0)


@dataclass(frozen=True, slots=True)
class ChanceParameters:
    """Thresholds, ours.

    ``epochs``: evaluations of the metric in a row, 5; ``steps``: of the run, 200. ``errors``: standard
    errors of a share of ``samples`` answers (those told of the evaluation, else 100; a sequence has several
    each), 3, that the best of them may lie above the commonest class. ``uneven``: share of the commonest
    class, 0.6, from which on accuracy says little: then the loss must be that of guessing too (``loss``,
    0.95 of it). ``begun``: recorded steps from which on padding that is counted is looked for, 100, and ``late``: from
    which on it is said of a run that goes on, 400.
    """

    epochs: int = 5
    steps: int = 200
    errors: float = 3.0
    samples: int = 100
    uneven: float = 0.6
    loss: float = 0.95
    begun: int = 100
    late: int = 400


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
        "share of the commonest class by more than 3 standard errors, and it does not rise from epoch to "
        "epoch, nor does the validation loss fall (of validation data: once less than 1 % of the start is left in the "
        "running statistics of batch normalisation); where that class has 60 % or more, the loss must be that of "
        "guessing too, beyond the error of both; or half of the positions of sequences or more are padding, all of one "
        "class, the loss is the plain mean over all of them, and the others, from step 100 on, cost 0.95 of guessing "
        "them, or no more are right than of the commonest class (said at the end of the run, or from step 400 on)"
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
        found, self.memory.padding = padded(view, seen), []
        none = found is not None and found.loss > parameters.loss * found.guess
        if found is not None and (none or found.right <= self._limit(found.commonest, found.answers)):
            self.memory.padding = [found.share, found.right, found.commonest, found.loss, found.guess]
        return self._drowned(view) if view.step >= parameters.late else []

    def finish(self, last: Moment) -> list[Finding]:
        """Of padding: a run that ended has learnt nothing else."""
        return self._drowned(last)

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
            samples = event.get("samples")
            memory.samples = max(memory.samples, samples) if isinstance(samples, int) else memory.samples
        heard = dict(zip(*(part.tolist() for part in view.scalar(_LOSSES[0])), strict=True))
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
        if not 0 <= best <= limit or (share >= parameters.uneven and not self._guesses()):
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
