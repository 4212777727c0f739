"""Gradients that grow without bound, and gradients that never reach the early layers.

Both rules ask the loss as well: a large or small gradient that does no harm is nobody's alert.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from auditor.detect.evidence.cost import data_loss
from auditor.detect.evidence.jumps import Jumps
from auditor.detect.evidence.progress import Progress
from auditor.detect.evidence.series import Recent, running_median, turns
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import F64, Bool, StepView, due, stretches
from auditor.model import Finding, Severity, Subject

#: Steps that the others are compared with, at most; three at least.
_FIRST: Final = 20
#: Steps in a row that must each lie above every norm before them.
_HELD: Final = 4
#: Steps from one look for single bursts to the next.
_BURSTS: Final = 50


@dataclass(frozen=True, slots=True)
class ExplodingParameters:
    """Thresholds.

    ``growth``: norm against the median of the first steps, 100 (AT uses 70 between layers; healthy
    catapults at a large learning rate stay below 30, measured by benchmarks/false_alarms.py).
    ``loss_growth``: how far the loss must follow, 3 times its first values (ours).
    ``runaway``: norm growth that is critical whatever the loss has done beyond rising, 10⁶ (RULES.md).
    """

    growth: float = 1e2
    loss_growth: float = 3.0
    runaway: float = 1e6


@dataclass(slots=True)
class ExplodingMemory:
    """Recent norms and losses, of the steps in which both are known; ``top``: largest norm but for the last three.

    ``least``: lowest of the losses' medians of three.
    """

    norms: Recent = field(default_factory=lambda: Recent(limit=_HELD - 1, head=_FIRST))
    losses: Recent = field(default_factory=lambda: Recent(limit=2, head=_FIRST))
    top: float = 0.0
    least: float = math.inf
    jumps: Jumps = field(default_factory=Jumps)


class ExplodingGradient(Rule):
    """The gradient norm grows without bound and the loss follows."""

    id = "exploding_gradient"
    severity = Severity.CRITICAL
    phase = "trend"
    meaning = "gradient norms grow without bound and take the loss along"
    needs = "gradient statistics, loss"
    trigger = (
        "median of 3 steps: norm > 100 times that of the first 20 steps and loss > 3 times theirs (or what it has "
        "fallen), or norm > 10⁶ times (before step 20: the largest so far) and loss above its start; and each of 4 "
        "above every norm before, which of n norms without a trend they are by a chance of 24 / n⁴ (batches of one "
        "sample, rare positives); or, of the last 256 steps after the 20th, twice or more with 10 steps between: a "
        "norm > 1000 times the median and a loss > 10 times that and the cost of guessing, of which the norm grew more "
        "(an error that is large by itself has a gradient that grows less than its square)"
    )
    source = "SMD, AT, DD; RULES.md; Pascanu et al. 2013 for single steps"
    summary = (
        "The gradient norm grew to {norm:.3g} by step {step}, {growth:.3g} times what it was at the start, and the "
        "loss with it (from {initial_loss:.4g} to {loss:.4g}); the largest gradient is that of {name}{where}."
    )
    likely_causes = (
        "a learning rate too large for this model and optimizer",
        "no gradient clipping in a recurrent or very deep network",
        "initial weights too large, or inputs and targets that are not normalised",
    )
    advice = (
        "Lower the learning rate tenfold (lr= in the optimizer's constructor), and clip before optimizer.step(): "
        "torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0) (Keras: clipnorm=1.0 in the optimizer's constructor)."
    )
    Parameters = ExplodingParameters
    State = ExplodingMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns what guessing costs."""
        self.memory.jumps.cost.observe_record(view)
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """What lasts, and what comes again and again."""
        return self._lasting(view) + self._bursting(view)

    def _bursting(self, view: StepView) -> list[Finding]:
        """Said once, of the step with the largest gradient."""
        jumps, found = self.memory.jumps, list[Finding]()
        jumps.cost.observe(view)
        for first, after in stretches(view, _BURSTS):
            jumps.add(view, first, after)
            if due(view, after - 1, _BURSTS):
                found += self._burst(Moment(view.attempt, view.rank, 0, float(view.times[after - 1])))
        return found

    def finish(self, last: Moment) -> list[Finding]:
        """Once more for what came after the last look."""
        return self._burst(last)

    def _burst(self, seen: Moment) -> list[Finding]:
        evidence = None if self.active else self.memory.jumps.repeated()
        if evidence is None:
            return []
        at = Moment(seen.attempt, seen.rank, evidence["burst_at"], float(seen.times[0]))
        return [self.finding(at, 0, Subject("gradient", "all", at.rank), evidence)]

    def _lasting(self, view: StepView) -> list[Finding]:
        """Said at the first step that meets the trigger, and again where it was last met; cleared when it is over."""
        memory, parameters = self.memory, self.parameters
        at = np.flatnonzero(np.isfinite(view.gradient_norm) & (view.gradient_norm > 0) & np.isfinite(view.loss))
        if not len(at):
            return []
        norms, losses = view.gradient_norm[at], view.loss[at]
        norm3 = running_median(memory.norms.last, norms, 3)
        loss3 = running_median(memory.losses.last, losses, 3)
        seen, record = memory.norms.count, lowest(memory.norms.last, norms) > self._tops(norms)
        memory.norms.add(norms)
        memory.losses.add(losses)
        start = firsts(memory.norms.first, seen, len(norms))
        initial = self._scale(firsts(memory.losses.first, seen, len(norms)), loss3)
        growth, risen = norm3 / start, np.divide(loss3, initial, out=np.zeros_like(loss3), where=initial > 0)
        many = np.arange(seen, seen + len(norms)) >= _FIRST + 2
        bad = many & (growth > parameters.growth) & (risen > parameters.loss_growth)
        bad |= (growth > parameters.runaway) & (risen > 1)
        # What lasts need not set records.
        bad &= record | (self.active | (np.cumsum(bad & record) > 0))
        # The first three steps are what the others are compared with.
        bad[: max(0, 3 - seen)] = False
        calm = (risen < parameters.loss_growth / 2) & (growth < parameters.growth / 2)
        found: list[Finding] = []
        for i, on in turns(bad, calm, self.active):
            if on:
                found.append(self._sighting(view, int(at[i]), float(growth[i]), float(loss3[i])))
            else:
                found.append(self.cleared(view, int(at[i]), Subject("gradient", "all", view.rank)))
        return found

    def unjudged(self) -> str | None:
        """Gradients and losses of the same steps are needed."""
        return None if self.memory.norms.count > 3 else "needs the loss and the gradients of more than three steps"

    def _scale(self, initial: F64, losses: F64) -> F64:
        """What a loss is measured by, (N,): its first value, or what it has fallen where that is more.

        One without a lower bound has no zero: -0.4 at the start tells nothing of its size, a fall to -4 does.
        """
        known = np.concatenate([[self.memory.least], losses])
        least = np.minimum.accumulate(known)
        self.memory.least = float(least[-1])
        return np.asarray(np.maximum(np.abs(initial), initial - least[1:]), dtype=np.float64)

    def _tops(self, norms: F64) -> F64:
        """The largest norm before each step and the three before it, (N,); 0 where there is none."""
        memory = self.memory
        last = memory.norms.last
        known = np.concatenate([np.zeros(_HELD - 1 - len(last)), last, norms])
        tops = np.maximum.accumulate(np.concatenate([[memory.top], known[: len(norms)]]))
        memory.top = float(tops[-1])
        return np.asarray(tops[:-1], dtype=np.float64)

    def _sighting(self, view: StepView, at: int, growth: float, loss: float) -> Finding:
        evidence = {
            "norm": float(view.gradient_norm[at]),
            "initial_norm": self.memory.norms.initial,
            "growth": growth,
            "loss": loss,
            "initial_loss": self.memory.losses.initial,
        }
        return self.finding(view, at, Subject("gradient", largest(view, at), view.rank), evidence)


def lowest(tail: F64, values: F64) -> F64:
    """The smallest of each value and the three before it, taken from ``tail`` where needed, (N,)."""
    padded = np.concatenate([np.full(_HELD - 1 - len(tail), np.inf), tail, values])
    return np.asarray(np.lib.stride_tricks.sliding_window_view(padded, _HELD).min(axis=1), dtype=np.float64)


def firsts(first: F64, seen: int, count: int) -> F64:
    """For each of ``count`` steps after ``seen``, what it is compared with, (N,): of the first 20 the median.

    While there are fewer, the largest of those before the last three: of a handful, the median may be
    of next to nothing (batches without a single positive).
    """
    if not len(first):
        return np.full(count, np.nan)
    whole = np.clip(np.arange(seen, seen + count) - 2, 1, _FIRST)
    tops = np.maximum.accumulate(first)
    few = tops[np.minimum(whole, len(first)) - 1]
    return np.where(whole < _FIRST, few, np.median(first))


def largest(view: StepView, at: int) -> str:
    """The tensor with the largest gradient norm in the step at index ``at``."""
    for block, columns in view.blocks("gradient"):
        row = at - block.first
        if 0 <= row < block.words.shape[0]:
            best = int(np.argmax(block.stat("sumsq")[row, columns]))
            return view.table[int(block.tensors[columns[best]])].name
    return "all"


@dataclass(frozen=True, slots=True)
class VanishingParameters:
    """Thresholds.

    ``ratio``: RMS of the gradient in the first layers over that in the last ones, 10⁻³ (AT).
    ``window``: steps over which it holds (nine in ten), 50; ``min_steps``: 100, as for
    ``loss_not_decreasing`` (RULES.md). ``loss_kept``: the loss is still at this share of the cost of
    guessing, or of its start where that is not known, 0.8 (ours: a network that learns is not starved,
    nor is one that began with good weights). ``ratio_stuck``: the same of a network that does no better
    than guessing after ``stuck_steps``, 200, 10⁻²: initialised for its activations, gradients keep their
    size from layer to layer (Glorot and Bengio 2010, He et al. 2015), and what is left of the ratio is the
    last layer's fan, some 10⁻¹; tanh with variance 1 / (3 fan_in), torch's default, takes 0.58 a layer.
    ``min_layers``: weight matrices needed to speak of first and last ones, 4 (ours).
    """

    ratio: float = 1e-3
    ratio_stuck: float = 1e-2
    stuck_steps: int = 200
    window: int = 50
    min_steps: int = 100
    loss_kept: float = 0.8
    min_layers: int = 4


@dataclass(slots=True)
class VanishingMemory:
    """Ratios of recent steps, losses beside the cost of guessing; how many layers were last seen."""

    ratios: Recent = field(default_factory=lambda: Recent(limit=50))
    progress: Progress = field(default_factory=Progress)
    layers: int = 0


#: Steps from one judgement to the next.
_EVERY: Final = 25


class VanishingGradient(Rule):
    """The early layers receive next to no gradient while the last ones do, and nothing is learnt."""

    id = "vanishing_gradient"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "early layers receive next to no gradient while late ones do, and the loss stays"
    needs = "gradient statistics, loss; at least four weight matrices; recordings, to know what guessing costs"
    trigger = (
        "RMS of the non-zero gradient, first quarter of the layers over last quarter, < 10⁻³ in 9 of 10 of the last "
        "50 steps, after 100 steps with the loss still above 0.8 of the cost of guessing (of its start where that is "
        "not known); or < 10⁻², after 200 steps with the loss still above 0.9 of the cost of guessing"
    )
    source = "AT, SMD, UM"
    summary = (
        "The gradient of {name} and the layers around it is {ratio:.2g} times that of the last layers at step {step}, "
        "and after {steps} steps the loss is still {loss:.4g} (it began at {initial_loss:.4g}){where}."
    )
    likely_causes = (
        "sigmoid or tanh activations in a deep stack",
        "initial weights too small for the depth",
        "no normalisation or residual path between the early layers and the loss",
    )
    advice = (
        "Replace the hidden activations (nn.Sigmoid() → nn.ReLU(); Keras: activation='relu') and initialise for them "
        "(nn.init.kaiming_normal_(layer.weight); Keras: kernel_initializer='he_normal'), or add normalisation or "
        "residual connections from {name} on."
    )
    # A unit at its end, or off, passes no gradient, whatever put it there: steps far too large, weights or inputs so.
    consequence_of = (
        *("learning_rate", "poor_init", "input_scale", "exploding_gradient", "loss_spike", "loss_diverging"),
        *("dead_units", "saturated_units"),
    )
    Parameters = VanishingParameters
    State = VanishingMemory
    hold_steps = 10

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns what guessing costs."""
        self.memory.progress.observe_record(view)
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """Judged at every 25th step."""
        ratios, heard, found = self._ratios(view), data_loss(view), []
        self.memory.progress.cost.observe(view)
        for first, after in stretches(view, _EVERY):
            told = ratios[first:after]
            self.memory.progress.add(heard[first:after])
            self.memory.ratios.add(told[np.isfinite(told)])
            found += self._judge(view, after - 1) if due(view, after - 1, _EVERY) else []
        return found

    def _judge(self, view: StepView, last: int) -> list[Finding]:
        memory, parameters = self.memory, self.parameters
        if memory.ratios.count < parameters.min_steps or not memory.progress.losses.count:
            return []
        recent, progress = memory.ratios.last[-parameters.window :], memory.progress
        loss = float(np.median(progress.losses.last[-parameters.window :]))
        initial, chance = progress.losses.initial, progress.chance
        stuck = chance is not None and progress.stuck and memory.ratios.count >= parameters.stuck_steps
        starved = float(np.mean(recent < (parameters.ratio_stuck if stuck else parameters.ratio))) >= 0.9
        if starved and loss > parameters.loss_kept * (initial if chance is None else chance) > 0:
            evidence = {
                "ratio": float(np.median(recent)),
                "window": len(recent),
                "steps": memory.ratios.count,
                "loss": loss,
                "initial_loss": initial,
                "layers": memory.layers,
            }
            return [self.finding(view, last, Subject("gradient", self._first(view), view.rank), evidence)]
        if self.active and not starved:
            return [self.cleared(view, last, Subject("gradient", self._first(view), view.rank))]
        return []

    def unjudged(self) -> str | None:
        """Too shallow or too short."""
        if 0 < self.memory.layers < self.parameters.min_layers:
            matrices = "matrix" if self.memory.layers == 1 else "matrices"
            return f"{self.memory.layers} weight {matrices}, needs {self.parameters.min_layers}"
        few = self.memory.ratios.count < self.parameters.min_steps or not self.memory.progress.losses.count
        return f"needs the loss and the gradients of {self.parameters.min_steps} steps" if few else None

    def _ratios(self, view: StepView) -> F64:
        """Early over late gradients by step, (N,); NaN where there is no ratio."""
        ratios = np.full(len(view), np.nan)
        for block, columns in view.blocks("gradient"):
            matrices = columns[view.index.matrix[block.tensors[columns]]]
            self.memory.layers = len(matrices)
            if len(matrices) < self.parameters.min_layers:
                continue
            used = block.stat("count")[:, matrices].astype(np.float64) - block.stat("zeros")[:, matrices]
            squares = block.stat("sumsq")[:, matrices].astype(np.float64)
            rms = np.sqrt(squares / np.maximum(used, 1))
            quarter = max(1, len(matrices) // 4)
            early, late = rms[:, :quarter].max(axis=1), rms[:, -quarter:].max(axis=1)
            # All-zero early gradients are frozen or masked layers, not starved ones: no ratio.
            known: Bool = (late > 0) & (early > 0)
            of = ratios[block.first : block.first + len(known)]
            of[known] = early[known] / late[known]
        return ratios

    def _first(self, view: StepView) -> str:
        for block, columns in view.blocks("gradient"):
            matrices = columns[view.index.matrix[block.tensors[columns]]]
            if len(matrices):
                return view.table[int(block.tensors[matrices[0]])].name
        return "all"
