"""Losses that bounce without progress, and losses that do not change at all."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.pace import stretches
from auditor.detect.evidence.series import Recent
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.rules.loss.learning import CAUSES
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Longest period of a bounce that is looked for, steps.
_LONGEST: Final = 256
_LOSS: Final = ("loss", "loss")


@dataclass(frozen=True, slots=True)
class BounceParameters:
    """Thresholds, ours.

    ``window``: losses of a bounce from step to step, 100. ``alternation``: their autocorrelation from
    one step to the next is below minus this, 0.5 (noise has 0, batches drawn without replacement
    -1 / batches); ``swing``: their standard deviation, relative to the level, 0.2. ``periods``: of a
    longer bounce, 4 in a row must be alike. ``alike``: correlation of each with the one before, 0.9.
    ``sorted``: standard deviation within a period, relative to the level, 0.02, where single batches
    hold few of the classes. ``gained``: nor where each of them lies below the one before, the last by this
    part, 0.05, below the first. ``level``: part of the cost of guessing above which a level is no
    progress, 0.9.
    """

    window: int = 100
    alternation: float = 0.5
    periods: int = 4
    alike: float = 0.9
    swing: float = 0.2
    sorted: float = 0.02
    gained: float = 0.05
    level: float = 0.9


@dataclass(slots=True)
class BounceMemory:
    """Losses, and what guessing costs."""

    losses: Recent = field(default_factory=lambda: Recent(limit=4 * _LONGEST))
    cost: Cost = field(default_factory=Cost)


class LossOscillating(Rule):
    """The loss goes up and down and gets nowhere."""

    id = "loss_oscillating"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "the loss bounces, from step to step or with each pass over the data, and gets nowhere"
    needs = "loss; recordings with outputs and targets"
    trigger = (
        "the mean loss is still above 0.9 times the cost of guessing after 200 steps, and it either alternates from "
        "step to step (autocorrelation below -0.5 over 100 steps, swinging by a fifth of itself), or repeats the same "
        "swings 4 times in a row (correlation above 0.9), not each lower than the one before, while single batches "
        "hold far less variety than all together"
    )
    source = "AutoTrainer (ICSE'21); the test by autocorrelation is ours"
    summary = "The loss bounces with a period of {period} steps around {level:.4g}; guessing costs {chance:.4g}{where}."
    likely_causes = (
        "a learning rate at which each step overshoots (try a tenth)",
        "data in a fixed order, class by class: each stretch unlearns the one before",
    )
    advice = (
        "Lower lr= by ten, or the momentum. If the period is that of an epoch, shuffle: DataLoader(..., "
        "shuffle=True), model.fit(..., shuffle=True)."
    )
    consequence_of = ("learning_rate", "data_order_fixed", "exploding_gradient", "loss_diverging", "input_scale")
    Parameters = BounceParameters
    State = BounceMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns what guessing costs."""
        self.memory.cost.observe_record(view)
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """Judged after every 25 losses."""
        memory: BounceMemory = self.memory
        memory.cost.observe(view)
        found: list[Finding] = []
        for part in stretches(view, memory.losses.count):
            memory.losses.add(part.values)
            if part.end and memory.losses.count >= 2 * self.parameters.window:
                found += self._judge(part.moment)
        return found

    def unjudged(self) -> str | None:
        """Too short, or no measure of progress."""
        if self.memory.losses.count < 2 * self.parameters.window:
            return f"needs {2 * self.parameters.window} steps with a loss"
        return None if self.memory.cost.chance is not None else "the cost of guessing is not known for this loss"

    def _judge(self, at: Moment) -> list[Finding]:
        losses, parameters = self.memory.losses.last, self.parameters
        chance = self.memory.cost.chance
        recent = losses[-parameters.window :]
        level = float(recent.mean())
        if chance is None or chance <= 0:
            return []
        if self.active:
            calm = level < parameters.level * chance
            return [self.cleared(at, 0, Subject(*_LOSS, at.rank), {"loss": level})] if calm else []
        if level < parameters.level * chance:
            return []
        seen = self._alternates(recent, level) or self._repeats(losses)
        if seen is None:
            return []
        evidence = {"level": level, "chance": chance, **seen}
        return [self.finding(at, 0, Subject(*_LOSS, at.rank), evidence)]

    def _alternates(self, recent: F64, level: float) -> dict[str, Any] | None:
        off = recent - recent.mean()
        spread = float(off.std())
        if spread < self.parameters.swing * abs(level):
            return None
        next_one = float((off[1:] * off[:-1]).mean()) / spread**2
        halves = recent[: len(recent) // 2].std(), recent[len(recent) // 2 :].std()
        if next_one > -self.parameters.alternation or halves[1] < 0.5 * halves[0]:
            return None
        return {"period": 2, "correlation": next_one, "swing": spread}

    def _repeats(self, losses: F64) -> dict[str, Any] | None:
        times = self.parameters.periods
        if not self.memory.cost.ordered:
            return None  # mixed batches in a fixed order repeat their noise, and that is no fault
        for period in range(5, min(_LONGEST, len(losses) // times) + 1):
            rows = losses[-times * period :].reshape(times, period)
            off = rows - rows.mean(axis=1, keepdims=True)
            sizes = np.sqrt((off**2).mean(axis=1))
            if (sizes < self.parameters.sorted * np.abs(rows.mean(axis=1))).any():
                continue
            passes = rows.mean(axis=1)
            if (np.diff(passes) < 0).all() and passes[-1] < (1 - self.parameters.gained) * passes[0]:
                return None  # each pass is better than all before it: that is somewhere
            alike = (off[1:] * off[:-1]).mean(axis=1) / (sizes[1:] * sizes[:-1])
            if (alike > self.parameters.alike).all():
                return {"period": period, "correlation": float(alike.min()), "swing": float(sizes.mean())}
        return None


@dataclass(frozen=True, slots=True)
class ConstantLossParameters:
    """``steps``: losses from the first on, 100 (RULES.md); ``rounding``: their range relative to their size, 1e-6.

    Float32 rounds at 6e-8; a mean over a batch summed in another order differs by some of these.
    """

    steps: int = 100
    rounding: float = 1e-6


@dataclass(slots=True)
class ConstantLossMemory:
    """Number, least and greatest of all losses; ``judged``: that they were enough."""

    count: int = 0
    low: float = float("inf")
    high: float = float("-inf")


class LossConstant(Rule):
    """From the first step on the loss is one number."""

    id = "loss_constant"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "the loss is the same number from the first step on"
    needs = "loss"
    trigger = "the first 100 losses differ by less than a millionth of themselves; a loss that fell before is none"
    source = "UMLAUT (CHI'21)"
    summary = "The loss has been {loss:.8g} at each of the first {steps} steps{where}."
    likely_causes = (
        "the optimizer does not move the model (learning rate 0, other parameters, step not called)",
        "the output does not depend on the input: softmax over one unit, a dead or saturated last layer",
        "the loss is computed of something that is no output of the model",
    )
    advice = (
        "Print the outputs for two batches: if they are equal, the output is constant; if not, print one weight "
        "before and after optimizer.step()."
    )
    consequence_of = (*CAUSES, "loss_not_decreasing")
    Parameters = ConstantLossParameters
    State = ConstantLossMemory

    def observe(self, view: StepView) -> list[Finding]:
        """Said once, at the hundredth step; cleared when the loss moves."""
        memory: ConstantLossMemory = self.memory
        found: list[Finding] = []
        for part in stretches(view, memory.count):
            memory.count += len(part.values)
            memory.low = min(memory.low, float(part.values.min()))
            memory.high = max(memory.high, float(part.values.max()))
            same = memory.high - memory.low <= self.parameters.rounding * max(abs(memory.high), abs(memory.low))
            subject = Subject(*_LOSS, part.moment.rank)
            if self.active and not same:
                found.append(self.cleared(part.moment, 0, subject, {"loss": float(part.values[-1])}))
            elif same and memory.count == self.parameters.steps and not self.active:
                evidence = {"loss": memory.high, "low": memory.low, "steps": memory.count}
                found.append(self.finding(part.moment, 0, subject, evidence))
        return found

    def unjudged(self) -> str | None:
        """Too short."""
        few = self.memory.count < self.parameters.steps
        return f"needs {self.parameters.steps} steps with a finite loss" if few else None
