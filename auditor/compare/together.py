"""Two runs that took the same steps: one beginning, the same batches, and nothing but rounding between them.

One run a side says nothing of what another seed would give. But where both begin with the same weights and are
fed the same batches there is no seed between them: that they compute the same is measured, step by step, and
that they end alike is read off. Three things must hold:

* over the first recorded steps the batches agree, weights are no further apart than rounding and the harmless
  differences of the two update rules put them (replayed; each step adds its own ``aligned.ROUNDING``, the floor
  of Keras's Adam included), and losses and gradients no further than such weights explain;
* from there to the end their losses stay within ``statistics.MARGIN`` of each other: rounding grows in a network
  with kinks (docs/mismatches.md; to a hundredth of the weights in a thousand steps), other settings grow further;
* the end metrics differ by no more than ``ENDS``, and by no more than that growth explains, so that an evaluation
  that computes something else is not covered by a training that agrees.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from auditor.compare import endings
from auditor.compare.aligned import ROUNDING
from auditor.compare.identify.evidence import F64, ROUNDOFF, data
from auditor.compare.identify.hypothesis import movement
from auditor.compare.identify.precision import seen
from auditor.compare.medians import WINDOW
from auditor.compare.profile import Profile
from auditor.compare.side import Side
from auditor.compare.statistics import MARGIN
from auditor.compare.trajectories import Curve, pair
from auditor.ingest.records import Recorded, StepRecording

#: Errors of rounding differ from tensor to tensor by about this factor (MISMATCHES, "Tolerance from rounding").
SPREAD: Final = 16.0
#: Distance of two end metrics: so far within the margin that groups of seeds are held to that the growth of rounding
#: in a run of another order of sums, as much again as ``SPREAD``, stays within it.
ENDS: Final = MARGIN / SPREAD
#: Recorded steps that must agree: in fewer, momentum and second moments have not shown themselves.
_FEWEST: Final = 5
#: A replay puts one run's weights off by so much; the other's gradients answer with about as much again.
_BOTH: Final = 2.0


@dataclass(frozen=True, slots=True)
class Together:
    """How far two such runs are apart: over so many recorded steps, over all losses, in their end metrics."""

    steps: int
    recorded: float
    course: float
    ends: float
    metrics: tuple[str, ...]
    pairs: int = 1

    @property
    def reason(self) -> str:
        """What was seen, in a sentence."""
        each = f"{self.pairs} pairs of runs, each with " if self.pairs > 1 else ""
        return (
            f"{each}the same weights and batches: over {self.steps} recorded steps weights, gradients and losses agree"
            f" to {self.recorded:.1g}, over the whole run the losses to {self.course:.1g} and"
            f" {', '.join(self.metrics)} to {self.ends:.1g}: one computation, as far as one run shows"
        )


def together(a: tuple[Side, Profile], b: tuple[Side, Profile]) -> Together | None:
    """Whether two runs took the same steps; None if they did not, or if nobody can know.

    Nothing but what is harmless may have been measured to differ between them.

    Args:
        a: one run with what is known of it.
        b: the other.
    """
    sides = (a[0], b[0])
    if sides[0].last_step != sides[1].last_step:
        return None
    floor = _floor(a[1], b[1])
    steps = _common(a[1].evidence.steps, b[1].evidence.steps)
    if len(steps) < _FEWEST:
        return None
    recorded = 0.0
    for distance, limit in _recorded(steps, floor, _displaced(a[1], b[1], len(steps))):
        if distance is None or not distance <= limit:
            return None
        recorded = max(recorded, distance)
    course = _course(sides[0].curves.get("loss"), sides[1].curves.get("loss"))
    if course is None or course > MARGIN:
        return None
    names = endings.metrics([side.curves for side in sides], loss=True)
    apart = [_course(*(side.curves[name] for side in sides)) for name in names]
    ends = [distance for distance in apart if distance is not None]
    if len(ends) < len(names) or max(ends) > min(ENDS, SPREAD * max(course, floor)):
        return None
    return Together(len(steps), recorded, course, max(ends), tuple(names))


def worst(pairs: Sequence[Together]) -> Together:
    """What holds of all pairs."""
    first = pairs[0]
    return Together(
        min(one.steps for one in pairs),
        max(one.recorded for one in pairs),
        max(one.course for one in pairs),
        max(one.ends for one in pairs),
        first.metrics,
        len(pairs),
    )


def _floor(a: Profile, b: Profile) -> float:
    """``ROUNDING`` of float32; of a coarser or finer format as much more or less as its unit is."""
    kinds = [array.dtype for side in (a, b) for one in side.evidence.steps[:1] for array in one.of("weight").values()]
    unit = max((ROUNDOFF.get(kind, ROUNDOFF["float32"]) for kind in kinds), default=ROUNDOFF["float32"])
    return ROUNDING * unit / ROUNDOFF["float32"]


def _common(a: Sequence[StepRecording], b: Sequence[StepRecording]) -> list[tuple[StepRecording, StepRecording]]:
    """The first steps, as far as both were recorded and none between them is missing."""
    found = []
    for at, (left, right) in enumerate(zip(a, b, strict=False), 1):
        if not left.step == right.step == at:
            break
        found.append((left, right))
    return found


def _displaced(a: Profile, b: Profile, steps: int) -> F64:
    """How far the second run's update rule would have put the first one's weights off after each step, relative.

    Before the first step 0, as the weights are; 0 throughout where a rule is not known.
    """
    found: F64 = np.zeros(steps + 1)
    if a.update is None or b.update is None or not (a.update.fit.explains and b.update.fit.explains):
        return found
    sample, here = a.update.sample, a.update.fit.hypothesis
    there = replace(b.update.fit.hypothesis, decayed=here.decayed, scales=here.scales)
    off = np.cumsum(movement(here, sample) - movement(there, sample), axis=0)[:steps]
    found[1 : len(off) + 1] = np.linalg.norm(off, axis=1) / np.maximum(
        np.linalg.norm(sample.weight[:steps], axis=1), 1e-300
    )
    return found


def _recorded(
    steps: Sequence[tuple[StepRecording, StepRecording]], floor: float, displaced: F64
) -> Iterator[tuple[float | None, float]]:
    """Distances of what was recorded, None where it cannot be compared, each with how large it may be."""
    for at, (left, right) in enumerate(steps, 1):
        yield from ((distance, floor) for distance in _data(left, right))
        weights = _tensors(left, right, "weight")
        yield weights, at * floor + _BOTH * displaced[at - 1]
        yield _tensors(left, right, "updated"), at * floor + _BOTH * displaced[at]
        follows = at * floor + SPREAD * (weights or 0.0)
        yield _tensors(left, right, "gradient"), follows
        losses = [np.array([float(one.scalars.get("loss", np.nan))]) for one in (left, right)]
        yield _relative(*losses), follows


def _data(a: StepRecording, b: StepRecording) -> Iterator[float]:
    """Of the batch and of the target, where both were recorded whole; sorted, for layouts differ."""
    for role in ("batch", "target"):
        left, right = data(a, role), data(b, role)
        if left is not None and right is not None and left.size == right.size:
            yield _relative(np.sort(left.ravel()), np.sort(right.ravel()))


def _tensors(a: StepRecording, b: StepRecording, role: str) -> float | None:
    """Relative distance of all tensors of a role together: alone, a bias near zero is all rounding."""
    left, right = (_held(one, role) for one in (a, b))
    if left is None or right is None or len(left) != len(right) or not left:
        return None
    pairs = _by_name(left, right) if left.keys() == right.keys() else _by_numbers(left, right)
    if pairs is None:
        return None
    return _relative(*(np.concatenate([both[side] for both in pairs]) for side in (0, 1)))


def _held(one: StepRecording, role: str) -> dict[str, F64] | None:
    """Tensors of a role that the loss sees, flat: an optimizer makes steps of what rounding leaves of the others."""
    seeing = {id(array) for array in seen(one.of("gradient"))}
    names = [name for name, array in one.of("gradient").items() if id(array) in seeing]
    arrays: Mapping[str, Recorded] = one.of(role)
    if any(name not in arrays or arrays[name].values is None for name in names):
        return None
    return {name: np.asarray(arrays[name].values, np.float64).ravel() for name in names}


def _by_name(a: Mapping[str, F64], b: Mapping[str, F64]) -> list[tuple[F64, F64]] | None:
    pairs = [(a[name], b[name]) for name in a]
    return pairs if all(x.size == y.size for x, y in pairs) else None


def _by_numbers(a: Mapping[str, F64], b: Mapping[str, F64]) -> list[tuple[F64, F64]] | None:
    """Each tensor with the nearest of its size, numbers sorted: frameworks name and lay them out differently."""
    rest = [np.sort(values) for values in b.values()]
    pairs = []
    for values in a.values():
        mine = np.sort(values)
        alike = [at for at, other in enumerate(rest) if other.size == mine.size]
        if not alike:
            return None
        nearest = min(alike, key=lambda at: float(np.linalg.norm(rest[at] - mine)))
        pairs.append((mine, rest.pop(nearest)))
    return pairs


def _relative(a: F64, b: F64) -> float:
    scale = max(float(np.linalg.norm(a)), float(np.linalg.norm(b)))
    return float(np.linalg.norm(a - b)) / scale if scale > 0 else 0.0


def _course(a: Curve | None, b: Curve | None) -> float | None:
    """The largest relative distance of two curves; None unless both have the same steps, all finite.

    Distances are averaged over as many steps as a running median is of (``trajectories``), sizes as well: the loss
    of one easy batch is near nothing.
    """
    if a is None or b is None:
        return None
    both = pair(a, b)
    if len(both.steps) != max(len(a.steps), len(b.steps)) or not len(both.steps):
        return None
    columns = np.abs(both.a - both.b), np.maximum(np.abs(both.a), np.abs(both.b))
    if not np.isfinite(columns[1]).all():
        return None
    off, scale = (np.convolve(each, np.ones(min(WINDOW, len(each))), "valid") for each in columns)
    return float(np.max(off / np.where(scale > 0, scale, 1.0)))
