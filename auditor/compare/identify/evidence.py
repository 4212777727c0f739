"""What the flight recorder kept of one run, in columns: weights, gradients, updates over steps.

Everything is float64 from here on. A tensor's *track* holds the same elements at every step, so that
state (momentum, second moments) can be carried from one step to the next.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.ingest.records import Recorded, StepRecording, indices

F64 = npt.NDArray[np.float64]
Norms = Mapping[str, Mapping[int, float]]

#: Unit roundoff by the type that holds a number.
ROUNDOFF: Final = {"float64": 2.0**-53, "float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
#: The role of a weight, or of its gradient, so many steps before the first that was recorded (``UpdateByHand``).
PAST: Final = "state.missed.{back}.{role}"
#: What targets are called: as a framework was given them, as losses were.
_TARGETS: Final = ("target", "loss.target")
#: Elements of one tensor that a track keeps.
MOST_ELEMENTS: Final = 512
MOST_TRACKS: Final = 64


@dataclass(frozen=True, slots=True)
class Past:
    """One weight over the steps before the first that was recorded: arrays (steps, elements), norms (steps,)."""

    weight: F64
    gradient: F64
    norms: F64


#: Where nothing came before, or nothing is known of it.
NO_PAST: Final = Past(np.zeros((0, 0)), np.zeros((0, 0)), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Track:
    """One weight over consecutive steps: arrays (steps, elements)."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    weight: F64
    gradient: F64
    updated: F64
    norms: F64
    """L2 norm of the whole gradient at each step; estimated from its elements where neither they nor it are known."""
    past: Past = NO_PAST
    """The steps before them, which an optimizer remembers."""

    @property
    def moved(self) -> F64:
        """What each step added to the weight."""
        return self.updated - self.weight

    @property
    def rounding(self) -> F64:
        """How far rounding of the stored weights alone may put ``moved`` off, per element (standard deviation)."""
        unit = ROUNDOFF.get(self.dtype, 2.0**-24)
        scale = np.maximum(np.abs(self.weight), np.abs(self.updated))
        rounded: F64 = unit * np.exp2(np.floor(np.log2(np.maximum(scale, 1e-300)))) * 2 / np.sqrt(12)
        return rounded


@dataclass(frozen=True, slots=True)
class Evidence:
    """A run's recordings, of one attempt and rank, in the order of their steps."""

    framework: str
    steps: tuple[StepRecording, ...]
    tracks: tuple[Track, ...] = field(default=())
    rates: F64 = field(default_factory=lambda: np.zeros(0))
    """Learning rate of each step of the tracks; NaN where it is not recorded."""

    @property
    def first(self) -> StepRecording | None:
        """The first recorded training step."""
        return self.steps[0] if self.steps else None

    @property
    def beginning(self) -> dict[str, Recorded]:
        """The weights before the run's first step, also where that was missed and they were remembered; else none."""
        if self.first is None or self.first.step <= 1:
            return {} if self.first is None else self.first.of("weight")
        return self.first.of(PAST.format(back=self.first.step - 1, role="weight"))

    @property
    def others(self) -> frozenset[str]:
        """Weights that other optimizers than the first hold, whether or not what they do is recorded."""
        return _others(self.steps)

    @property
    def layout(self) -> str:
        """Where fan-in stands in a weight's shape: see ``capture.initial.fans_of``."""
        return "torch" if self.framework == "torch" else "keras"


def evidence(framework: str, recordings: Sequence[StepRecording], norms: Norms = MappingProxyType({})) -> Evidence:
    """The recordings of the last attempt's lowest rank; steps of evaluations, and of a later model, are left out.

    Args:
        framework: as the run names it.
        recordings: of all attempts and ranks.
        norms: of whole gradients, where they were told apart from the recording.
    """
    training = [one for one in recordings if one.facts.get("phase") != "eval"]
    if not training:
        return Evidence(framework, ())
    last = max(one.attempt for one in training)
    rank = min(one.rank for one in training if one.attempt == last)
    steps = tuple(_of_one_model([one for one in training if (one.attempt, one.rank) == (last, rank)]))
    run = _consecutive(steps)
    tracks = tuple(track for name in _names(run) if (track := _track(name, run, norms.get(name, {}))) is not None)
    rates = np.array([float(one.scalars.get("lr", np.nan)) for one in run])
    return Evidence(framework, steps, tracks, rates)


def _of_one_model(steps: Sequence[StepRecording]) -> Iterator[StepRecording]:
    """The steps whose weights have the shapes of the first's of the same names: a student may follow its teacher."""
    shapes = {name: one.shape for name, one in steps[0].of("weight").items()}
    for step in steps:
        if all(shapes.get(name, one.shape) == one.shape for name, one in step.of("weight").items()):
            yield step


def whole_steps(found: Evidence) -> Evidence:
    """The same where each step goes on until the next begins, without the last; what it was where that is no other.

    A program that updates its weights itself may assign some of them twice a step, and is looked at once.
    """
    if all(np.array_equal(track.weight[1:], track.updated[:-1]) for track in found.tracks):
        return found
    return replace(found, tracks=tuple(_until_next(track) for track in found.tracks), rates=found.rates[:-1])


def _until_next(track: Track) -> Track:
    cut: dict[str, Any] = {name: getattr(track, name)[:-1] for name in ("weight", "gradient", "norms")}
    return replace(track, updated=track.weight[1:], **cut)


def _consecutive(steps: Sequence[StepRecording]) -> list[StepRecording]:
    """The first steps, as far as none between them is missing and each has weights and what became of them."""
    run: list[StepRecording] = []
    for one in steps:
        if not one.of("updated") or not one.of("gradient") or (run and one.step != run[-1].step + 1):
            break
        run.append(one)
    return run


def _names(run: Sequence[StepRecording]) -> list[str]:
    if not run:
        return []
    gradients = run[0].of("gradient")
    # Further optimizers have rates and rules of their own, and may not step at every step.
    apart = _others(run[:1])
    return [name for name in run[0].of("updated") if name in gradients and name not in apart][:MOST_TRACKS]


def _others(steps: Sequence[StepRecording]) -> frozenset[str]:
    """Weights of further optimizers, as far as these steps tell: in TensorFlow maybe not the first of them."""
    told = [one.facts["optimizers"] for one in steps if isinstance(one.facts.get("optimizers"), Mapping)]
    return frozenset(str(name) for each in told for names in each.values() for name in names)


def _track(name: str, run: Sequence[StepRecording], known: Mapping[int, float]) -> Track | None:
    columns: dict[str, list[F64]] = {"weight": [], "gradient": [], "updated": []}
    first = run[0].arrays["updated", name]
    count = min([MOST_ELEMENTS, *(_elements(one, name) for one in run)])
    if count <= 0:
        return None
    wanted = indices(first.size, count) if count < first.size else None
    for one in run:
        for role, column in columns.items():
            taken = _at(one.arrays[role, name], wanted)
            if taken is None:
                return None
            column.append(taken)
    stacked = {role: np.stack(column) for role, column in columns.items()}
    if not all(np.isfinite(column).all() for column in stacked.values()):
        good = _finite_steps(stacked)
        if good < 1:
            return None
        stacked = {role: column[:good] for role, column in stacked.items()}
    norms = np.array([_norm(one, name, known) for one in run[: len(stacked["weight"])]])
    return Track(name, first.shape, first.dtype, **stacked, norms=norms, past=_past(name, run[0], wanted))


def _past(name: str, first: StepRecording, wanted: npt.NDArray[np.int64] | None) -> Past:
    """What the first recorded step tells of those before it: all of them, or nothing."""
    kept: dict[str, list[F64]] = {"weight": [], "gradient": []}
    norms: list[float] = []
    back = 1
    while (PAST.format(back=back, role="gradient"), name) in first.arrays:
        for role, rows in kept.items():
            array = first.arrays.get((PAST.format(back=back, role=role), name))
            taken = None if array is None else _at(array, wanted)
            if array is None or taken is None or not np.isfinite(taken).all():
                return NO_PAST
            rows.insert(0, taken)
            if role == "gradient":
                values = np.asarray(array.values, np.float64)
                norms.insert(0, float(np.sqrt(np.sum(values * values) * (array.size / max(1, array.elements)))))
        back += 1
    return Past(np.stack(kept["weight"]), np.stack(kept["gradient"]), np.array(norms)) if norms else NO_PAST


def _norm(one: StepRecording, name: str, known: Mapping[int, float]) -> float:
    """From the elements where all are there, else as told, else what some elements suggest."""
    array = one.arrays["gradient", name]
    values = np.asarray(array.values, np.float64)
    if array.elements < array.size and one.step in known and "gradient_scale" not in one.scalars:
        return known[one.step]
    return float(np.sqrt(np.sum(values * values) * (array.size / max(1, array.elements))))


def _finite_steps(stacked: dict[str, F64]) -> int:
    finite = np.all([np.isfinite(column).all(axis=1) for column in stacked.values()], axis=0)
    return len(finite) if finite.all() else int(np.argmin(finite))


def _elements(one: StepRecording, name: str) -> int:
    found = [one.arrays.get((role, name)) for role in ("weight", "gradient", "updated")]
    return min((array.elements if array is not None and array.values is not None else 0) for array in found)


def _at(array: Recorded, wanted: npt.NDArray[np.int64] | None) -> F64 | None:
    """The elements at flat indices ``wanted`` of the tensor (all if None); None if they were not recorded."""
    if array.values is None:
        return None
    values = np.asarray(array.values, np.float64).reshape(-1)
    if wanted is None:
        return values
    have = array.indices
    at = np.searchsorted(have, wanted)
    if len(have) and (at < len(have)).all() and np.array_equal(have[at], wanted):
        return values[at]
    return None


def data(one: StepRecording, role: str, name: str | None = None) -> F64 | None:
    """A whole batch, target or output as float64 in its shape; the first of its role unless named."""
    for (kind, called), array in one.arrays.items():
        if kind == role and (name is None or called == name) and not array.sampled and array.values is not None:
            return np.asarray(array.whole(), np.float64)
    return None


def targets_of(one: StepRecording) -> list[F64]:
    """Every target of a step, of as many losses as it has; not the weights of their classes, nor of other batches."""
    names = [name for role, name in one.arrays if role == "target" and name.startswith(_TARGETS) and "@" not in name]
    return [found for name in names if (found := data(one, "target", name)) is not None]


def row_weights(one: StepRecording) -> F64 | None:
    """Weights that were given to the framework, or that the losses of the rows were multiplied with."""
    given = data(one, "batch", "sample_weight0")
    return data(one, "factor", "weight0") if given is None else given


def roundoff(one: StepRecording, role: str) -> float:
    """Unit roundoff of the coarsest array of a role at a step."""
    kinds: list[Any] = [array.dtype for (kind, _), array in one.arrays.items() if kind == role]
    return max((ROUNDOFF.get(kind, 0.0) for kind in kinds), default=ROUNDOFF["float32"])
