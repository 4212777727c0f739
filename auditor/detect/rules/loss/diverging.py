"""The loss climbs away from its best and does not come back."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.pace import STRIDE, Stretch, stretches
from auditor.detect.evidence.scored import reversed_sign, rewards_unlikely
from auditor.detect.evidence.series import Recent
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import Bool, StepView
from auditor.model import Finding, Severity, Subject

#: Recorded steps in a row that must show a loss of the wrong sign.
_PROVEN: Final = 3
#: Losses at the start among which a blow-up belongs to the first steps.
_EARLY: Final = 100


@dataclass(frozen=True, slots=True)
class DivergeParameters:
    """Thresholds, ours; a level is the median of 25 losses.

    ``far``: times the larger of the first loss and the cost of guessing, beyond which a level counts
    as far off, 3 (a constant answer would do better); ``far_values``: of a regression 30 (targets may
    grow with a curriculum, their square ten times as much). ``unknown``: the same where the cost of guessing
    is not known, 10,000 (the losses of a GAN or an actor rise a hundredfold in health). ``alarm``: sum
    of the logarithms of level over limit at which it is said, 1 (CUSUM, Page 1954), over at least 2
    levels that have not fallen by a tenth. ``jump``: times the first loss that a loss of the first 100 steps must reach
    to have blown up, 3; ``jump_unknown``: 30; ``blown``: so many in a row, 5, twice as many where
    the cost of guessing is not known (heavy tails have fewer). ``after``: steps after the blow-up, 100, in
    which no level came below ``chance``, 0.95, of the cost of guessing (of the first loss where that is
    not known). ``learnt``: part of the cost of guessing below which a run had learnt, 0.7; it has lost
    it after ``lost`` levels, 3, back at ``chance``. ``lr_jump``: a learning rate that rose this much
    begins a new history, 1.5 (scheduler restarts), as long as the loss has ``restart`` steps, 400.
    ``below``: times the first loss (1 at least) that a loss without a lower bound has fallen below zero, 10, each
    quarter of the way at least ``slower``, 0.9, of the one before: what has a bound (a density fitted to data)
    comes nearer to it ever more slowly, a mean of signed errors at the pace of the steps or faster. ``deep``: the same
    where each of the last two quarters fell ``faster``, 1.5 times as far as the one before, 3: what grows so is a
    product of weights that grow with it (an error that is subtracted); under a rate that rises evenly from zero the
    falls are as 1, 3, 5 and 7, the last no more than 1.4 times the one before.
    """

    far: float = 3.0
    far_values: float = 30.0
    unknown: float = 1e4
    alarm: float = 1.0
    jump: float = 3.0
    jump_unknown: float = 30.0
    blown: int = 5
    after: int = 100
    chance: float = 0.95
    learnt: float = 0.7
    lost: int = 3
    lr_jump: float = 1.5
    restart: int = 400
    below: float = 10.0
    deep: float = 3.0
    faster: float = 1.5
    slower: float = 0.9


@dataclass(slots=True)
class DivergeMemory:
    """What was seen of the losses.

    ``reversed``: recorded steps in a row whose loss was the negative of an error.

    ``lately``: the losses of this level and the one before, with their ``steps``. ``begun``: step of the first
    loss of this level. ``early``: the first losses, with their steps;
    ``sums``: the CUSUM; ``onset``: step at which it left zero, ``left_at`` the level there. ``best``:
    lowest level, and ``best_step``. ``lost``: levels in a row at chance after it was learnt. ``rate``:
    smallest learning rate of late; ``restarted``: losses counted when it rose.
    """

    losses: Recent = field(default_factory=lambda: Recent(limit=25))
    lately: Recent = field(default_factory=lambda: Recent(limit=50))
    steps: Recent = field(default_factory=lambda: Recent(limit=50))
    begun: int = -1
    cost: Cost = field(default_factory=Cost)
    early: list[float] = field(default_factory=list)
    early_steps: list[int] = field(default_factory=list)
    levels: Recent = field(default_factory=lambda: Recent(limit=64))
    sums: float = 0.0
    above: int = 0
    onset: int = -1
    left_at: float = math.nan
    best: float = math.inf
    best_step: int = -1
    lost: int = 0
    reversed: int = 0
    lost_since: int = -1
    rate: float = math.nan
    several: bool = False
    """Whether optimizers play against each other: their losses have no bound by themselves."""
    restarted: int = -(10**9)


class LossDiverging(Rule):
    """The loss leaves the range of anything useful and stays there."""

    id = "loss_diverging"
    severity = Severity.CRITICAL
    phase = "trend"
    meaning = "the loss climbs away from its best, or blew up in the first steps, and does not come back"
    needs = "loss; recordings with outputs and targets, to know what guessing costs; the learning rate"
    trigger = (
        "levels (medians of 25 losses) of more than 3 times (of a regression 30) both the first loss (not that of a "
        "classifier that had been better than guessing) and the cost of guessing, held and not falling (10,000 times "
        "the first loss where that cost is not known): a CUSUM of their logarithms; or 5 losses in a row beyond 3 "
        "times the first within 100 steps (10 beyond 30 times where unknown, and the first 25 are of one sign) and no "
        "level below guessing in the 100 steps after; or three levels of a classifier back at guessing after they had "
        "been below 0.7 of it, no learning rate having risen in the 400 steps before; or, in 3 recorded steps in a "
        "row, a loss that is just the negative of a cross entropy, or of an error of the outputs; or, of one "
        "optimizer, five levels or more that fall without a break to 10 times the first loss below zero, and no more "
        "slowly than at the start (to 3 times, where the last quarters of that way grow by "
        "half each)"
    )
    source = "OPS; CUSUM of Page (1954); the limits are ours"
    summary = "The loss {what}: {loss:.4g} at step {seen_at}, {reference} {limit:.4g}{where}."
    likely_causes = (
        "a learning rate far too large for the optimizer (Adam with a rate meant for SGD), or without warm-up",
        "a sign error: the loss is maximised, or a penalty is subtracted",
        "no gradient clipping in a recurrent or deep network",
        "a mean of signed errors, without a square or an absolute value: it has no lower bound",
    )
    advice = (
        "Divide lr= by ten and warm it up; clip the gradients before optimizer.step(): "
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) (Keras: clipnorm=1.0). If the loss climbs from the "
        "first step on with any rate, look for a minus sign in front of it, or maximize=True. Begin again from a "
        "checkpoint before step {step}."
    )
    consequence_of = (
        *("learning_rate", "exploding_gradient", "gradient_accumulated", "input_scale", "poor_init"),
        *("nonfinite_gradient", "nonfinite_weight", "nonfinite_loss", "nonfinite_input", "loss_spike"),
        *("logits_as_probabilities", "label_range", "data_order_fixed", "update_ratio", "unchanged_parameters"),
    )
    Parameters = DivergeParameters
    State = DivergeMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns what guessing costs; a loss that is the negative of an error is said at once."""
        memory = self.memory
        seen = memory.cost.observe_record(view)
        if view.phase != "train" or memory.reversed >= _PROVEN:
            return []
        wrong = rewards_unlikely(view) or (seen is not None and reversed_sign(seen))
        memory.reversed = memory.reversed + 1 if wrong else 0 if seen is not None else memory.reversed
        loss = view.scalars.get("loss") if seen is None else seen.loss
        if memory.reversed < _PROVEN or loss is None:
            return []
        what = "is the negative of the error of the outputs, so that every step makes them worse"
        evidence: dict[str, Any] = {"what": what, "loss": loss, "seen_at": view.step}
        evidence |= {"reference": "the error is", "limit": -loss}
        return [self.finding(view, 0, Subject("loss", "loss", view.rank), evidence)]

    def observe(self, view: StepView) -> list[Finding]:
        """Judged after every 25 losses."""
        memory: DivergeMemory = self.memory
        memory.cost.observe(view)
        optimizers = view.run.section().get("optimizers")
        memory.several = memory.several or (isinstance(optimizers, list) and len(optimizers) > 1)
        found: list[Finding] = []
        for part in stretches(view, memory.losses.count):
            if memory.losses.count % STRIDE == 0:
                memory.begun = int(part.steps[0])
            self._begin(part)
            memory.losses.add(part.values)
            memory.lately.add(part.values)
            memory.steps.add(part.steps)
            if part.end:
                found += self._judge(part)
        return found

    def resume(self) -> None:
        """What it goes on with may be another loss: only the cost of guessing stays, which knows its own targets."""
        self.memory = DivergeMemory(cost=self.memory.cost)

    def unjudged(self) -> str | None:
        """Too short."""
        return None if self.memory.levels.count >= 2 else "needs 50 steps with a finite loss"

    def _begin(self, part: Stretch) -> None:
        memory = self.memory
        room = max(0, _EARLY - len(memory.early))
        memory.early += part.values[:room].tolist()
        memory.early_steps += part.steps[:room].astype(np.int64).tolist()
        for rate in part.rates[np.isfinite(part.rates)].tolist():
            if rate > self.parameters.lr_jump * memory.rate > 0:
                memory.restarted = memory.losses.count
            memory.rate = rate if math.isnan(memory.rate) else min(rate, 1.02 * memory.rate)

    def _judge(self, part: Stretch) -> list[Finding]:
        memory = self.memory
        level = float(np.median(memory.losses.last))
        memory.levels.add(np.array([level]))
        chance, start = memory.cost.chance, abs(memory.early[0])
        if memory.reversed >= _PROVEN:
            return []
        if self.active:
            over = abs(level) < (chance if chance is not None else start)
            return [self._over(part.moment, level)] if over else []
        return (
            self._runaway(part, level, start, chance)
            or self._destroyed(part, level, start, chance)
            or self._lost(part, level, chance)
            or self._bottomless(part, level)
        )

    def _runaway(self, part: Stretch, level: float, start: float, chance: float | None) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        known = chance is not None and chance > 0
        far = parameters.far if memory.cost.entropic else parameters.far_values
        # What had learnt to do better than guessing is measured by that alone, however badly it began.
        learnt = memory.cost.entropic and memory.best < (chance or 0.0)
        limit = far * max(0.0 if learnt else start, chance or 0.0) if known else parameters.unknown * max(start, 1.0)
        size = level if known else abs(level)
        if size <= limit or (memory.above and size < 0.9 * memory.left_at):
            memory.sums, memory.above = 0.0, 0
            return []
        if not memory.above:
            memory.onset, memory.left_at = self._since(limit), size
        memory.above += 1
        memory.sums += math.log(size / limit) + math.log(parameters.far) / 4
        if memory.above < 2 or memory.sums < parameters.alarm:
            return []
        reference = f"{far:g} times the larger of its first value and the cost of guessing is"
        if learnt or not known:
            reference = f"{far:g} times the cost of guessing is" if known else "the limit is"
        return self._said(part, memory.onset, "runs away", level, (reference, limit))

    def _destroyed(self, part: Stretch, level: float, start: float, chance: float | None) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        floor = chance if chance is not None and chance > 0 else start
        jump = parameters.jump if floor is chance else parameters.jump_unknown
        if floor is start and min(memory.early[:STRIDE]) < 0 < max(memory.early[:STRIDE]):
            return []  # an advantage times a likelihood, a difference of scores: its first value is no unit
        early = np.abs(np.array(memory.early))
        beyond = early > jump * max(start, floor)
        far = np.flatnonzero(beyond)
        if floor <= 0 or _longest(beyond) < (parameters.blown if floor is chance else 2 * parameters.blown):
            return []
        if floor is start and np.quantile(np.abs(memory.losses.last), 0.9) > 10 * min(abs(level), 10 * start):
            return []  # heavy tails: the first loss says nothing of the others
        since = memory.losses.count - int(far[-1]) - 1
        levels = memory.levels.last[-max(1, (since - 1) // 25) :]
        if since < parameters.after + 25 or levels.min() < parameters.chance * floor:
            return []
        what = f"blew up to {early.max():.4g} in the first steps and has not come below that of guessing since"
        if floor is start:
            what = f"blew up to {early.max():.4g} in the first steps and has not come below its first value since"
        reference = "guessing costs" if floor is chance else "the first was"
        at, more = memory.early_steps[int(far[0])], {"peak": float(early.max()), "steps_since": since}
        return self._said(part, at, what, level, (reference, floor), **more)

    def _lost(self, part: Stretch, level: float, chance: float | None) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        if level < memory.best:
            memory.best, memory.best_step = level, part.moment.step
        if chance is None or chance <= 0 or memory.cost.ordered or not memory.cost.entropic:
            return []  # a regression's targets may have grown
        restarted = memory.losses.count - memory.restarted < parameters.restart
        if memory.best > parameters.learnt * chance or level < parameters.chance * chance or restarted:
            memory.lost = 0
            return []
        if not memory.lost:
            memory.lost_since = self._since((parameters.learnt + parameters.chance) / 2 * chance)
        memory.lost += 1
        if memory.lost < parameters.lost:
            return []
        what = f"is back at that of guessing; at step {memory.best_step} it was {memory.best:.4g}"
        return self._said(part, memory.lost_since, what, level, ("guessing costs", chance))

    def _since(self, limit: float) -> int:
        """The step from which on the losses are beyond ``limit``: where the CUSUM of their signs was lowest last."""
        lately = np.abs(self.memory.lately.last) > limit
        sums = np.concatenate([[0.0], np.cumsum(lately - 0.5)])
        at = len(sums) - 1 - int(np.argmin(sums[::-1]))
        return int(self.memory.steps.last[min(at, len(lately) - 1)])

    def _bottomless(self, part: Stretch, level: float) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        start, levels = memory.early[0], memory.levels.last
        way = (len(levels) - 1) // 4
        if memory.several or memory.cost.entropic or not way:
            return []
        falls = -np.diff(levels[-1 - 4 * way :: way])
        growing = bool((falls[2:] >= parameters.faster * falls[1:-1]).all())
        below = parameters.deep if growing else parameters.below
        if level > -below * max(1.0, abs(start)) or (np.diff(levels) >= 0).any():
            return []
        if not growing and (falls[1:] < parameters.slower * falls[:-1]).any():
            return []
        what = "has no lower bound: it falls below zero, and no more slowly than at the start"
        return self._said(part, memory.begun, what, level, ("it began at", start))

    def _said(
        self, part: Stretch, onset: int, what: str, level: float, limit: tuple[str, float], **more: float
    ) -> list[Finding]:
        at = Moment(part.moment.attempt, part.moment.rank, onset, float(part.moment.times[0]))
        evidence: dict[str, Any] = {"what": what, "loss": level, "seen_at": part.moment.step, "reference": limit[0]}
        evidence |= {"limit": limit[1], "initial_loss": self.memory.early[0], "best": self.memory.best, **more}
        # Twice: dated where it began, and known to last until now, so that a cause named between finds it.
        subject = Subject("loss", "loss", at.rank)
        return [self.finding(at, 0, subject, evidence), self.finding(part.moment, 0, subject, evidence)]

    def _over(self, at: Moment, level: float) -> Finding:
        return self.cleared(at, 0, Subject("loss", "loss", at.rank), {"loss": level})


def _longest(flags: Bool) -> int:
    """The longest stretch of true values."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.astype(np.int64), [0]])))
    return int((edges[1::2] - edges[::2]).max()) if len(edges) else 0
