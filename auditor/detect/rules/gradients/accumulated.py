"""Gradients that are never zeroed: each is the one before and something new."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.ending import last_activation
from auditor.detect.evidence.moves import moves
from auditor.detect.evidence.scored import output_gradient, scored
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Rule, dump, load
from auditor.detect.view import F64
from auditor.ingest.records import Recorded, indices
from auditor.model import Finding, Severity, Subject

#: Elements of a tensor that the recorder keeps of it beyond the whole ones of the first steps.
_SAMPLE: Final = 512
#: Weights that are followed; of more, evenly spread ones.
_MOST: Final = 64
#: Part of what a step promised by which the loss has then moved, if its gradient was its own (ours).
_WORD: Final = (0.5, 2.0)
#: What is kept beside the traces.
_COUNTED: Final = ("step", "pairs", "judged", "kept", "plain", "loss", "promise", "kept_word", "over")
#: Relative difference up to which a gradient is that of its own batch.
_PLAIN: Final = 2e-2


@dataclass(frozen=True, slots=True)
class AccumulatedParameters:
    """Thresholds, all ours; each closes a way in which healthy gradients look alike.

    ``pairs``: neighbouring recorded steps that must be seen, 8. ``alike``: median cosine of a gradient
    with the one before, 0.85 (full batches reach 1.0). ``fresh``: median size of what is new by that
    of the first gradient, at least 0.2 (with full batches nearly nothing is new). ``follows``: median
    cosine of what is new with what was new before, at least -0.1: differences of independent noisy
    gradients have -0.5, those of a sum of them the cosine of two gradients, 0 or more. ``steady``: what is new does
    not itself grow beyond this factor of the first gradient, 4 (an exploding run grows by factors).
    ``growth``: the norm reached, over the first one, 3. ``share``: part of the
    weights' elements that must show all of it, 0.75. Where plain steps promise more than the whole loss
    (:meth:`GradientAccumulated._promised`): ``stays``, 1.5, in place of that growth, and ``goes_on``, 0.5,
    in place of ``follows``. ``along``: cosine of update and gradient, beyond -0.98, of a plain step.
    """

    pairs: int = 8
    alike: float = 0.85
    fresh: float = 0.2
    follows: float = -0.1
    steady: float = 4.0
    growth: float = 3.0
    share: float = 0.75
    stays: float = 1.5
    goes_on: float = 0.5
    along: float = 0.98


@dataclass(slots=True)
class Trace:
    """One weight's gradients: sums that the verdict needs, and the last two gradients."""

    start: float = 0.0
    largest: float = 0.0
    last: F64 = field(default_factory=lambda: np.zeros(0))
    new: F64 = field(default_factory=lambda: np.zeros(0))
    alike: list[float] = field(default_factory=list)
    fresh: list[float] = field(default_factory=list)
    follows: list[float] = field(default_factory=list)

    def add(self, gradient: F64) -> None:
        """The next step's gradient, at the same elements."""
        norm = float(np.linalg.norm(gradient))
        if len(self.last) != len(gradient):
            self.start, self.largest, self.last, self.new = norm, norm, gradient, np.zeros(0)
            self.alike, self.fresh, self.follows = [], [], []
            return
        new = gradient - self.last
        self.alike.append(cosine(gradient, self.last))
        self.fresh.append(float(np.linalg.norm(new)) / self.start if self.start else math.nan)
        if len(self.new):
            self.follows.append(cosine(new, self.new))
        self.largest, self.last, self.new = max(self.largest, norm), gradient, new

    def shows(self, bounds: AccumulatedParameters, over: bool) -> bool:
        """Whether this weight's gradients pile up; ``over``: its steps promise more than there is."""
        if not self.start or not self.follows:
            return False
        fresh = float(np.median(self.fresh))
        return bool(
            np.median(self.alike) > bounds.alike
            and bounds.fresh < fresh < bounds.steady
            and np.median(self.follows) > (bounds.goes_on if over else bounds.follows)
            and self.largest > (bounds.stays if over else bounds.growth) * self.start
        )


@dataclass(slots=True)
class AccumulatedMemory:
    """Traces by weight, of at most ``_MOST`` weights, while recorded steps follow each other.

    ``plain``: of these steps, but the first, those at which the last bias had the gradient of its own batch.
    ``loss``, ``promise``: of the step before, and what it was to take off the loss to first order;
    ``kept_word``: steps after which the loss had moved by about as much; ``over``: plain steps that promised more
    than the whole loss.
    """

    traces: dict[str, Trace] = field(default_factory=dict)
    kept: int = 0
    """Recorded steps in a row whose backward pass found the gradients of the step before."""
    step: int = 0
    pairs: int = -1
    judged: int = 0
    plain: int = 0
    loss: float = math.nan
    promise: float = math.nan
    kept_word: int = 0
    over: int = 0


class GradientAccumulated(Rule):
    """The loop never zeroes the gradients."""

    id = "gradient_accumulated"
    severity = Severity.WARNING
    phase = "gradient"
    meaning = "gradients are never zeroed: each step adds to those of all steps before"
    needs = "recordings of the first steps in a row"
    trigger = (
        "over at least 8 neighbouring recorded steps, in three quarters of the weights: each gradient is the one "
        "before and something new (cosine above 0.85); what is new is of the size of the first gradient, 0.2 to 4 "
        "times, and not opposed to what was new before, as differences of separate gradients are; and the norm has "
        "trebled (or, where at half of the steps a step along the gradient promises more than the whole loss: what is "
        "new goes the way of what was new before, cosine above 0.5, and the norm is half as large again); "
        "not where the last bias has, at half of the steps, just the gradient of its own batch, nor where after half "
        "of them the loss has moved by half to twice what gradient times update promised. In PyTorch, where the agent "
        "sees whether gradients are there before the backward pass: in 8 recorded steps in a row they are"
    )
    source = "UMLAUT (CHI'21), TrainCheck (OSDI'25); the test on differences is ours"
    summary = (
        "Each gradient is the one before (cosine {alike:.3f}) and something new, and their norm has grown {growth:.3g} "
        "times by step {step}{where}: they are not zeroed between steps."
    )
    likely_causes = (
        "optimizer.zero_grad() is missing in the loop, or is called for another optimizer",
        "a hand-written accumulator of gradients that is not set back after the step",
    )
    advice = (
        "Call optimizer.zero_grad() before loss.backward() in every step (TensorFlow: assign zeros to the accumulators "
        "after apply_gradients)."
    )
    Parameters = AccumulatedParameters

    State = AccumulatedMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Adds a step; judges from the ninth in a row on, once."""
        memory = self.memory
        gradients = view.of("gradient") if view.phase == "train" else {}
        if not gradients or self.active or _anew(view):
            return []
        told = view.facts.get("gradients_before")
        memory.kept = 0 if told in {"none", "zero"} else memory.kept + (told == "kept")
        if told in {"none", "zero"}:
            memory.judged += 1
            memory.traces, memory.pairs = {}, -1
            return []
        if view.step != memory.step + 1:
            memory.traces, memory.pairs, memory.plain = {}, -1, 0
            memory.kept_word, memory.over, memory.promise = 0, 0, math.nan
        memory.step, memory.pairs = view.step, memory.pairs + 1
        for name in list(gradients)[:: 1 + len(gradients) // _MOST]:
            values = _same(gradients[name])
            if values is not None:
                memory.traces.setdefault(name, Trace()).add(values)
        memory.plain += int(memory.pairs > 0 and _plain(view))
        self._promised(view)
        if memory.pairs < self.parameters.pairs or 2 * max(memory.plain, memory.kept_word) > memory.pairs:
            return []
        memory.judged += 1
        return self._told(view) if memory.kept else self._judge(view)

    def unjudged(self) -> str | None:
        """Too few steps in a row."""
        return None if self.memory.judged else f"needs {self.parameters.pairs + 1} recorded steps in a row"

    def state(self) -> dict[str, Any]:
        """The traces one by one."""
        traces = {name: dump(trace) for name, trace in self.memory.traces.items()}
        memory = {
            **{name: getattr(self.memory, name) for name in _COUNTED},
            "traces": traces,
        }
        return {"active": self.active, "memory": memory}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes them back."""
        kept = dict(state["memory"])
        traces = {name: load(Trace, trace) for name, trace in kept.pop("traces").items()}
        self.active, self.memory = bool(state["active"]), load(AccumulatedMemory, {**kept, "traces": {}})
        self.memory.traces = traces

    def _promised(self, view: RecordView) -> None:
        """Hold what the step before was to do to the loss against what the loss did.

        On one and the same batch a loss moves by its gradient times the update. A pile of t gradients
        promises t times as much; and where batches differ, their noise has no regard to it.

        A loss that is never below 0 and curves by c along its gradient g has g² ≤ 2cL. A plain step of rate r that
        promises rg² > L so has rc > 1/2, and leaves less than half of that gradient: one that stays is remembered.
        """
        memory, loss = self.memory, float(view.scalars.get("loss", math.nan))
        share = (loss - memory.loss) / memory.promise if memory.promise else math.nan
        memory.kept_word += int(_WORD[0] < share < _WORD[1])
        taken = moves(view)
        memory.loss, memory.promise = loss, sum(move.uphill for move in taken) or math.nan
        pushed = sum(move.elements * move.gradient**2 for move in taken)
        moved = sum(move.elements * move.update**2 for move in taken)
        plain = -memory.promise > self.parameters.along * math.sqrt(pushed * moved)
        memory.over += int(plain and -memory.promise > loss > 0)

    def _told(self, view: RecordView) -> list[Finding]:
        """The agent saw them before the backward pass; what the numbers look like besides."""
        memory = self.memory
        moving = {name: trace for name, trace in memory.traces.items() if trace.largest > 0 and trace.start > 0}
        if memory.kept < self.parameters.pairs or not moving:
            return []
        alike = float(np.median([np.median(trace.alike) for trace in moving.values()]))
        growth = float(np.median([trace.largest / trace.start for trace in moving.values()]))
        evidence = {"alike": alike, "growth": growth, "kept": memory.kept, "weights": len(moving), "of": len(moving)}
        return [self.finding(view, 0, Subject("gradient", next(iter(moving)), view.rank), evidence)]

    def _judge(self, view: RecordView) -> list[Finding]:
        moving = {name: trace for name, trace in self.memory.traces.items() if trace.largest > 0}
        over = 2 * self.memory.over > self.memory.pairs
        shown = [name for name, trace in moving.items() if trace.shows(self.parameters, over)]
        # By elements: the first gradient of a bias, by which the rest is measured, may be small by luck.
        sizes = {name: len(trace.last) for name, trace in moving.items()}
        if not shown or sum(sizes[name] for name in shown) < self.parameters.share * sum(sizes.values()):
            return []
        traces = [moving[name] for name in shown]
        evidence = {
            "alike": float(np.median([np.median(trace.alike) for trace in traces])),
            "fresh": float(np.median([np.median(trace.fresh) for trace in traces])),
            "follows": float(np.median([np.median(trace.follows) for trace in traces])),
            "growth": float(np.median([trace.largest / trace.start for trace in traces])),
            "weights": len(shown),
            "of": len(moving),
            "pairs": self.memory.pairs,
        }
        return [self.finding(view, 0, Subject("gradient", shown[0], view.rank), evidence)]


def _anew(view: RecordView) -> bool:
    """Whether the framework itself computes each gradient anew: scikit-learn, and Keras' own train_step."""
    own = view.run.section("precision").get("own_train_step")
    return view.run.framework == "sklearn" or (view.run.framework == "keras" and own is False)


def _plain(view: RecordView) -> bool:
    """Whether a bias at the end of the model has just the gradient that outputs and targets of this step give it."""
    seen = scored(view)
    expected = None if seen is None or seen.weights is not None else output_gradient(seen, last_activation(view))
    size = 0.0 if expected is None else float(np.linalg.norm(expected))
    if expected is None or not size > 0:
        return False
    for one in view.of("gradient").values():
        if one.shape == (len(expected),) and one.values is not None and len(one.values) == len(expected):
            off = one.values.astype(np.float64) - expected
            if float(np.linalg.norm(off)) <= _PLAIN * size:
                return True
    return False


def cosine(left: F64, right: F64) -> float:
    """Cosine of the angle between two vectors; 0 where one of them is zero."""
    size = float(np.linalg.norm(left) * np.linalg.norm(right))
    return float(left @ right) / size if size > 0 else 0.0


def _same(one: Recorded) -> F64 | None:
    """At most 512 elements, the same ones whether the tensor was recorded whole or sampled."""
    if one.values is None:
        return None
    values = one.values.astype(np.float64)
    if not np.isfinite(values).all():
        return None
    if one.elements == one.size:
        return values[indices(one.size, min(one.size, _SAMPLE))]
    return values if one.elements == _SAMPLE else None
