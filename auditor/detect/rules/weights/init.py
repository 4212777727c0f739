"""Initial weights that cannot begin: off centre, of the wrong size, or all alike."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from auditor.detect.evidence.cost import data_loss
from auditor.detect.evidence.progress import Progress
from auditor.detect.evidence.recurring import radii, repeated
from auditor.detect.evidence.scored import scored
from auditor.detect.recorded import RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.view import F64, StepView, due, stretches
from auditor.ingest.records import Recorded, indices
from auditor.model import Finding, Severity, Subject

#: Elements that a weight must have for its mean and spread to say something.
_FEWEST: Final = 64
#: Of a sampled weight: pairs of units recorded at one input that must be seen, and units among them (ours).
_SIDE_BY_SIDE: Final = 64
_UNITS: Final = 8
#: Steps from one judgement to the next.
_EVERY: Final = 50
#: Root mean square of outputs over that of targets that no sound weights begin with (ours).
_LOUD: Final = 100.0
#: Steps within which a loss that is no number any more is the beginning's.
_AT_ONCE: Final = 5


@dataclass(frozen=True, slots=True)
class InitParameters:
    """Thresholds.

    ``centre``: |mean| over standard deviation, 0.5, where it shifts what the layer sums by more than 1
    (``centre`` of every published initialiser is 0: Glorot and Bengio 2010, He et al. 2015).
    ``large``: standard deviation over sqrt(2 / fan_in) (He et al.), 4, with saturation or a first loss
    above ``loss``, 5, times the cost of guessing, or ``saturated``, 0.5, of a layer's outputs at their
    ends, as proof. ``small``: below it, 0.02, in all hidden
    layers, with a run that learns nothing as proof. ``bias``: mean of a bias of 8 units or more, all on
    one side of zero, 1, with ``dead``, 0.9, of a layer's units dead or at their ends in the first steps
    as proof. ``radius``: largest eigenvalue, by size, of a recurrent matrix, 1.2: what goes through it n times grows
    by its nth power; an orthogonal one has 1, Glorot's about 1, torch's 0.6 (Pascanu et al. 2013), with the loss
    as proof. The numbers are ours.
    """

    centre: float = 0.5
    large: float = 4.0
    small: float = 0.02
    loss: float = 5.0
    saturated: float = 0.5
    bias: float = 1.0
    dead: float = 0.9
    radius: float = 1.2


@dataclass(slots=True)
class InitMemory:
    """Of the first recorded step: each matrix' mean, spread and fan-in; what came of it."""

    progress: Progress = field(default_factory=Progress)
    names: list[str] = field(default_factory=list)
    means: list[float] = field(default_factory=list)
    spreads: list[float] = field(default_factory=list)
    fans: list[float] = field(default_factory=list)
    saturated: float = 0.0
    dead: float = 0.0
    biases: dict[str, float] = field(default_factory=dict)
    """Of the first recorded step: the mean of each bias that lies far from zero, all of it on one side."""
    radii: dict[str, float] = field(default_factory=dict)
    """Of the first recorded step: the largest eigenvalue, by size, of each square matrix."""
    repeated: list[str] = field(default_factory=list)
    """Square matrices that a forward pass applies again and again."""
    loudness: float = math.nan
    """Of the first recorded step: root mean square of the outputs over that of the targets."""
    step: int = -1
    broken: list[float] = field(default_factory=list)
    """Step and time of a loss that is no number, among the first."""


class PoorInit(Rule):
    """The weights at the start are off, and the first steps prove it."""

    id = "poor_init"
    severity = Severity.WARNING
    phase = "batch"
    meaning = "initial weights off: mean away from zero, or a variance that no signal survives"
    needs = "recordings of the first step; activations, targets or loss as proof of the size"
    trigger = (
        "at the first recorded step a weight matrix with |mean| above half its standard deviation, and large enough to "
        "shift the layer's sums by more than 1; or a standard deviation 4 times sqrt(2 / fan_in) and either saturated "
        "units, a first loss 5 times that of guessing, or one that is no number within 5 steps; or all "
        "hidden layers below 0.02 times and nothing learnt; or a square matrix of a recurrence (a recurrent "
        "layer's; PyTorch: one that a pass applies 8 times) with an eigenvalue above 1.2 and a loss that is no number "
        "within 5 steps, or first outputs 100 times as large as the targets; or matrices that together multiply by "
        "more than 100 what sqrt(2 / fan_in) would leave as it is, and a first loss 100 times that of guessing, or "
        "one that is no number within 5 steps; or "
        "a bias with |mean| above 1, all on one side, and nine in ten units of a layer dead or saturated from the start"
    )
    source = "seeds; SMD poor_weight_initialization, TheDeepChecker; Glorot and Bengio 2010, He et al. 2015"
    summary = "The initial weights of {name} are off: {what}{more}{where}."
    likely_causes = (
        "a custom initialiser with a mean away from zero, or positive values only",
        "a fixed standard deviation that does not fit the number of inputs (1.0 on a wide layer)",
    )
    advice = (
        "Use the initialiser of the activation: He/Kaiming for ReLU (nn.init.kaiming_normal_, "
        "kernel_initializer='he_normal'), Glorot/Xavier for tanh and sigmoid; both have mean 0."
    )
    Parameters = InitParameters
    State = InitMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """Measures the first recording; what is off centre is said at once."""
        memory = self.memory
        memory.progress.observe_record(view)
        memory.repeated = memory.repeated or repeated(view, set(memory.radii))
        if memory.step >= 0 or view.step > 1:
            return []
        memory.step = view.step
        memory.biases = _far_biases(view, self.parameters.bias)
        memory.radii = radii(view)
        memory.repeated = repeated(view, set(memory.radii))
        memory.loudness = _loudness(view)
        found: list[Finding] = []
        for name, weight, fan in _matrices(view):
            values = _numbers(weight)
            if values is None or len(values) < _FEWEST:
                continue
            mean, spread = float(values.mean()), float(values.std())
            memory.names.append(name)
            memory.means.append(mean)
            memory.spreads.append(spread)
            memory.fans.append(float(fan))
            if spread > 0 and abs(mean) > self.parameters.centre * spread and abs(mean) * fan > 1:
                what = f"mean {mean:.4g} with a standard deviation of {spread:.4g}"
                evidence = {"what": what, "mean": mean, "std": spread, "fan_in": fan, "reason": "off_centre"}
                found.append(self.finding(view, 0, Subject("weight", name, view.rank), evidence))
        return found + self._at_once(view)

    def observe(self, view: StepView) -> list[Finding]:
        """Looks for the proof of a wrong size, at every 50th step."""
        memory, found = self.memory, []
        for _, at, values in view.scalars("saturated/"):
            early = values[view.steps[at] <= 5]
            memory.saturated = max(memory.saturated, float(early.max())) if len(early) else memory.saturated
        for _, at, values in view.scalars("dead_units/"):
            early = values[view.steps[at] <= 5]
            memory.dead = max(memory.dead, float(early.max())) if len(early) else memory.dead
        losses = data_loss(view)
        memory.progress.cost.observe(view)
        for first, after in stretches(view, _EVERY):
            memory.progress.add(losses[first:after])
            found += self._judge(view, after - 1) if due(view, after - 1, _EVERY) else []
        broken = np.flatnonzero(view.has_loss & ~np.isfinite(view.loss) & (view.steps <= _AT_ONCE))
        if len(broken) and not memory.broken:
            memory.broken = [float(view.steps[broken[0]]), float(view.times[broken[0]])]
            found += self._at_once(view)
        return found

    def _at_once(self, view: StepView | RecordView) -> list[Finding]:
        """A loss that is no number any more within the first steps: a program may end there."""
        if not self.memory.broken:
            return []
        step, time = self.memory.broken
        return self._judge(Moment(view.attempt, view.rank, int(step), time), 0)

    def _judge(self, view: StepView | Moment, at: int) -> list[Finding]:
        memory = self.memory
        if self.active or not memory.names:
            return []
        if memory.biases and max(memory.dead, memory.saturated) >= self.parameters.dead:
            name, mean = next(iter(memory.biases.items()))
            what = f"mean {mean:.4g}, and {max(memory.dead, memory.saturated):.0%} of a layer's units are off with it"
            evidence = {"what": what, "mean": mean, "reason": "bias"}
            return [self.finding(view, at, Subject("weight", name, view.rank), evidence)]
        wide = [s / math.sqrt(2 / fan) for s, fan in zip(memory.spreads, memory.fans, strict=True)]
        place = int(np.argmax(wide))
        proof = self._too_large() if wide[place] > self.parameters.large else None
        if proof is None and len(wide) > 2 and max(wide[:-1]) < self.parameters.small and memory.progress.stuck:
            place, proof = 0, "the run learns nothing"
        if proof is None:
            return self._unstable(view, at) or self._amplified(view, at, wide)
        spread, fan = memory.spreads[place], memory.fans[place]
        what = f"standard deviation {spread:.4g}, {wide[place]:.2g} times what {fan:.0f} inputs ask for, and {proof}"
        evidence = {"what": what, "std": spread, "fan_in": fan, "ratio": wide[place], "reason": "scale"}
        return [self.finding(view, at, Subject("weight", memory.names[place], view.rank), evidence)]

    def _unstable(self, view: StepView | Moment, at: int) -> list[Finding]:
        """A recurrence that amplifies whatever goes round in it, and a loss that shows it from the beginning."""
        memory = self.memory
        radii = {name: memory.radii[name] for name in memory.repeated if name in memory.radii}
        name = max(radii, key=radii.__getitem__, default="")
        loud = memory.loudness > _LOUD
        if not name or not radii[name] > self.parameters.radius or not (memory.broken or loud):
            return []
        proof = f"the first outputs are {memory.loudness:.3g} times as large as the targets" if loud else self._lost()
        what = f"the recurrence multiplies by up to {radii[name]:.3g} at each position of a sequence, and {proof}"
        evidence = {"what": what, "radius": radii[name], "reason": "recurrence"}
        return [self.finding(view, at, Subject("weight", name, view.rank), evidence)]

    def _amplified(self, view: StepView | Moment, at: int, wide: list[float]) -> list[Finding]:
        """Matrices each a little too large, and so many of them that the first outputs are out of all proportion."""
        memory, gain = self.memory, math.prod(max(one, 1.0) for one in wide)
        over = memory.progress.start_over_chance
        if not gain > _LOUD or not (memory.broken or over > _LOUD):
            return []
        many, place = sum(one > 1 for one in wide), int(np.argmax(wide))
        what = f"up to {wide[place]:.3g} times what their inputs ask for, {many} matrices multiply by {gain:.3g} "
        evidence = {"what": what + f"together, and {self._lost()}", "gain": gain, "matrices": many, "reason": "depth"}
        return [self.finding(view, at, Subject("weight", memory.names[place], view.rank), evidence)]

    def unjudged(self) -> str | None:
        """The first step was not recorded."""
        return None if self.memory.names else "the first step's weights were not recorded"

    def _too_large(self) -> str | None:
        memory = self.memory
        if memory.saturated >= self.parameters.saturated:
            return f"{memory.saturated:.0%} of a layer's outputs are at their ends"
        return self._lost()

    def _lost(self) -> str | None:
        memory = self.memory
        if memory.broken:
            return f"the loss is no number at step {memory.broken[0]:.0f}"
        over = memory.progress.start_over_chance
        return f"the first loss is {over:.3g} times that of guessing" if over > self.parameters.loss else None


@dataclass(slots=True)
class SymmetryMemory:
    """How many recordings in a row show each tensor's units alike; ``apart``: tensors whose units once differed."""

    held: dict[str, int] = field(default_factory=dict)
    apart: list[str] = field(default_factory=list)
    seen: int = 0


@dataclass(frozen=True, slots=True)
class SymmetryParameters:
    """``share``: part of a layer's units that are copies of another, 0.9; ``held``: recordings in a row, 4 (ours)."""

    share: float = 0.9
    held: int = 4


class SymmetricUnits(Rule):
    """Units of a layer are copies: they compute and learn the same."""

    id = "symmetric_units"
    severity = Severity.WARNING
    phase = "weight"
    meaning = "the units of a layer are copies of each other and stay so: the layer is one unit wide"
    needs = "recordings with weights and gradients"
    trigger = (
        "nine in ten units of a matrix have the weights of another unit after each of the first 4 recorded steps, and "
        "their gradients are alike too; embeddings excepted"
    )
    source = "TheDeepChecker; the counts are ours"
    summary = (
        "{copies} of the {units} units of {name} have the same weights as another, and the same gradient{more}{where}."
    )
    likely_causes = (
        "constant or zero initialisation of the weights",
        "one seeded initialiser shared by units or by layers of one shape",
    )
    advice = (
        "Initialise at random: remove kernel_initializer='zeros' / nn.init.constant_ (biases may be zero), and give "
        "each layer an initialiser of its own."
    )
    Parameters = SymmetryParameters
    State = SymmetryMemory

    def observe_record(self, view: RecordView) -> list[Finding]:
        """One finding per tensor when it has held."""
        found: list[Finding] = []
        for name, _, _ in _matrices(view, several=True):
            after, gradient = view.array("updated", name), view.array("gradient", name)
            axis = 0 if view.run.framework == "torch" else -1
            copies = None if after is None else _copies(after, axis)
            same = None if gradient is None else _copies(gradient, axis)
            if after is None or copies is None or same is None:
                continue
            self.memory.seen += 1
            units = after.shape[axis]
            alike = copies >= self.parameters.share * units and same >= copies
            if not alike and name not in self.memory.apart:
                self.memory.apart.append(name)
            if name in self.memory.apart:
                continue  # what a step has made alike was drawn apart: a step that large is another fault
            self.memory.held[name] = self.memory.held.get(name, 0) + 1
            if self.memory.held[name] == self.parameters.held:
                evidence = {"copies": copies, "units": units}
                found.append(self.finding(view, 0, Subject("weight", name, view.rank), evidence))
        return found

    def unjudged(self) -> str | None:
        """No weight of which units could be compared."""
        return None if self.memory.seen else "no weight was recorded with its gradient so that units could be compared"


def _matrices(view: RecordView, *, several: bool = False) -> Iterator[tuple[str, Recorded, int]]:
    """The trainable weights of two or more axes of more than one unit, with their number of inputs."""
    embedded, gradients = _embeddings(view), view.of("gradient")
    for name, weight in view.of("weight").items():
        shape = weight.shape
        if len(shape) < 2 or name not in gradients or name in embedded:
            continue
        out = shape[0] if view.run.framework == "torch" else shape[-1]
        if out > 1 or not several:
            yield name, weight, max(math.prod(shape) // max(out, 1), 1)


def _far_biases(view: RecordView, far: float) -> dict[str, float]:
    """Means of the vectors that are all on one side of zero and on average beyond ``far``, by name."""
    found: dict[str, float] = {}
    for name, weight in view.of("weight").items():
        values = _numbers(weight) if len(weight.shape) == 1 and "bias" in name.lower() else None
        if values is None or len(values) < 8:
            continue
        mean = float(values.mean())
        if abs(mean) > far and (values.min() > 0 or values.max() < 0):
            found[name] = mean
    return found


def _loudness(view: RecordView) -> float:
    seen = scored(view)
    if seen is None or seen.targets is None or not np.isfinite(seen.outputs).all():
        return math.nan
    wanted = float(np.sqrt((seen.targets**2).mean()))
    return float(np.sqrt((seen.outputs**2).mean())) / wanted if wanted > 0 else math.nan


def _embeddings(view: RecordView) -> frozenset[str]:
    """Names of the weights of embedding layers: their rows are no units, and 1 is their usual spread."""
    named = [str(layer.get("name", "")) for layer in view.run.layers if "embed" in str(layer.get("class", "")).lower()]
    names = view.of("weight")
    return frozenset(
        name for name in names if "embed" in name.lower() or any(one and name.startswith(f"{one}.") for one in named)
    )


def _numbers(weight: Recorded) -> F64 | None:
    if weight.values is None or not len(weight.values):
        return None
    values = np.asarray(weight.values, dtype=np.float64)
    return values if np.isfinite(values).all() else None


def _copies(one: Recorded, axis: int) -> int | None:
    """Units that have the values of another unit, to float32's rounding; None where they cannot be compared."""
    if one.values is None:
        return None
    if one.sampled:
        return _copies_sampled(one, axis)
    values: Any = np.moveaxis(one.whole(), axis, 0).reshape(one.shape[axis], -1)
    _, counts = np.unique(_rounded(values), axis=0, return_counts=True)
    return int(counts[counts > 1].sum())


def _copies_sampled(one: Recorded, axis: int) -> int | None:
    """All units, where every two that were recorded at the same input have the same value there, else none.

    None where too few were recorded side by side.
    """
    places = np.array(np.unravel_index(indices(one.size, one.elements), one.shape))
    unit = places[axis]
    inputs = np.ravel_multi_index(
        tuple(np.delete(places, axis, axis=0)), tuple(np.delete(np.array(one.shape), axis).tolist())
    )
    values = _rounded(np.asarray(one.values).reshape(-1))
    order = np.lexsort((unit, inputs))
    beside = inputs[order][1:] == inputs[order][:-1]
    if int(beside.sum()) < _SIDE_BY_SIDE or len(np.unique(unit)) < min(_UNITS, one.shape[axis]):
        return None
    alike = bool((values[order][1:] == values[order][:-1])[beside].all())
    return int(one.shape[axis]) if alike else 0


def _rounded(values: Any) -> Any:
    """In steps of a millionth of the largest: what float32 leaves of equal ones is equal."""
    scale = float(np.abs(values).max()) if values.size else 0.0
    if scale > 0 and np.isfinite(scale):
        return np.round(values.astype(np.float64) / (scale * 1e-6))
    return np.where(np.isfinite(values), 0.0, np.nan)
