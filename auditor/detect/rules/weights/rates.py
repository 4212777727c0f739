"""Learning rates that cannot work: zero, below zero, or of the wrong size for what they do."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from auditor.detect.evidence.course import MARKS, first, middle
from auditor.detect.evidence.halted import Halt
from auditor.detect.evidence.moves import moves
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.rules.weights.hot import huge, risen, ruined, swings
from auditor.detect.rules.weights.rate_memory import RateMemory, RateParameters
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Recorded steps of the beginning that count.
_FIRST = 20
#: Of these, so many at least; and recordings that met the loss of their step.
_RECORDED = 10
_MET = 3


class LearningRate(Rule):
    """The learning rate is zero, negative, far too small or far too large."""

    id = "learning_rate"
    severity = Severity.WARNING
    phase = "update"
    meaning = "the learning rate is zero, negative, or tiny or huge for what it does"
    needs = "learning rates; recordings of the first steps and losses as proof"
    trigger = (
        "a rate below 0; a rate of 0 in each of the first 50 steps; steps that promise (gradient times update) less "
        "than 5e-5 of the loss each, the last recorded one too, while the loss has moved by less than 5 % and stays "
        "above half the cost of guessing; likewise a loss that was never multiplied by the scale, 16 or more, that "
        "the optimizer divides the gradients by; a schedule that leaves half of the steps less than a thousandth of "
        "its largest rate, after no more than the worth of 30 steps at that (100, where it leaves four fifths so and "
        "gave a tenth), or while the loss was still falling fast, and the loss stays above half the "
        "cost of guessing, or began there and stays above a tenth (a hundredth, where it left a falling loss four "
        "fifths so); one that has risen tenfold since the loss was "
        "best, below 0.7 of that cost, where it is above 0.9 of it now; or first updates above 0.3 of the weights, "
        "after which the loss went to 3 times its start (or the cost of guessing, and half as much again as its "
        "start) and has not come back in 50 steps, or became non-finite within 20; or above 0.1, where the loss went "
        "to 1.5 times its start and that cost, and was no better than guessing in 200 steps (100, of a run that "
        "ended); or a momentum of 0.995 or more, and a loss that is half as high again as it was, and above half the "
        "cost of guessing, or three times as high, and above a tenth; or, in 8 recorded steps in a row, an "
        "optimizer with momentum that remembers this step's gradient alone, though the one before was another"
    )
    source = "UMLAUT (CHI'21), AutoTrainer (ICSE'21); Cockpit (NeurIPS'21) for the ratio; proof and numbers are ours"
    summary = "{what} (step {step}{where})."
    likely_causes = (
        "the rate was copied from another model or optimizer, or has a slip in its exponent",
        "a schedule that returns 0 (an integer division, steps counted per batch instead of per epoch)",
        "a schedule that multiplies the rate without end",
        "clipping to a norm far below that of the gradients, or targets far larger than one step can reach",
        "an optimizer that is made within the loop: its momentum, and Adam's sizes, begin at zero in every step",
        "a LossScaleOptimizer whose scale_loss() is not called: it divides gradients by the scale all the same",
    )
    advice = (
        "Change lr= in the optimizer's constructor: 1e-3 for Adam, 1e-2 to 1e-1 for SGD are where to begin, and the "
        "update should be about a thousandth of the weight. Print the schedule's first 100 values where one is used."
    )
    # Batch normalisation in evaluation mode passes on inputs of any size: they, and not the rate, make steps too large.
    # So do amounts far from the answers, for their distance is what a gradient grows with.
    consequence_of = ("input_scale", "label_range", "poor_init", "clip_saturated", "nonfinite_input", "wrong_mode")
    Parameters = RateParameters
    State = RateMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """What the first steps do, and what the task costs."""
        memory = self.memory
        memory.cost.observe_record(view)
        told = memory.anew.observe_record(view)
        if told is not None and not self.active:
            return [self._said(Moment(view.attempt, view.rank, view.step, float(view.times[0])), 0, told)]
        taken = moves(view)
        if not taken:
            return []
        memory.latest = -sum(move.uphill for move in taken)
        if len(memory.drops) >= _FIRST:
            return []
        memory.drops.append(memory.latest)
        ratios = [move.ratio for move in taken if move.matrix and math.isfinite(move.ratio)]
        memory.strides.append(float(np.median(ratios)) if ratios else math.nan)
        memory.recorded_rate = float(np.fmax(memory.recorded_rate, view.scalars.get("lr", math.nan)))
        return [] if self.active else self._blown(view)

    def observe(self, view: StepView) -> list[Finding]:
        """Rates at once, what they do at fixed numbers of steps; once per run."""
        memory = self.memory
        memory.cost.observe(view)
        rates = view.learning_rate
        known = rates[np.isfinite(rates)]
        found = [] if self.active else self._impossible(view, rates)
        memory.known += len(known)
        memory.rates = np.concatenate([memory.rates, rates[view.has_loss]])[: MARKS[-1]]
        scales = view.scalar("grad_scale")[1]
        memory.scale = float(scales[-1]) if len(scales) else memory.scale
        reached = 0
        for _, at, losses in memory.course.take(view):
            self._raise(rates[reached : at + 1])
            reached = at + 1
            told = None if self.active else self._judge(view, losses)
            found += [self._said(view, at, told)] if told is not None else []
        early = np.flatnonzero(view.has_loss & ~np.isfinite(view.loss) & (view.steps <= _FIRST))
        if len(early) and not memory.broken:
            memory.broken = [float(view.steps[early[0]]), float(view.times[early[0]])]
        found += [] if self.active else self._blown(view)
        self._raise(rates[reached:])
        return found

    def finish(self, last: Moment) -> list[Finding]:
        """A schedule that left nothing to learn with is seen at the end at the latest; tiny steps after 40 of them."""
        memory, losses = self.memory, self.memory.course.losses
        told = None if self.active else self._decayed(losses) or self._slow(losses, least=40)
        told = told if told is not None or self.active else ruined(memory, self.parameters, losses)
        return [] if told is None else [self._said(last, 0, told)]

    def unjudged(self) -> str | None:
        """No rate was told, and no step recorded."""
        return None if self.memory.known or self.memory.drops else "neither learning rates nor steps were recorded"

    def _judge(self, view: StepView, losses: F64) -> dict[str, Any] | None:
        """What the losses up to a mark say of the rate, the plainest first."""
        memory, parameters = self.memory, self.parameters
        return (
            self._slow(losses)
            or huge(memory, parameters, losses)
            or self._decayed(losses)
            or risen(memory, parameters, losses)
            or swings(memory, parameters, view.run, losses)
            or (ruined(memory, parameters, losses) if len(losses) >= 2 * parameters.idle_steps else None)
        )

    def _raise(self, rates: F64) -> None:
        """Take in the rates of some steps."""
        memory, told = self.memory, rates[np.isfinite(rates)]
        if len(told):
            memory.largest_rate = float(np.fmax(memory.largest_rate, told.max()))
            memory.given += float(told.sum())
            memory.steps += len(told)
            memory.low += int((told < self.parameters.low * memory.largest_rate).sum())

    def _impossible(self, view: StepView, rates: F64) -> list[Finding]:
        below = np.flatnonzero(rates < 0)
        if len(below):
            value = float(rates[below[0]])
            return [self._said(view, int(below[0]), {"what": f"The learning rate is {value:.4g}", "lr": value})]
        memory, limit = self.memory, self.parameters.zero_steps
        if memory.zeros < memory.known or memory.zeros >= limit:
            return []
        at = np.flatnonzero(np.isfinite(rates))
        nonzero = np.flatnonzero(rates[at] != 0)
        run = int(nonzero[0]) if len(nonzero) else len(at)
        before, memory.zeros = memory.zeros, memory.zeros + run
        if memory.zeros < limit:
            return []
        what = f"The learning rate was 0 in each of the first {limit} steps: nothing is learnt"
        return [self._said(view, int(at[limit - before - 1]), {"what": what, "lr": 0.0})]

    def _slow(self, losses: F64, least: int = 100) -> dict[str, Any] | None:
        """Steps too small to learn from, and a loss that shows it."""
        memory, parameters = self.memory, self.parameters
        chance, start, now = memory.cost.chance, first(losses, 50), middle(losses[-50:])
        early = losses[:50][np.isfinite(losses[:50])]
        if len(losses) < least or chance is None or chance <= 0 or not len(early):
            return None
        noise = 2 * float(early.std()) / math.sqrt(25)  # of the difference of two medians of 50
        still = abs(now - start) <= parameters.flat * abs(start) + noise and now >= parameters.near * chance
        grown = memory.largest_rate > parameters.longer * memory.recorded_rate
        if not still or grown:
            return None
        told = self._unscaled() or self._tiny(len(losses), start, now)
        return None if told is None else told | {"loss": now, "initial_loss": start, "chance": chance}

    def _unscaled(self) -> dict[str, Any] | None:
        """A loss as the model gave it, where the optimizer takes its gradients for those of a scaled one.

        What is heard of the loss is divided by the scale as the gradients are; where that is our own
        formula's value of the recorded outputs over the scale, nobody had multiplied by it.
        """
        memory, parameters = self.memory, self.parameters
        units = np.array(memory.cost.units) * memory.scale
        if len(units) < _MET or not memory.scale >= parameters.scaled or np.abs(units - 1).max() > parameters.exact:
            return None
        what = (
            f"The loss was never multiplied by the loss scale, and the optimizer divides the gradients by it: they "
            f"are {memory.scale:g} times too small"
        )
        return {"what": what, "scale": memory.scale}

    def _tiny(self, steps: int, start: float, now: float) -> dict[str, Any] | None:
        """Steps that promise next to nothing, the first ones and the last that was recorded.

        Weights that grow promise more with every step: far targets are reached by outputs of any scale at a pace
        that doubles and doubles again.
        """
        memory = self.memory
        drop = max(float(np.median(memory.drops)), memory.latest) if len(memory.drops) >= _RECORDED else 0.0
        if not 0 < drop < self.parameters.promised * abs(start):
            return None
        needed = 0.1 * abs(start) / drop
        rate = f" (rate {memory.recorded_rate:.3g})" if math.isfinite(memory.recorded_rate) else ""
        what = (
            f"At these steps a tenth of the loss takes {needed:.2g} of them{rate}; after "
            f"{steps} the loss is {now:.4g}, it began at {start:.4g}"
        )
        return {"what": what, "drop": drop, "steps": needed}

    def _decayed(self, losses: F64) -> dict[str, Any] | None:
        """A schedule that came to nothing before anything was learnt, or all; a run may go on from good weights."""
        memory, parameters = self.memory, self.parameters
        chance, start, now = memory.cost.chance, first(losses), middle(losses[-50:])
        if chance is None or chance <= 0 or len(losses) < 100 or not memory.largest_rate > 0:
            return None
        spent, began = memory.given / memory.largest_rate, start >= parameters.near * chance
        wasted = memory.low >= parameters.idle * memory.steps and spent <= parameters.share * memory.steps
        scant = spent <= (parameters.few if wasted else parameters.spent)
        if memory.low < parameters.late * memory.steps:
            return None
        deep = wasted and began and now < parameters.open * chance
        least = parameters.rest if deep else parameters.open if began else parameters.near
        if not ((scant and not deep) or self._halted(losses, now, deep)) or not now >= least * chance:
            return None
        what = (
            f"The learning rate was below {parameters.low:g} of its largest, {memory.largest_rate:.3g}, in "
            f"{memory.low} of {memory.steps} steps: the schedule gave as much as {spent:.1f} full steps, and the loss "
            f"is {now:.4g}"
        )
        return {"what": what, "spent": spent, "low_steps": memory.low, "loss": now, "chance": chance}

    def _halted(self, losses: F64, now: float, deep: bool) -> bool:
        """Whether the loss was surely falling, and fast, until the rate was taken away, and hardly since."""
        parameters, rates = self.parameters, self.memory.rates[: len(losses)]
        if len(rates) != len(losses) or not np.isfinite(rates).all():
            return False
        halt = Halt(losses, rates, now, self.memory.low, parameters.seen, parameters.pace, parameters.taken)
        return halt.after(parameters.high * self.memory.largest_rate, deep=deep) or halt.cut_short(deep=deep)

    def _blown(self, view: StepView | RecordView) -> list[Finding]:
        """A loss that is no number any more within the first steps: a program may end there."""
        strides = [stride for stride in self.memory.strides if math.isfinite(stride)]
        if not self.memory.broken or not strides or max(strides) < self.parameters.stride:
            return []
        step, time = self.memory.broken
        what = f"The first steps moved the weights by {max(strides):.2g} times their size, and the loss became "
        evidence = {"what": what + "non-finite", "stride": max(strides), "broken_at": step}
        return [self._said(Moment(view.attempt, view.rank, int(step), time), 0, evidence)]

    def _said(self, view: StepView | Moment, at: int, evidence: dict[str, Any]) -> Finding:
        rate = {"rate": self.memory.largest_rate} if math.isfinite(self.memory.largest_rate) else {}
        return self.finding(view, at, Subject("run", "learning rate", view.rank), {**evidence, **rate})
