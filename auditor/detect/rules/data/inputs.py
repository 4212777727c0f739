"""Inputs on scales that the first layer cannot use."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.answers import surely_right
from auditor.detect.evidence.apart import Apart
from auditor.detect.evidence.cost import data_loss
from auditor.detect.evidence.extremes import alike, certain, repeated
from auditor.detect.evidence.marked import Marked
from auditor.detect.evidence.moves import moves
from auditor.detect.evidence.plateau import coming, flatness
from auditor.detect.evidence.progress import Progress
from auditor.detect.evidence.scored import Scored
from auditor.detect.evidence.series import Recent
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import StepView, due, stretches
from auditor.model import Finding, Severity, Subject
from auditor_agent.recorder import GIVEN

#: Layers that bring their inputs to a scale of their own, and those that only stand for a place.
_NORMALISERS: Final = ("normalization", "batchnorm", "layernorm")
_PLACES: Final = frozenset({"InputLayer", "Flatten", "Reshape"})
#: Steps from one judgement to the next.
_EVERY: Final = 50
#: Standard errors by which more answers are right than by guessing, from which on a high loss is none of guessing.
_BETTER: Final = 3.0
#: Part of the cost of guessing below which a loss is less than that, however the recorded targets fell.
_LESS: Final = 0.98


@dataclass(frozen=True, slots=True)
class ScaleParameters:
    """Thresholds, all ours.

    ``size``: root mean square of the inputs, 10: standardised ones have 1, pixels of 0..255 some 100.
    ``least``: largest element of all, 0.02: pixels of 0..255 divided by 255 twice have 0.004; rows of
    length 1 over a thousand columns, such as counts of words, still have elements of 0.03 and more.
    ``spread``: the widest column over the median one by standard deviation, 100. ``steps``: steps
    before a loss that stays counts, 100. ``chance``: it stays if it is above this part of the cost of
    guessing, 0.85, and neither surely below that cost (three standard errors), nor surely falling, nor, since the
    first ``settled`` steps, 50, on its way to that part within ``pace`` times the steps so far, 4 (as for
    ``loss_not_decreasing``). ``saturated``: part of a sigmoid's or tanh's outputs at their ends, 0.5, while
    the loss is not below ``learnt``, 0.5, of the cost of guessing. ``certain``: the first recorded steps, 8, in
    which every sample is answered with the same certainty. ``thrown``: the first losses over the cost of guessing,
    100 (weights that are sound for inputs of size 1 cost a few times that at most), or ``both``, 5, where both size
    and spread are beyond their limits, of which after twice the steps more than ``kept``, 0.5, of that cost is
    left. ``early``: steps, 20, within which a loss that becomes no number, or ``blown``, 1e4, times the first, was
    thrown off by them, where a step moved the weights by ``stride``, 0.3, of their size (as for ``learning_rate``).
    ``same``: recorded steps, 8, each of one sample again and again.
    """

    size: float = 10.0
    least: float = 0.02
    spread: float = 100.0
    steps: int = 100
    chance: float = 0.85
    settled: int = 50
    pace: float = 4.0
    saturated: float = 0.5
    learnt: float = 0.5
    certain: int = 8
    thrown: float = 100.0
    both: float = 5.0
    kept: float = 0.5
    early: int = 20
    blown: float = 1e4
    stride: float = 0.3
    same: int = 8


@dataclass(slots=True)
class ScaleMemory:
    """The mildest batch, losses beside the cost of guessing, and the first layer's saturation (NaN unknown).

    ``sizes``: of the last batches. ``largest``: element of all batches, by size. ``certain``: first recorded steps that
    answered all samples with one certainty; -1 once a step did not. ``apart``: the scales of training and evaluation.
    ``better``: by how many standard errors more of the last recorded answers are right than of one for all.
    ``begun``: the first loss; ``stride``: the largest step of the weights, by their size; ``broken``: step and time of
    an early loss that was thrown off. ``same``: recorded steps of one sample again and again; -1 once one was not.
    ``marked``: a value that stands for missing ones.
    """

    size: float = math.nan
    sizes: Recent = field(default_factory=lambda: Recent(limit=20))
    largest: float = math.nan
    spread: float = math.nan
    progress: Progress = field(default_factory=Progress)
    heard: Recent = field(default_factory=lambda: Recent(limit=400))
    saturated: float = math.nan
    layer: str = ""
    certain: int = 0
    better: float = math.nan
    apart: Apart = field(default_factory=Apart)
    begun: float = math.nan
    stride: float = math.nan
    broken: list[float] = field(default_factory=list)
    same: int = 0
    marked: Marked = field(default_factory=Marked)


class InputScale(Rule):
    """Raw inputs, and a network that suffers from them."""

    id = "input_scale"
    severity = Severity.WARNING
    phase = "batch"
    meaning = "inputs are not normalised, and it shows: the first layer saturates or the loss stays that of guessing"
    needs = "recordings with batches; loss, targets or saturation as proof"
    trigger = (
        "inputs (or what a normalisation at the start of the model makes of them) with a root mean square above 10, "
        "or one column 100 times as spread as the median one, and one of: half of the first saturating layer's "
        "outputs at their ends, one and the same answer of probability 0 or 1 for all samples in the first 8 recorded "
        "steps, or after 100 steps a loss still above 0.85 times the cost of guessing that does not fall, the last "
        "recorded answers, where they are classes, being right no more often than one for all (by 3 standard errors), "
        "or first losses 100 times that cost (5, where root mean square and one column are beyond these limits) and "
        "after 200 steps more than half of it, or a loss that is no number, "
        "or 10,000 times the first, within 20 steps, of which one moved the weights by 0.3 of their size; or one "
        "exact value in several rows of a column that lies 10 times the range of all others (8 and more) outside of "
        "them, with a loss above that cost after 100 steps; or in 8 recorded steps batches (of 8 samples, and 4 "
        "numbers each, or more) that are one sample again and again, whose targets differ; or inputs none of which is "
        "as large as 0.02, and such a loss; or two recorded evaluations in a row whose root mean square is 4 times "
        "above or below that of every recorded step, with twice its loss"
    )
    source = "UMLAUT (CHI'21), DeepDiagnosis (ICSE'22); proof and thresholds are ours"
    summary = "{fault}, and {what}{where}."
    likely_causes = (
        "features in their raw units, or pixels in 0..255",
        "a scaler that was fitted but not applied",
        "missing values coded as a number (-9999, 999) and left in the features",
        "pixels divided by 255 twice, by the data set and by the loop, or as whole numbers, which leaves zeros",
        "validation data that did not go through the preprocessing of the training data",
    )
    advice = (
        "Standardise the features with statistics of the training set: sklearn.preprocessing.StandardScaler, "
        "keras.layers.Normalization with adapt(), or (x - mean) / std; divide pixels by 255."
    )
    # Normalisation in evaluation mode passes on inputs of any size.
    consequence_of = ("wrong_mode",)
    Parameters = ScaleParameters
    State = ScaleMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Measures the first batches and the task."""
        seen = self.memory.progress.cost.observe_record(view)
        self.memory.better = self.memory.better if seen is None else surely_right(seen)
        batch = next(iter(view.of("batch").values()), None)
        if batch is None or batch.values is None:
            return []
        if not batch.dtype.startswith(("float", "bfloat", "int", "uint")):
            return []
        values = np.asarray(batch.values, dtype=np.float64)
        if not values.size or not np.isfinite(values).all() or _indices(batch.dtype, view):
            return []
        apart = self.memory.apart.observe_record(view, values, self.memory.progress.recent)
        if view.phase != "train":
            return [] if apart is None or self.active else [self._found(view, 0, apart)]
        strides = [move.ratio for move in moves(view) if move.matrix and math.isfinite(move.ratio)]
        memory = self.memory
        memory.stride = float(np.fmax(memory.stride, np.median(strides) if strides else math.nan))
        size = _normalised(view, float(np.sqrt((values**2).mean())))
        self.memory.size = float(np.fmin(self.memory.size, size))
        self.memory.sizes.add(np.array([size]))
        if _first_normaliser(view) is None:
            self.memory.largest = float(np.fmax(self.memory.largest, np.abs(values).max()))
        if _first_normaliser(view) is None and len(batch.shape) == 2 and not batch.sampled and batch.shape[0] >= 8:
            spread = values.reshape(batch.shape).std(axis=0)
            middle = float(np.median(spread[spread > 0])) if (spread > 0).any() else 0.0
            widest = float(spread.max() / middle) if middle and spread.max() > 1 else 1.0
            self.memory.spread = float(np.fmin(self.memory.spread, widest))
            self.memory.marked.observe(values.reshape(batch.shape))
        return self._blown(view) or self._alike(view, seen) or self._answers(view, seen)

    def observe(self, view: StepView) -> list[Finding]:
        """Judges the harm at every 50th step."""
        memory, found, heard = self.memory, [], data_loss(view)
        memory.progress.cost.observe(view)
        self._early(view)
        found += self._blown(view)
        for first, after in stretches(view, _EVERY):
            memory.progress.add(heard[first:after])
            memory.heard.add(heard[first:after][np.isfinite(heard[first:after])])
            self._saturation(view, first, after)
            found += self._judge(view, after - 1) if due(view, after - 1, _EVERY) else []
        return found

    def _alike(self, view: RecordView, seen: Scored | None) -> list[Finding]:
        """One sample again and again, under targets that differ: nothing tells these apart."""
        memory, hold = self.memory, self.parameters.same
        if seen is None or memory.same < 0:
            return []
        told = repeated(view, seen)
        memory.same = -1 if told is None else memory.same + 1
        if told is None or memory.same != hold or self.active:
            return []
        fault = f"All samples of a batch are one and the same input (from {told['low']:.4g} to {told['high']:.4g})"
        what = f"their targets differ, in each of {hold} recorded steps"
        return [self._found(view, 0, {"fault": fault, "what": what, **told})]

    def _early(self, view: StepView) -> None:
        """Take in the first losses, up to one that is thrown off."""
        memory, parameters = self.memory, self.parameters
        for at in np.flatnonzero(view.has_loss & (view.steps <= parameters.early)) if not memory.broken else ():
            loss = float(view.loss[at])
            if not math.isfinite(memory.begun):
                memory.begun = loss
            elif not abs(loss) < parameters.blown * abs(memory.begun):
                memory.broken = [float(view.steps[at]), float(view.times[at])]
                return

    def _blown(self, view: StepView | RecordView) -> list[Finding]:
        """A first layer's gradient is as large as its inputs: so were the steps that threw the loss off."""
        memory, parameters = self.memory, self.parameters
        if self.active or not memory.broken or not memory.stride >= parameters.stride:
            return []
        size = float(np.median(memory.sizes.last)) if memory.sizes.count else math.nan
        if not size > parameters.size:
            return []
        step, time = memory.broken
        what = f"the first steps moved the weights by {memory.stride:.2g} times their size, and the loss was thrown off"
        fault = f"The inputs are not normalised (root mean square {size:.4g} in the median batch)"
        evidence = {"what": what, "fault": fault, "size": size, "stride": memory.stride, "initial_loss": memory.begun}
        return [self._found(Moment(view.attempt, view.rank, int(step), time), 0, evidence)]

    def _answers(self, view: RecordView, seen: Scored | None) -> list[Finding]:
        """From the first step on one certain answer for all: sound weights give that to large inputs alone."""
        memory, hold = self.memory, self.parameters.certain
        if seen is None or memory.certain < 0:
            return []
        memory.certain = memory.certain + 1 if alike(view, seen) is not None and certain(seen) else -1
        if memory.certain != hold or self.active or not memory.size > self.parameters.size:
            return []
        what = f"every sample of the first {hold} recorded steps gets one answer, at the ends of what can be answered"
        return [self._found(view, 0, {"what": what})]

    def _found(self, view: StepView | RecordView | Moment, at: int, shown: dict[str, Any]) -> Finding:
        memory = self.memory
        spread = memory.spread if math.isfinite(memory.spread) else 1.0
        evidence: dict[str, Any] = {"size": memory.size, "spread": spread}
        evidence["fault"] = (
            f"The inputs are not normalised (root mean square {memory.size:.4g}, widest column {spread:.4g} times the "
            "median)"
        )
        evidence |= shown
        chance = memory.progress.chance
        evidence |= {"chance": chance} if chance is not None else {}
        return self.finding(view, at, Subject("batch", "input0", view.rank), evidence)

    def _saturation(self, view: StepView, first: int, after: int) -> None:
        memory = self.memory
        for name, at, told in view.scalars("saturated/"):
            values = told[(at >= first) & (at < after)]
            if len(values) and name.removeprefix("saturated/") == (memory.layer or name.removeprefix("saturated/")):
                memory.layer, memory.saturated = name.removeprefix("saturated/"), float(values[-1])

    def _judge(self, view: StepView, at: int) -> list[Finding]:
        thrown = None if self.active else self._marked() or self._thrown()
        if thrown is not None:
            return [self._found(view, at, thrown)]
        what = self._harm() if not self.active and self._off() else None
        return [] if what is None else [self._found(view, at, {"what": what})]

    def unjudged(self) -> str | None:
        """No numbers were seen."""
        return None if math.isfinite(self.memory.size) else "no batch of numbers was recorded"

    def _off(self) -> bool:
        memory, parameters = self.memory, self.parameters
        return bool(memory.size > parameters.size or memory.spread > parameters.spread or self._faint())

    def _faint(self) -> bool:
        return bool(0 < self.memory.largest < self.parameters.least)

    def _thrown(self) -> dict[str, Any] | None:
        """First losses far beyond those of guessing, which large inputs make, and that most runs do not get over.

        In most batches: a single value that stands for a missing one (-9999) is not in all of them.
        """
        memory, parameters = self.memory, self.parameters
        size = float(np.median(memory.sizes.last)) if memory.sizes.count else math.nan
        chance, over, count = memory.progress.chance, memory.progress.start_over_chance, memory.progress.losses.count
        recent = memory.progress.recent
        late = chance is not None and count >= 2 * parameters.steps and recent > parameters.kept * chance
        least = parameters.both if memory.spread > parameters.spread else parameters.thrown
        if not size > parameters.size or not over > least or not late:
            return None
        what = f"the first losses were {over:.3g} times that of guessing; after {count} steps it is {recent:.4g}"
        fault = f"The inputs are not normalised (root mean square {size:.4g} in the median batch)"
        return {"what": what, "fault": fault, "size": size}

    def _marked(self) -> dict[str, Any] | None:
        """A value for missing ones, and a loss as high as that of guessing: one row in a few throws every step off.

        A program that masks such values within its model learns as if there were none.
        """
        memory, parameters, cost = self.memory, self.parameters, self.memory.progress.cost
        count, recent, chance = memory.progress.losses.count, memory.progress.recent, memory.progress.chance
        if chance is None and cost.entropic and not cost.staged:
            chance = cost.guess  # answers of probability 0 to what is right, cut off: no formula's loss
        late = chance is not None and chance > 0 and count >= parameters.steps and bool(recent > chance)
        if not memory.marked.told or not late:
            return None
        return {**memory.marked.shown(), "what": f"after {count} steps the loss ({recent:.4g}) is above guessing's"}

    def _harm(self) -> str | None:
        memory, parameters = self.memory, self.parameters
        chance, heard = memory.progress.chance, memory.progress.losses
        learnt = chance is not None and memory.progress.recent < parameters.learnt * chance
        if memory.saturated >= parameters.saturated and not self._faint() and not learnt:
            return f"{memory.saturated:.0%} of the outputs of {memory.layer} are at their ends"
        if memory.better > _BETTER:
            return None  # it learns: some answers that are wrong and sure of it cost more than all of guessing
        if chance is None or chance <= 0 or heard.count < parameters.steps or len(heard.last) < heard.limit:
            return None
        recent = memory.progress.recent
        limit = parameters.chance * chance
        course = memory.heard.last[-(heard.count - parameters.settled) :]
        falls = flatness(heard.last).falling or coming(course, limit, parameters.pace * heard.count)
        noise = 3 * float(np.std(heard.last)) / math.sqrt(len(heard.last)) + memory.progress.cost.unsure * chance
        if not recent > limit or falls or recent + noise < _LESS * chance:
            return None
        return (
            f"after {heard.count} steps the loss ({recent:.4g}) is {recent / chance:.0%} of guessing's ({chance:.4g})"
        )


def _first_normaliser(view: RecordView) -> str | None:
    """The layer that normalises the inputs within the model, where one is the first of those recorded.

    Or what the first layer was given, where the program's own arithmetic makes it.
    """
    if view.array("units", GIVEN) is not None:
        return GIVEN
    told = view.facts.get("layers")
    first = told[0] if isinstance(told, list) and told and isinstance(told[0], dict) else {}
    declared = [layer for layer in view.run.layers if str(layer.get("class", "")) not in _PLACES]
    opens = bool(declared) and str(declared[0].get("class", "")).lower().startswith(_NORMALISERS)
    name, kind = str(first.get("name", "")), str(first.get("kind", ""))
    return name if opens and kind.lower().startswith(_NORMALISERS) else None


def _normalised(view: RecordView, size: float) -> float:
    """Root mean square of what comes out of the layer that normalises the inputs; of these where there is none."""
    name = _first_normaliser(view)
    units = view.array("units", name) if name is not None else None
    if units is None or units.sampled or units.values is None:
        return size
    mean, spread = units.whole().astype(np.float64)[:2]
    return float(np.sqrt((mean**2 + spread**2).mean()))


def _indices(dtype: str, view: RecordView) -> bool:
    """Whether whole numbers are indices of an embedding, not amounts."""
    layers = (str(layer.get("class", "")) for layer in view.run.layers)
    return dtype.startswith(("int", "uint")) and any("embedding" in name.lower() for name in layers)
