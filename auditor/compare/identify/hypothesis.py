"""How well a hypothesis about the update rule explains what was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare.identify import free_rates
from auditor.compare.identify.clipping import clip
from auditor.compare.identify.evidence import F64, Evidence, Track
from auditor.compare.identify.rules import Gradients, predict

#: Relative error that float32 arithmetic leaves in a step: Keras's Adam is off by 7e-6 (OPT-28).
ARITHMETIC: Final = 2e-5
#: Root mean square of the error, in units of what rounding explains, up to which a hypothesis explains the numbers.
EXPLAINED: Final = 4.0
_WORST: Final = 1e6
#: Numbers whose errors are taken at once: some hypotheses of a small sample. More would leave the processor's cache.
_AT_ONCE: Final = 1 << 15


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """A rule with its settings.

    ``decayed``: the tensors that weight decay acts on, None for all. ``scales``: what a tensor's
    learning rate is, in parts of the recorded one; one where it is not named.
    """

    rule: str
    settings: dict[str, Any]
    decayed: frozenset[str] | None = None
    scales: dict[str, float] = field(default_factory=dict)

    def with_(self, **settings: Any) -> Hypothesis:
        """The same with other settings."""
        return replace(self, settings={**self.settings, **settings})


@dataclass(frozen=True, slots=True)
class Fit:
    """``chi``: see ``EXPLAINED``; ``residual``: relative distance of predicted and recorded movement.

    ``score``: mean logarithm of one plus the squared error in units of rounding. Hypotheses are ranked
    by it: a wrong epsilon spoils the few elements whose gradient is small, a wrong rule all of them.
    """

    hypothesis: Hypothesis
    chi: float
    residual: float
    score: float

    @property
    def explains(self) -> bool:
        """Whether nothing but rounding is left."""
        return self.chi <= EXPLAINED


@dataclass(frozen=True)
class Sample:
    """What hypotheses are held against: some elements of each tensor that moves, side by side.

    Arrays are (steps, elements); elements of tensor ``k`` are those from ``offsets[k]`` on. ``norms``
    (steps, tensors) of the whole gradients, ``total`` (steps,) of all of them together, ``rates``
    (steps,) learning rates. ``before``: steps that the optimizer remembers and no hypothesis is held against.
    ``free``: the rates are one, and a hypothesis is held against the numbers at those that suit it best
    (``free_rates``): one of all steps, or one of each; nothing where they are what was recorded.
    """

    names: tuple[str, ...]
    offsets: npt.NDArray[np.int64]
    weight: F64
    gradient: F64
    moved: F64
    noise: F64
    norms: F64
    total: F64
    rates: F64
    before: Sample | None = None
    free: str = ""

    @cached_property
    def counts(self) -> npt.NDArray[np.int64]:
        """Elements of each tensor."""
        ends = np.empty_like(self.offsets)
        ends[:-1], ends[-1] = self.offsets[1:], self.weight.shape[1]
        return ends - self.offsets

    @cached_property
    def gradients(self) -> Gradients:
        """The gradient as rules take it."""
        return Gradients(self.gradient)

    @cached_property
    def lengths(self) -> F64:
        """The norm of the gradient that each element is of."""
        return self.spread(self.norms)

    @cached_property
    def strides(self) -> F64:
        """Mean square of what each tensor was moved by."""
        return self.mean(self.moved**2)

    def mean(self, columns: F64) -> F64:
        """Means of an array (..., steps, elements) by tensor."""
        summed: F64 = np.add.reduceat(columns.sum(axis=-2), self.offsets, axis=-1)
        return summed / (self.counts * len(self.weight))

    def spread(self, per_tensor: F64) -> F64:
        """A row per tensor as one per element."""
        return np.repeat(per_tensor, self.counts, axis=-1)

    def without(self, steps: npt.NDArray[np.bool_], tensors: npt.NDArray[np.bool_]) -> Sample:
        """The same with some steps and tensors that no hypothesis is held against; their gradients still count."""
        noise = np.where(steps[:, None] | np.repeat(tensors, self.counts)[None, :], np.inf, self.noise)
        return replace(self, noise=noise)

    def only(self, chosen: Sequence[bool]) -> Sample:
        """The tensors chosen alone; the norm of all gradients together stays what it was."""
        keep = np.asarray(chosen, np.bool_)
        at, counts = np.repeat(keep, self.counts), self.counts[keep]
        cut = {name: getattr(self, name)[:, at] for name in ("weight", "gradient", "moved", "noise")}
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]).astype(np.int64)
        names = tuple(name for name, kept in zip(self.names, keep, strict=True) if kept)
        before = None if self.before is None else self.before.only(chosen)
        return replace(self, names=names, offsets=offsets, norms=self.norms[:, keep], before=before, **cut)

    def thin(self, elements: int, steps: int) -> Sample:
        """With about so many elements in all, and so many of the first steps."""
        share = max(4, elements // max(1, len(self.names)))
        places = [_evenly(start, count, share) for start, count in zip(self.offsets, self.counts, strict=True)]
        at = np.concatenate(places)
        offsets = np.concatenate([[0], np.cumsum([len(place) for place in places])[:-1]]).astype(np.int64)
        cut = {name: getattr(self, name)[:steps, at] for name in ("weight", "gradient", "moved", "noise")}
        rows = {name: getattr(self, name)[:steps] for name in ("norms", "total", "rates")}
        before = None if self.before is None else self.before.thin(elements, len(self.before.weight))
        return Sample(self.names, offsets, **cut, **rows, before=before, free=self.free)


def _evenly(start: int, count: int, share: int) -> npt.NDArray[np.int64]:
    return start + np.unique(np.linspace(0, count - 1, min(count, share)).round().astype(np.int64))


def sample(evidence: Evidence, elements: int) -> Sample | None:
    """The tensors that move at all, of those with the most steps; None if there is none."""
    most = max((len(track.weight) for track in evidence.tracks), default=0)
    whole = [track for track in evidence.tracks if len(track.weight) == most]
    moving = [track for track in whole if track.moved.any()]
    if not moving:
        return None
    total = np.sqrt(np.sum([track.norms**2 for track in whole], axis=0))
    offsets = np.cumsum([0, *(track.weight.shape[1] for track in moving)])[:-1]
    joined: dict[str, Any] = {name: _join(moving, name) for name in ("weight", "gradient", "moved", "rounding")}
    noise = np.sqrt(joined.pop("rounding") ** 2 + (ARITHMETIC * joined["moved"]) ** 2) + 1e-300
    norms = np.stack([track.norms for track in moving], axis=1)
    names = tuple(track.name for track in moving)
    rates, free = evidence.rates[:most], ""
    if not np.isfinite(rates).all() or not rates.any():
        rates, free = np.ones(most), free_rates.ONE
    given = Sample(names, offsets.astype(np.int64), **joined, noise=noise, norms=norms, total=total, rates=rates)
    return replace(given, before=_past(moving, whole, given), free=free).thin(elements, most)


def _past(moving: Sequence[Track], whole: Sequence[Track], given: Sample) -> Sample | None:
    """The steps before the first that was recorded, where their gradients were kept of every tensor."""
    steps = {len(track.past.gradient) for track in whole}
    if len(steps) != 1 or not max(steps):
        return None
    rows: dict[str, Any] = {
        name: np.concatenate([getattr(track.past, name) for track in moving], axis=1) for name in ("weight", "gradient")
    }
    norms = np.stack([track.past.norms for track in moving], axis=1)
    total = np.sqrt(np.sum([track.past.norms**2 for track in whole], axis=0))
    still = np.zeros_like(rows["gradient"])
    return replace(given, **rows, moved=still, noise=still + 1.0, norms=norms, total=total, rates=np.ones(len(still)))


def _join(tracks: Sequence[Track], name: str) -> F64:
    return np.concatenate([getattr(track, name) for track in tracks], axis=1)


@dataclass(frozen=True, slots=True)
class Errors:
    """Of each tensor: mean square in units of rounding, relative mean square, mean logarithm."""

    chi: F64
    relative: F64
    score: F64

    def where(self, chosen: npt.NDArray[np.bool_], other: Errors) -> Errors:
        """These errors where ``chosen``, else the other's."""
        pairs = ((getattr(self, name), getattr(other, name)) for name in ("chi", "relative", "score"))
        return Errors(*(np.where(chosen, mine, theirs) for mine, theirs in pairs))


def errors(hypothesis: Hypothesis, given: Sample) -> Errors:
    """How far a hypothesis is off, by tensor."""
    wrong = _wrong([hypothesis], given)[0]
    with np.errstate(over="ignore"):
        off = _off(wrong, given)
        squares = np.minimum(given.mean(wrong * wrong), 1e300) / np.maximum(given.strides, 1e-300)
    return Errors(given.mean(off), np.minimum(squares, _WORST), given.mean(np.log1p(off)))


def scores(hypotheses: Sequence[Hypothesis], given: Sample) -> F64:
    """What ``Fit.score`` is of each: several at once, for one by one they cost three times as much."""
    size, found = max(1, _AT_ONCE // given.moved.size), [np.zeros((0, len(given.names)))]
    for start in range(0, len(hypotheses), size):
        with np.errstate(over="ignore"):
            off = _off(_wrong(hypotheses[start : start + size], given), given)
        found.append(given.mean(np.log1p(off)))
    score: F64 = np.concatenate(found).mean(axis=-1)
    return score


def _wrong(hypotheses: Sequence[Hypothesis], given: Sample) -> F64:
    """What each predicts beyond what was recorded: (hypotheses, steps, elements)."""
    wrong = np.stack([movement(one, given) for one in hypotheses])
    wrong -= given.moved
    wrong[~np.isfinite(wrong)] = 1e300
    wrong[:, np.isinf(given.noise)] = 0.0
    return wrong


def _off(wrong: F64, given: Sample) -> F64:
    """Squares of these in units of rounding."""
    found: F64 = np.minimum(np.abs(wrong) / given.noise, _WORST) ** 2
    return found


def movement(hypothesis: Hypothesis, given: Sample) -> F64:
    """What a hypothesis adds to the weights at each step: (steps, elements)."""
    found = _movement(hypothesis, given)
    if given.free:
        with np.errstate(all="ignore"):
            found = found * free_rates.solved(found, given.moved, given.noise, given.free)
    return found


def rates_of(hypothesis: Hypothesis, given: Sample) -> F64:
    """The learning rates (steps,) at which a hypothesis comes closest to what was recorded, where they are free."""
    found = _movement(hypothesis, given)
    return free_rates.solved(found, given.moved, given.noise, given.free)[:, 0].copy()


def at_rates(given: Sample, rates: F64) -> Sample:
    """A sample whose rates are known from here on."""
    before = given.before
    if before is not None:
        before = replace(before, rates=np.full(len(before.rates), rates[0]))
    return replace(given, rates=rates, free="", before=before)


def _movement(hypothesis: Hypothesis, given: Sample) -> F64:
    if given.before is not None:
        return _movement(hypothesis, _joined(given.before, given))[len(given.before.weight) :]
    settings = dict(hypothesis.settings)
    rate = given.rates[:, None]
    if hypothesis.scales:
        rate = rate * given.spread(np.array([hypothesis.scales.get(name, 1.0) for name in given.names]))
    if hypothesis.decayed is not None and settings.get("weight_decay"):
        acts = np.array([float(name in hypothesis.decayed) for name in given.names])
        settings["weight_decay"] = settings["weight_decay"] * given.spread(acts)
    with np.errstate(all="ignore"):  # a wrong hypothesis may well overflow
        cut = clip(given.gradient, given.lengths, given.total[:, None], settings)
        gradients = given.gradients if cut is given.gradient else Gradients(cut)
        return predict(gradients, given.weight, rate, hypothesis.rule, settings)


def _joined(before: Sample, given: Sample) -> Sample:
    """What a movement is computed from, of both together."""
    names = ("weight", "gradient", "norms", "total", "rates")
    rows: dict[str, Any] = {name: np.concatenate([getattr(before, name), getattr(given, name)]) for name in names}
    return replace(given, **rows, before=None)


def judge(hypothesis: Hypothesis, given: Sample) -> Fit:
    """One hypothesis against the sample; every tensor counts alike."""
    return fit_of(hypothesis, errors(hypothesis, given))


def fit_of(hypothesis: Hypothesis, found: Errors) -> Fit:
    """The fit that the tensors' errors make together."""
    chi, relative = float(np.sqrt(found.chi.mean())), float(np.sqrt(found.relative.mean()))
    return Fit(hypothesis, chi, relative, float(found.score.mean()))
