"""A penalty, or weight decay, that leaves the data nothing to say."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.byhand import ByHand
from auditor.detect.evidence.cost import Cost
from auditor.detect.evidence.formulas import ERRORS, guess_error
from auditor.detect.evidence.latent import Latent
from auditor.detect.evidence.pace import stretches
from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.series import Recent
from auditor.detect.evidence.task import computed
from auditor.detect.facts import RunFacts
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Severity, Subject

_PARTS: Final = ("loss/data", "loss/penalty")


@dataclass(frozen=True, slots=True)
class PenaltyParameters:
    """Thresholds, ours but for ``dominant`` (TheDeepChecker: penalty over data loss).

    ``steps``: of the run, 100. ``stuck``: the data loss is still above this part of the cost of
    guessing, 0.75. ``dominant``: penalty over data loss, 1, in at least ``held`` of the steps, 0.5;
    ``spent``: part of what the sum of both has fallen that was penalty, 0.85, and ``shrunk``: what is
    left of the penalty, 0.7; or ``crushing``: penalty over data loss now, 10, after twice the steps.
    ``collapsed``: what is left of the weights' norm, 0.3, with a loss of ``chance``, 0.95, of guessing;
    ``decayed``: what is left of it, 0.75, where decay alone would have left 1/e of the weights.
    ``dropped``: declared rate of a dropout between layers, 0.8: Srivastava et al. (JMLR 2014, section
    A.4) keep 0.5 to 0.8 of the hidden units; of one kept in five the noise of a sum over many equal ones is
    twice its standard deviation (sqrt(p/(1 - p))), layer upon layer. ``faded``: what is left of both the weights' norm
    and the outputs' spread over a batch, 0.1, where what the answers cost is not known.
    """

    steps: int = 100
    stuck: float = 0.75
    dominant: float = 1.0
    held: float = 0.5
    spent: float = 0.85
    shrunk: float = 0.7
    crushing: float = 10.0
    collapsed: float = 0.3
    chance: float = 0.95
    decayed: float = 0.75
    dropped: float = 0.8
    faded: float = 0.1


@dataclass(slots=True)
class PenaltyMemory:
    """``ruled``: steps in which the penalty was larger; ``norms``: of the weight matrices, first and last.

    ``answered``: the data loss, recomputed from the last recorded outputs, over the cost of guessing; ``apart``:
    the outputs' standard deviation over a batch, of the last recorded step; ``decay``: sum over the steps of what
    weight decay alone takes from the weights. ``heard``: losses; ``dropped``, ``rate``: layers that drop most of
    what they are given, and how much at most, ``called`` those that are functions; ``held_out``: the last validation
    loss. ``by_hand``: a penalty that the loss holds without saying so, and ``shares``: of the first recorded step,
    and of the last ones, the loss of the data and that penalty. ``latent``: what else the loss holds, and how far
    answers tell inputs apart.
    """

    data: Recent = field(default_factory=lambda: Recent(limit=64))
    penalty: Recent = field(default_factory=lambda: Recent(limit=64))
    cost: Cost = field(default_factory=Cost)
    heard: Recent = field(default_factory=lambda: Recent(limit=64))
    dropped: list[str] = field(default_factory=list)
    rate: float = 0.0
    called: float = 0.0
    held_out: float = math.nan
    by_hand: ByHand = field(default_factory=ByHand)
    shares: list[list[float]] = field(default_factory=list)
    latent: Latent = field(default_factory=Latent)
    ruled: int = 0
    first_norm: float = math.nan
    norm: float = math.nan
    answered: float = math.nan
    answered_at: int = -1
    first_apart: float = math.nan
    apart: float = math.nan
    apart_at: int = -1
    decay: float = 0.0
    count: int = 0


class UnderfittingRegularization(Rule):
    """Regularisation outweighs the data."""

    id = "underfitting_regularization"
    severity = Severity.WARNING
    phase = "trend"
    meaning = "regularisation outweighs the data: the penalty is what is minimised, or the weights are drawn to zero"
    needs = "loss/data and loss/penalty, or sampled weights and recordings with outputs and targets"
    trigger = (
        "after 100 steps the data loss is still above 0.75 times the cost of guessing while the penalty was larger "
        "than it in half of the steps and took 85 % of what was gained (after 200 steps: or is 10 times as large "
        "now); or the norm of the weight matrices fell below 0.3 of what it was and the recorded outputs do no better"
        " than guessing (where no formula tells: below 0.1, and so is their spread over a batch); or below 0.75, "
        "above 0.75 of guessing, where weight decay alone would have left less than 1/e of the weights; or the first "
        "of these is seen of a penalty that is added by hand, in the recorded steps: what the loss has beyond its "
        "formula is the same multiple of the weights' squares or amounts at three of them; or after 200 steps the "
        "losses are above 0.95 times the cost of guessing and a layer declares a dropout of 0.8 or more (PyTorch: or "
        "the model calls one); or what the loss holds beside the mean error of the answers has come down to a fifth, "
        "while in the last two recorded steps (of step 100 and later, up to 200 or later) they differ a quarter as "
        "much from sample to sample as the targets, and are no better than one for all (each feature's mean, 0.95 of "
        "its error)"
    )
    source = "TheDeepChecker; the proofs are ours"
    summary = "Regularisation outweighs the data: {what} (step {step}{where})."
    likely_causes = (
        "a regularisation coefficient that is too large by orders of magnitude (alpha=100 for 1e-4, l2(10))",
        "weight_decay= of AdamW meant as a factor per step, or of SGD copied from AdamW (0.1 for 1e-4)",
        "a penalty summed over all weights beside a loss that is a mean",
        "a VAE's divergence that is summed over what the reconstruction error is a mean of: the codes say nothing",
        "dropout whose rate was taken for the part that is kept (0.9 for 0.1)",
    )
    advice = (
        "Divide the coefficient by a thousand: alpha=1e-4 in scikit-learn, keras.regularizers.L2(1e-4), "
        "weight_decay=1e-4 with SGD and 1e-2 with AdamW; the penalty should be the smaller part of the loss; "
        "a dropout of 0.1 to 0.5."
    )
    consequence_of = ("poor_init",)
    Parameters = PenaltyParameters
    State = PenaltyMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Learns what guessing costs, and how the outputs do against it."""
        memory = self.memory
        called = _called(view, self.parameters.dropped)
        memory.called = max(memory.called, *called) if called else memory.called
        seen = memory.cost.observe_record(view)
        self._tell_apart(view, seen)
        targets = None if seen is None else seen.labels() if seen.family == "categorical" else seen.targets
        if seen is None or targets is None or len(memory.cost.task.targets) < 2:
            return []
        memory.latent.observe_record(view, seen)
        values, task = computed(seen, targets), memory.cost.task
        # A penalty within the loss, written by hand, leaves no formula that explains it: squares will do.
        error = task.error if task.error in values and task.chance is not None else next(iter(values), "")
        guess = guess_error(error, task.targets) if error in ERRORS else memory.cost.guess
        if values and guess > 0:
            memory.answered, memory.answered_at = values[error] / guess, view.step
        parts = memory.by_hand.parts(view, seen, targets)
        if parts is not None:
            memory.shares = [*memory.shares[:1], *memory.shares[1:][-30:], list(parts)]
        return []

    def observe(self, view: StepView) -> list[Finding]:
        """Judged after every 25 losses."""
        memory: PenaltyMemory = self.memory
        memory.cost.observe(view)
        told = _parts(view)
        memory.held_out = float(([memory.held_out, *view.scalar("val_loss")[1]])[-1])
        pull = _pull(view.run.optimizer)
        memory.dropped, memory.rate = _dropping(view.run, self.parameters.dropped)
        if memory.called > memory.rate:
            memory.dropped, memory.rate = ["a dropout called as a function", *memory.dropped], memory.called
        found: list[Finding] = []
        done = 0
        for part in stretches(view, memory.count, whole=True):
            memory.count += len(part.values)
            memory.heard.add(part.values[np.isfinite(part.values)])
            memory.decay += pull * float(np.nansum(part.rates))
            known = [told[step] for step in part.steps.tolist() if step in told]
            if known:
                data, penalty = np.array(known).T
                memory.ruled += int((penalty > self.parameters.dominant * np.abs(data)).sum())
                memory.data.add(data)
                memory.penalty.add(penalty)
            self._weigh(view, done, part.after)
            done = part.after
            if part.end and memory.count >= self.parameters.steps:
                found += self._judge(part.moment)
        self._weigh(view, done, len(view))
        return found

    def finish(self, last: Moment) -> list[Finding]:
        """Once more for runs that are short."""
        return self._judge(last) if self.memory.count >= self.parameters.steps else []

    def unjudged(self) -> str | None:
        """Neither a penalty nor weights with outputs."""
        memory = self.memory
        if memory.count < self.parameters.steps:
            return f"needs {self.parameters.steps} steps with a loss"
        told = memory.penalty.count or (math.isfinite(memory.norm) and math.isfinite(memory.answered))
        return None if told else "neither a penalty was told, nor weights sampled and outputs recorded"

    def _judge(self, at: Moment) -> list[Finding]:
        memory = self.memory
        if self.active:
            better = memory.cost.chance is not None and memory.data.count and self._now < 0.5 * memory.cost.chance
            return [self.cleared(at, 0, Subject("loss", "loss/penalty", at.rank))] if better else []
        seen = self._outweighs() or self._vanishes() or self._added() or self._drops() or memory.latent.ignored()
        return [self.finding(at, 0, Subject("loss", "loss/penalty", at.rank), seen)] if seen else []

    @property
    def _now(self) -> float:
        return float(np.median(self.memory.data.last))

    def _outweighs(self) -> dict[str, Any] | None:
        memory, parameters = self.memory, self.parameters
        if memory.penalty.count < parameters.steps:
            return None
        chance, data, penalty = memory.cost.chance, self._now, float(np.median(memory.penalty.last))
        start = memory.data.initial
        limit = parameters.stuck * chance if chance is not None else 0.9 * start
        if not data > limit > 0 or memory.ruled < parameters.held * memory.penalty.count:
            return None
        spent = _spent(start, data, memory.penalty.initial, penalty)
        eaten = spent >= parameters.spent and penalty <= parameters.shrunk * memory.penalty.initial
        crushing = memory.penalty.count >= 2 * parameters.steps and penalty > parameters.crushing * abs(data)
        if not (eaten or crushing):
            return None
        what = f"the penalty went from {memory.penalty.initial:.4g} to {penalty:.4g}, the loss of the data only from "
        shown = {"what": what + f"{start:.4g} to {data:.4g}", "data": data, "penalty": penalty, "spent": spent}
        shown |= {"initial_data": start, "initial_penalty": memory.penalty.initial, "ruled": memory.ruled}
        return shown | ({"chance": chance} if chance is not None else {})

    def _vanishes(self) -> dict[str, Any] | None:
        memory, parameters = self.memory, self.parameters
        if memory.first_norm > 0 and not math.isfinite(memory.answered):
            return self._faded(memory.norm / memory.first_norm)
        if not memory.first_norm > 0 or memory.answered_at < 50:
            return None
        left = memory.norm / memory.first_norm
        collapsed = left < parameters.collapsed and memory.answered > parameters.chance
        decayed = left < parameters.decayed and memory.decay > 1 and memory.answered > parameters.stuck
        if not (collapsed or decayed):
            return None
        what = f"{left:.0%} of the weights' norm is left, and the outputs cost {memory.answered:.0%} of guessing"
        shown = {"what": what, "norm": memory.norm, "first_norm": memory.first_norm, "answered": memory.answered}
        return {**shown, "decay": memory.decay}

    def _faded(self, left: float) -> dict[str, Any] | None:
        """Weights and what they tell apart have both come to nothing, where no formula says what the answers cost."""
        memory, faded = self.memory, self.parameters.faded
        if not (left < faded and memory.apart < faded * memory.first_apart) or memory.apart_at < self.parameters.steps:
            return None
        what = f"{left:.0%} of the weights' norm is left, and the outputs differ from sample to sample by "
        what += f"{memory.apart / memory.first_apart:.0%} of what they did"
        shown = {"what": what, "norm": memory.norm, "first_norm": memory.first_norm}
        return shown | {"apart": memory.apart, "first_apart": memory.first_apart}

    def _tell_apart(self, view: RecordView, seen: Scored | None) -> None:
        memory = self.memory
        if seen is None or len(seen.outputs) < 2 or not np.isfinite(seen.outputs).all():
            return
        memory.apart, memory.apart_at = float(seen.outputs.std(axis=0).mean()), view.step
        memory.first_apart = memory.apart if math.isnan(memory.first_apart) else memory.first_apart

    def _added(self) -> dict[str, Any] | None:
        """The same of a penalty that is part of the loss by hand: seen in recorded steps alone."""
        memory, parameters = self.memory, self.parameters
        if len(memory.shares) < 2 or memory.answered_at < parameters.steps or not memory.answered > parameters.stuck:
            return None
        (start, initial), (data, penalty) = memory.shares[0], memory.shares[-1]
        ruled = sum(part > parameters.dominant * abs(rest) for rest, part in memory.shares) / len(memory.shares)
        spent = _spent(start, data, initial, penalty)
        eaten = spent >= parameters.spent and penalty <= parameters.shrunk * initial
        crushing = memory.answered_at >= 2 * parameters.steps and penalty > parameters.crushing * abs(data)
        if not (eaten or crushing) or ruled < parameters.held:
            return None
        what = f"a penalty that is added by hand went from {initial:.4g} to {penalty:.4g}, and the outputs cost "
        what += f"{memory.answered:.0%} of guessing"
        shown = {"what": what, "data": data, "penalty": penalty, "spent": spent, "answered": memory.answered}
        return shown | {"initial_data": start, "initial_penalty": initial, "formula": memory.by_hand.formula}

    def _drops(self) -> dict[str, Any] | None:
        """Dropout that leaves next to nothing, and losses of guessing, of data not trained on too where it is told.

        Where what was heard is no fixed multiple of what was recorded, the last recorded outputs tell by themselves.
        """
        memory, parameters = self.memory, self.parameters
        chance, losses, late = memory.cost.chance, memory.heard, 2 * parameters.steps
        if not memory.dropped or losses.count < late or not len(memory.cost.task.targets) or memory.cost.staged:
            return None
        guess = chance if chance is not None else memory.cost.guess
        now = float(np.median(losses.last))
        share = now / guess if chance is not None else memory.answered if memory.answered_at >= late else 0.0
        if not guess > 0 or not share > parameters.chance or memory.held_out < parameters.chance * guess:
            return None
        first = memory.dropped[0]
        what = f"{len(memory.dropped)} layers drop up to {memory.rate:.0%} of their inputs ({first} is the first), and "
        what += f"the answers in training cost {share:.0%} of guessing"
        return {"what": what, "rate": memory.rate, "layers": memory.dropped[:16], "loss": now, "answered": share}

    def _weigh(self, view: StepView, first: int, after: int) -> None:
        """The norm of all weight matrices at the last sample of the steps from ``first`` to before ``after``."""
        for block, weights in view.blocks("weight"):
            columns = weights[view.index.matrix[block.tensors[weights]]]
            low, high = block.rows(first, after)
            if not len(columns) or low >= high:
                continue
            norms = np.sqrt((block.stat("l2")[low:high, columns].astype(np.float64) ** 2).sum(axis=1))
            norms = norms[np.isfinite(norms)]
            if len(norms):
                self.memory.norm = float(norms[-1])
                if not math.isfinite(self.memory.first_norm):
                    self.memory.first_norm = float(norms[0])


def _spent(start: float, data: float, initial: float, penalty: float) -> float:
    """Part of what the loss of the data and the penalty have fallen together that was penalty."""
    less, gained = initial - penalty, max(start - data, 0.0)
    return less / (less + gained) if less > 0 else 0.0


def _parts(view: StepView) -> dict[float, tuple[float, float]]:
    """Loss of the data and penalty by step, where both were told."""
    data, penalty = (dict(zip(at.tolist(), values.tolist(), strict=True)) for at, values in map(view.scalar, _PARTS))
    both = sorted(data.keys() & penalty.keys())
    return {float(view.steps[at]): (data[at], penalty[at]) for at in both if math.isfinite(data[at] + penalty[at])}


def _dropping(run: RunFacts, least: float) -> tuple[list[str], float]:
    """The layers that declare a dropout of ``least`` or more (but 1: that is an ablation), and the largest rate."""
    found: list[str] = []
    largest = 0.0
    for layer in run.layers:
        config = layer.get("config")
        told = {**(config if isinstance(config, Mapping) else {}), **layer}
        rate = next((told[key] for key in ("rate", "p") if key in told), None)
        known = isinstance(rate, (int, float)) and not isinstance(rate, bool)
        if "dropout" in str(layer.get("class", "")).lower() and known and least <= float(rate or 0) < 1:
            found.append(str(layer.get("name")))
            largest = max(largest, float(rate or 0))
    return found, largest


def _called(view: RecordView, least: float) -> list[float]:
    """Rates of ``least`` or more of the dropouts that a forward pass calls as functions (PyTorch)."""
    told = view.facts.get("operations")
    each = [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []
    rates = [one.get("rate") for one in each if one.get("op") == "dropout"]
    return [float(rate) for rate in rates if isinstance(rate, (int, float)) and least <= rate < 1]


def _pull(optimizer: Mapping[str, Any]) -> float:
    """What part of a weight decay takes per step and unit of the learning rate; 0 where it is not that simple."""
    name = str(optimizer.get("class", "")).lower()
    groups = optimizer.get("groups")
    first = groups[0] if isinstance(groups, list) and groups and isinstance(groups[0], Mapping) else None
    settings = first if first is not None else optimizer.get("hyperparameters")
    decay = settings.get("weight_decay") if isinstance(settings, Mapping) else None
    if not isinstance(decay, (int, float)) or isinstance(decay, bool) or not isinstance(settings, Mapping):
        return 0.0
    coupled = name.endswith("adam") and first is not None and not settings.get("decoupled_weight_decay")
    if coupled or not name.endswith(("adamw", "sgd", "adam", "lion")):
        return 0.0
    momentum = settings.get("momentum") if name.endswith("sgd") else 0.0
    return float(decay) / (1.0 - float(momentum) if isinstance(momentum, (int, float)) and momentum < 1 else 1.0)
