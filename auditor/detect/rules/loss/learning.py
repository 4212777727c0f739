"""Runs in which nothing is learnt."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.closer import Closer
from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.pace import STRIDE, rising, stretches
from auditor.detect.evidence.plateau import Flatness, Plateau, flat_window, flatness
from auditor.detect.evidence.stopped import Stopped
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject

#: Rules whose faults keep a run from learning.
CAUSES: Final = (
    *("vanishing_gradient", "exploding_gradient", "zero_gradient", "update_ratio", "unchanged_parameters"),
    *("update_swallowed", "optimizer_step_missing", "gradient_accumulated", "clip_saturated", "learning_rate"),
    *("dead_units", "saturated_units", "symmetric_units", "poor_init", "input_scale"),
    *("softmax_twice", "logits_as_probabilities", "output_activation_mismatch", "loss_shape_broadcast"),
    *("label_range", "label_mismatch", "repeated_batches", "data_order_fixed", "wrong_mode"),
    *("loss_spike", "loss_diverging", "weight_explosion", "underfitting_regularization", "loss_oscillating"),
    *("scaler_stuck", "embedding_unused"),
)
#: Root mean square of targets that is nothing beside the first answers, of size 1, nor beside how far steps of Adam's
#: usual rate, 1e-3, move them; and by how many times the cost of guessing, and standard errors, the answers of a run
#: that ended are then worse than one for all (ours).
_SMALL: Final = 1e-3
_LOST: Final = 10.0
_WORSE: Final = 3.0
#: Evaluations in a row that give the very loss of the one before: a model that is trained does not (ours).
_AGAIN = 3


@dataclass(frozen=True, slots=True)
class FlatParameters:
    """Thresholds.

    ``min_steps``: steps of a window, 200 (RULES.md: never under 100). ``change``: the loss has
    certainly changed by less than this share of itself, 0.02, at three standard errors (ours: noisier
    losses need more steps, up to 3,200). ``patience``: steps before a loss at chance is said of a run
    that goes on, 400 (ours: XOR, parity and small networks rest at chance for a while before they
    learn). ``slow_patience``: the same while the loss falls beyond its noise, 1,600. ``least``: steps
    of a run that has ended, 100 (RULES.md). ``chance``: part of the cost of guessing that a flat loss
    may be below, 0.98 (ours: what the recorded targets' entropy may be off by), and ``amounts``, 0.7, the
    same of the variance of other data than the recorded (sqrt(2 / 200) at three standard errors). ``pace``:
    a loss above the cost of guessing that falls so slowly that it would need this many times the steps so far
    to come there, 4 (ours). ``closer``: standard errors by which the last recorded answers, from step ``least`` on, are
    closer to amounts than their mean, 1: then something may have been learnt, little as it is.
    """

    min_steps: int = 200
    change: float = 0.02
    patience: int = 400
    slow_patience: int = 1600
    least: int = 100
    chance: float = 0.98
    amounts: float = 0.7
    pace: float = 4.0
    closer: float = 1.0


@dataclass(slots=True)
class FlatMemory:
    """Losses, rates, weights and gradients; and what guessing costs.

    ``bottom``: lowest level that 25 losses surely lay below. ``held_out``: lowest loss of data held out; ``last``,
    ``again``: the last one, and how often in a row it was the same to the last digit. ``closer``: how recorded answers
    do on the very samples that they are answers to. ``stopped``: whether a fit was cut off.
    """

    plateau: Plateau = field(default_factory=Plateau)
    cost: Cost = field(default_factory=Cost)
    bottom: float = math.inf
    held_out: float = math.inf
    last: float = math.nan
    again: int = 0
    closer: Closer = field(default_factory=Closer)
    stopped: Stopped = field(default_factory=Stopped)


class LossNotDecreasing(Rule):
    """The loss is flat, and something proves that it should not be."""

    id = "loss_not_decreasing"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "nothing is learnt: the loss stays at the cost of guessing, or nothing moves the weights"
    needs = "loss; recordings with outputs and targets, or gradient statistics, sampled weights, learning rate as proof"
    trigger = (
        "the loss (without penalty) is flat over 200 to 3,200 steps as its noise demands (changed by less than 2 % at "
        "three standard errors) and at least 0.98 times what guessing costs: the entropy of the recorded labels or "
        "the variance of the targets, in the loss's own units; or it is above that and falls too slowly to reach it "
        "in four times the steps so far; after 400 steps, 1,600 if it falls beyond its noise, or 100 once the run has "
        "ended; or a run has ended with it above 10 times that cost, of amounts with a root mean square below 0.001, "
        "and its last recorded answers are surely (3 standard errors) farther off than their mean; not where a loss "
        "of data held out came surely below that cost, or recorded amounts are answered more closely than by their "
        "mean (by a standard error). Or it is flat while the weights are bit for bit the same, the learning rate is "
        "0, or most gradients are zero; never while the learning rate is still rising. Or a fit of scikit-learn has "
        "ended, by its tol or a max_iter of 10 or less, after 3 epochs or more and above 0.7 of that cost, while the "
        "loss fell in four of five, and as it slowed down will lose a fifth in the epochs left (or in as many again)"
    )
    source = "SMD, AutoTrainer (ICSE'21), UMLAUT (CHI'21); the proofs are ours"
    summary = "The loss {said} up to step {step}: {level:.4g} ({proof_text}){where}."
    likely_causes = (
        "a tol above what an epoch gains, or a max_iter of a few epochs (scikit-learn)",
        "a learning rate of zero or far too small, or so large that the first steps destroyed the network",
        "the optimizer does not hold the model's parameters, or its step is not called",
        "gradients do not reach the weights (detached graph, dead or saturated activations)",
        "targets far from the scale of the outputs, or labels that have nothing to do with the inputs",
    )
    advice = (
        "Check, in this order: lr= in the optimizer's constructor; that the optimizer got model.parameters() of this "
        "model and optimizer.step() is reached; that loss.backward() starts from a loss that was not detached; that "
        "the targets of a regression are standardised. Then overfit one batch: a model that cannot is broken, one "
        "that can has a data problem."
    )
    consequence_of = CAUSES
    Parameters = FlatParameters
    State = FlatMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns what guessing costs."""
        seen = self.memory.cost.observe_record(view)
        if seen is not None and view.step >= self.parameters.least:
            self.memory.closer.observe(seen, self.memory.cost.task)
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """Judged after every 25 losses."""
        memory: FlatMemory = self.memory
        memory.cost.observe(view)
        memory.stopped.observe(view)
        for value in view.scalar("val_loss")[1].tolist():
            memory.held_out = float(np.fmin(memory.held_out, value))
            memory.again = memory.again + 1 if value == memory.last else 0
            memory.last = value
        found: list[Finding] = []
        done = 0
        for part in stretches(view, memory.plateau.losses.count):
            memory.plateau.add(part)
            if part.end:
                memory.plateau.observe(view, done, part.after)
                done = part.after
                memory.bottom = min(memory.bottom, _surely_below(memory.plateau.losses.last[-STRIDE:]))
                found += self._judge(part.moment, ended=False)
        memory.plateau.observe(view, done, len(view))
        return found

    def finish(self, last: Moment) -> list[Finding]:
        """A run that ended at the cost of guessing has not learnt, short as it was."""
        return self._judge(last, ended=True) or self._cut_off(last)

    def _cut_off(self, last: Moment) -> list[Finding]:
        shown = None if self.active else self.memory.stopped.early(self.memory.cost.chance)
        return [self.finding(last, 0, Subject("loss", "loss", last.rank), shown)] if shown is not None else []

    def unjudged(self) -> str | None:
        """Too short, or no floor known."""
        if self.memory.plateau.losses.count < self.parameters.least:
            return f"needs {self.parameters.least} steps with a loss"
        unknown = "the cost of guessing is not known: only weights that stay and gradients that are zero can be judged"
        return None if self.memory.cost.chance is not None else unknown

    def _judge(self, last: Moment, *, ended: bool) -> list[Finding]:
        plateau = self.memory.plateau
        if plateau.losses.count < (self.parameters.least if ended else self.parameters.min_steps):
            return []
        recent = float(np.median(plateau.losses.last[-STRIDE:]))
        if self.active:
            learnt = _surely_below(plateau.losses.last[-STRIDE:]) < plateau.level - 0.05 * abs(plateau.level)
            return [self.cleared(last, 0, Subject("loss", "loss", last.rank), {"loss": recent})] if learnt else []
        flat = self._flat(ended=ended)
        if flat is None or rising(plateau.rates.last[-flat.window :]):
            return []
        proof = self._chance(flat, ended=ended) or (self._lost() if ended else None) or self._still(flat)
        if proof is None:
            return []
        plateau.level = flat.level
        shown: dict[str, Any] = {"said": f"has not decreased over {flat.window} steps"}
        shown |= {"window": flat.window, "level": flat.level, "initial_loss": plateau.losses.initial}
        shown |= {"fallen": flat.fallen, "error": flat.error}
        return [self.finding(last, 0, Subject("loss", "loss", last.rank), shown | proof)]

    def _flat(self, *, ended: bool) -> Flatness:
        """The flat window if there is one, else the last steps as they are."""
        losses, parameters = self.memory.plateau.losses.last, self.parameters
        flat = flat_window(losses, parameters.min_steps, parameters.change)
        if flat is None and ended:
            flat = flat_window(losses, max(parameters.least, len(losses) // 2), 2 * parameters.change)
        return flat or flatness(losses[-min(len(losses), parameters.min_steps) :])

    def _still(self, flat: Flatness) -> dict[str, Any] | None:
        if flat.moved >= self.parameters.change * abs(flat.level):
            return None
        return self.memory.plateau.still(flat) or self._width(flat)

    def _chance(self, flat: Flatness, *, ended: bool) -> dict[str, Any] | None:
        memory, parameters = self.memory, self.parameters
        chance, count = memory.cost.chance, memory.plateau.losses.count
        patient = parameters.slow_patience if flat.falling else parameters.patience
        if chance is None or chance <= 0 or (count < patient and not ended):
            return None
        if memory.bottom < 0.9 * chance:
            return None  # it has learnt, and lost it again: that is another fault
        if memory.closer.surely > parameters.closer or self._foreseen(chance):
            return None  # what is learnt shows where nothing is dropped, nor any noise added
        text = f"guessing costs {chance:.4g}"
        evidence = {"proof": "chance", "chance": chance, "family": memory.cost.task.family}
        limit = parameters.change * (2 if ended else 1)
        if flat.level >= parameters.chance * chance and flat.moved < limit * abs(flat.level):
            return evidence | {"proof_text": text}
        sure = flat.level - 3 * flat.error
        fastest = flat.fallen + flat.error
        needed = 0.5 * flat.window * (sure - chance) / fastest if fastest > 0 else math.inf
        if sure > chance and needed > parameters.pace * count:
            return evidence | {"proof_text": f"{text}, and it falls too slowly to come there", "steps_needed": needed}
        return None

    def _lost(self) -> dict[str, Any] | None:
        """Targets so small that all of a run went into answering 0, and it did not come as near as their mean.

        What it says of them is noise: each recorded answer is farther off than one for all would be.
        """
        memory, chance = self.memory, self.memory.cost.chance
        targets, family = memory.cost.task.targets, memory.cost.task.family
        size = math.sqrt(float((targets**2).mean())) if family == "regression" and len(targets) else math.inf
        if chance is None or chance <= 0 or size >= _SMALL or not memory.closer.surely < -_WORSE:
            return None
        last = memory.plateau.losses.last[-STRIDE:]
        level = float(last.mean())
        if 2 * level - _surely_below(last) <= _LOST * chance:
            return None
        said = f"is still {level / chance:.3g} times that of guessing after {memory.plateau.losses.count} steps,"
        text = f"guessing costs {chance:.4g}: targets of size {size:.2g} are nothing beside what the answers are off by"
        return {"proof": "small", "said": said, "proof_text": text, "chance": chance, "family": family, "targets": size}

    def _foreseen(self, chance: float) -> bool:
        """Whether data held out were answered surely better than by guessing, as far as its cost can be off for them.

        Of amounts their variance may be less than that of the data trained on; a weighted loss is none of these. Nor
        where they are answered the same after every pass: what a pass learns, the next one begins without.
        """
        cost, weights = self.memory.cost, self.memory.cost.task.weights
        plain = not len(weights) or float(np.ptp(weights)) == 0
        sure = self.parameters.chance - 3 * cost.unsure if cost.entropic else self.parameters.amounts
        return plain and self.memory.again < _AGAIN and self.memory.held_out < sure * chance

    def _width(self, flat: Flatness) -> dict[str, Any] | None:
        """Where nothing was recorded: ln C for a last layer of C units, of a loss that never fell."""
        memory = self.memory
        classes, plateau = memory.plateau.classes, memory.plateau
        if memory.cost.task.family or classes < 3 or plateau.fell(flat.level) or plateau.losses.count < 400:
            return None
        chance = math.log(classes)
        if not 0.98 * chance <= flat.level <= 1.1 * chance:
            return None
        text = f"guessing among {classes} classes costs {chance:.4g}"
        return {"proof": "chance", "proof_text": text, "chance": chance, "classes": classes}


def _surely_below(losses: F64) -> float:
    """Upper end of the mean of some losses, at three standard errors: the lowest of many is low by chance too."""
    return float(losses.mean() + 3 * losses.std() / math.sqrt(len(losses)))
