"""What the losses of data not trained on say: overfitting."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.series import Recent
from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Validation losses by the names they go by; scores, of which more is better.
_LOSSES: Final = ("val_loss",)
_SCORES: Final = ("val_score",)


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


def _finite(values: F64) -> F64:
    kept: F64 = values[np.isfinite(values)]
    return kept
