"""The cost of guessing in the units in which the loss is heard step by step.

What is recorded of a step need not be what is heard of it: a gradient scaler's loss is recorded
scaled, of an accumulated step one micro-batch. So our own formula's value of a recorded step is set
against the loss that was heard of the same step.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.evidence.scored import Scored, scored
from auditor.detect.evidence.task import Task, spread
from auditor.detect.recorded import RecordView
from auditor.detect.view import F64, StepView

#: Steps that a recording may come before or after the loss of its step.
_KEPT: Final = 512
#: Recordings that wait for the loss of their step.
_WAITING: Final = 32
#: Recordings that must have met the loss of their step.
_MET: Final = 3
#: How near 1 the units of a cross entropy are of which one will do.
_EXACT: Final = 1e-3
#: Ratio of the largest to the smallest unit beyond which none is known (micro-batches differ by less).
_SPREAD: Final = 2.0
#: Entropy of the targets, nats, below which guessing is no measure (one class: a GAN's real ones).
_TRIVIAL: Final = 0.05
#: Samples of a class, on average, without which the labels' entropy is not known: ln C is its bound.
_PER_CLASS: Final = 5
#: Recorded batches that must show it where a program makes them of one class each, in turn.
_TURNS: Final = 4
#: Targets that must show that labels are drawn with noise, and how far from 0 or 1 that is then at most (ours).
_DRAWN: Final = 16
_NEAR: Final = 0.3
_ENTROPIC: Final = frozenset({"categorical", "binary"})


def _empty() -> F64:
    return np.zeros(0)


@dataclass(slots=True)
class Cost:
    """Targets seen, and how our formula's loss relates to the one heard.

    ``told``: our value of recorded steps of which the loss was not heard yet, by step. ``units``:
    loss heard by our value, of the last recordings. ``within``: cost of guessing of single batches.
    """

    task: Task = field(default_factory=Task)
    told: dict[str, float] = field(default_factory=dict)
    steps: F64 = field(default_factory=_empty)
    heard: F64 = field(default_factory=_empty)
    units: list[float] = field(default_factory=list)
    within: list[float] = field(default_factory=list)
    rows: int = 0
    """Samples, or positions of sequences, that the last recorded loss is of."""
    only: list[float] = field(default_factory=list)
    """Of the last recorded batches: the class that all targets of a binary loss are of, -1 where they differ."""

    def observe(self, view: StepView) -> None:
        """Take in steps."""
        losses = data_loss(view)
        at = np.flatnonzero(np.isfinite(losses))
        self.steps = np.concatenate([self.steps, view.steps[at].astype(np.float64)])
        self.heard = np.concatenate([self.heard, losses[at]])
        if self.told:
            self._meet()
        self.steps, self.heard = self.steps[-_KEPT:], self.heard[-_KEPT:]

    def observe_record(self, view: RecordView) -> Scored | None:
        """Take in a recording; what it was scored as."""
        seen = scored(view)
        if seen is None:
            return None
        if self.task.differs(seen):
            self.told, self.units, self.within = {}, [], []
        self.task.observe(seen)
        self.rows = len(seen.outputs)
        if seen.loss is not None and math.isfinite(seen.loss) and self.task.scales and self.task.scales[-1]:
            self.told[str(view.step)] = seen.loss / self.task.scales[-1]
            while len(self.told) > _WAITING:
                self.told.pop(next(iter(self.told)))
            self._meet()
        guess = _alone(seen, self.task)
        self.within = [*self.within, guess][-20:] if math.isfinite(guess) else self.within
        if seen.family == "binary" and seen.targets is not None and seen.targets.size > 1:
            sides = _sides(seen.targets, seen.classes)
            self.only = [*self.only, float(sides.flat[0]) if np.ptp(sides) == 0 else -1.0][-20:]
        return seen

    @property
    def chance(self) -> float | None:
        """Loss of the best constant answer, as heard; None while it is not known or no measure."""
        task = self.task
        exact = self.entropic and all(abs(unit - 1) < _EXACT for unit in self.units)
        if self.staged or task.chance is None or len(self.units) < (1 if exact else _MET) or self._one_sided:
            return None
        low, middle, high = np.quantile(self.units, (0.0, 0.5, 1.0)).tolist()
        guess = self.guess
        if low <= 0 or high > _SPREAD * low or guess <= (_TRIVIAL if self.entropic else 0.0):
            return None
        return float(middle * guess)

    @property
    def guess(self) -> float:
        """The cost as a plain mean; of classes too many for the samples ln C, which it cannot exceed."""
        task = self.task
        if task.family == "categorical" and len(task.targets) < _PER_CLASS * task.classes:
            return math.log(task.classes) * (float(task.weights.mean()) if len(task.weights) else 1.0)
        return task.guess

    @property
    def unsure(self) -> float:
        """Standard error of the cost of guessing among classes, as a part of it: the shares are those of a sample."""
        task = self.task
        if not self.entropic or len(task.targets) < 2:
            return 0.0
        shares = np.unique(task.targets, return_counts=True)[1] / len(task.targets)
        surprise = -np.log(shares)
        mean = float(shares @ surprise)
        return math.sqrt(float(shares @ (surprise - mean) ** 2) / len(task.targets)) / mean if mean > 0 else 0.0

    @property
    def entropic(self) -> bool:
        """Whether the targets are classes."""
        return self.task.family in _ENTROPIC

    @property
    def ordered(self) -> bool:
        """Whether single batches hold far less variety than all together: the data is not shuffled."""
        return bool(self.within) and float(np.median(self.within)) < 0.6 * self.task.guess

    @property
    def weighted(self) -> bool:
        """Whether samples count for more than others, but for those that are left out."""
        counted = self.task.weights[self.task.weights > 0]
        return len(counted) > 0 and bool(np.ptp(counted) > _EXACT * counted.max())

    @property
    def staged(self) -> bool:
        """Whether each batch holds one class and these take turns: real and generated ones, where chance is success.

        Batches drawn at random hold both classes, and sorted data does not turn that often. Or the labels of both are
        drawn with noise, as a discriminator's are: at the cost of guessing it has met its match.
        """
        if self._drawn:
            return True
        only = np.array(self.only)
        turns = int((np.diff(only) != 0).sum())
        return len(only) >= _TURNS and bool((only >= 0).all()) and 3 * turns >= len(only)

    @property
    def _drawn(self) -> bool:
        """Whether a single unit's targets are 0 and 1 with noise: each near one of them, and no two alike."""
        targets = self.task.targets
        if self.task.family != "binary" or self.task.classes != 1 or len(targets) < _DRAWN:
            return False
        off = np.abs(targets - np.round(targets))
        return bool(off.max() <= _NEAR and (off > 0).all() and len(np.unique(targets)) > _DRAWN)

    @property
    def _one_sided(self) -> bool:
        """Whether all targets of a single unit mean one class: smoothed, their entropy is no measure of a task."""
        task = self.task
        single = task.family == "binary" and task.classes == 1 and len(task.targets) > 0
        return single and float(np.ptp(_sides(task.targets, 1))) == 0

    @property
    def majority(self) -> float:
        """Share of the commonest class among the targets seen, NaN where there are no classes."""
        task = self.task
        if task.family not in _ENTROPIC or not len(task.targets):
            return math.nan
        return float(np.unique(task.targets, return_counts=True)[1].max() / len(task.targets))

    def _meet(self) -> None:
        for step, value in list(self.told.items()):
            found = np.flatnonzero(self.steps == float(step))
            if len(found) and value:
                self.units = [*self.units, float(self.heard[found[-1]]) / value][-5:]
                del self.told[step]


def _sides(targets: F64, classes: int) -> F64:
    """Binary targets as what they mean: of a single unit, with noise or smoothed (a discriminator's), 0 or 1."""
    return (targets >= 0.5).astype(np.float64) if classes == 1 else targets


def _alone(seen: Scored, task: Task) -> float:
    """Cost of guessing of this batch by itself; NaN if it has no two targets. Worked out once for all rules."""
    name = f"guess {task.family} {task.error} {task.classes}"
    if name not in seen.derived:
        targets = seen.labels() if seen.family == "categorical" else seen.targets
        known = targets is not None and targets.size > 1 and bool(seen.family)
        single = Task(task.family, task.error, task.classes, targets.ravel()) if known and targets is not None else None
        if single is not None:
            single.weights = spread(seen.weights, len(single.targets))
        seen.derived[name] = single.guess if single is not None else math.nan
    return float(seen.derived[name])


def data_loss(view: StepView) -> F64:
    """The loss of each step, (N,), without the penalty where the run tells that; NaN where none was given.

    A run that told it for some steps only has no other losses here: both are no one series. One array for
    all rules: not to be written to.
    """
    return view.data_loss
