"""The same loss of other size: half of it, its sum, of other rows, or of as many batches: LOSS-*, OPT-21."""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.compare import effects
from auditor.compare.identify import losses
from auditor.compare.identify.evidence import F64, data
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.loss_fits import LossFit
from auditor.compare.profile import Profile
from auditor.compare.recognise import accumulated, gradient
from auditor.compare.recognise.cause import REPORTED, Cause, between, close, how, percent, sure
from auditor.compare.recognise.conduct import balanced, batches
from auditor.ingest.records import StepRecording

_BY_WEIGHT: Final = "mean by weight"
#: The two ways to divide a loss of which padding is a part.
_PADDED: Final = frozenset({"padding as zeros, mean", "mean without padding"})


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """How often the same pointwise loss counts on each side."""
    yield from list(_size(a, b)) or _summed_batches(a, b)


def one_reading(a: Profile, b: Profile) -> bool:
    """Whether something explains both losses: rows that count three times by their class, positives that do."""
    readings = [[fit for fit in side.loss if fit.explains] for side in (a, b)]
    return any(_reads_as(left, right) for left in readings[0] for right in readings[1])


def _reads_as(one: LossFit, other: LossFit) -> bool:
    """Whether two hypotheses are one, whatever each took its output for; weights of classes need not be given alike."""
    same = (one.function, one.reduction, one.broadcast) == (other.function, other.reduction, other.broadcast)
    pairs = ((one.factor, other.factor), (one.smoothing, other.smoothing), (one.positive, other.positive))
    return same and one.classes == other.classes and all(close(mine, theirs) for mine, theirs in pairs)


def _size(a: Profile, b: Profile) -> Iterator[Cause]:
    """The same function of other size: half of it, its sum, weighted otherwise."""
    reduction, factor = between(a, b, "loss.reduction"), between(a, b, "loss.factor")
    if reduction is not None and {fact.value for fact in reduction} == _PADDED and factor is None:
        yield _padding(a, b, reduction)
    if reduction is None or factor is None or gradient.alike(a, b) or _left_out(a, b, reduction) or one_reading(a, b):
        return
    if reduction[0].value != reduction[1].value and not _may_be(reduction):
        entry, scale = _reduction(a, b)
    elif not close(factor[0].value, factor[1].value):
        halves = {factor[0].value, factor[1].value} == {0.5, 1.0}
        huber = str(a.value("loss.function")).startswith("huber")
        entry, scale = ("LOSS-11" if huber else "LOSS-01" if halves else "LOSS-00"), factor[1].value / factor[0].value
        if balanced(a, b):
            return
        entry = "OPT-21" if _by_batches(a, b, scale) else entry
    else:
        return
    steps = effects.of_scale(a, b, scale)
    if entry == "LOSS-08":
        steps = max(steps, *(_uneven(side) for side in (a, b)))
    elif entry == "LOSS-09":
        steps = max(steps, *(_unsteady(side) for side in (a, b)))
    weight = max(REPORTED, steps)
    told: list[Any] = [f"{fact.value} x {part.value:g}" for fact, part in zip(reduction, factor, strict=True)]
    effect = (
        f"the gradient is {max(scale, 1 / scale):.3g} times as large on one side: its steps change by {percent(steps)}"
    )
    yield Cause(
        entry,
        "loss.scale",
        (told[0], told[1]),
        weight=weight,
        effect=effect,
        how=how(*factor),
        confidence=sure(*factor, *reduction),
    )


def _left_out(a: Profile, b: Profile, reduction: tuple[Fact, Fact]) -> bool:
    """Whether one side leaves out of its mean by a mask what the other picked its outputs without."""
    for (masked, side), (mean, other) in (
        zip(reduction, (a, b), strict=True),
        zip(reduction[::-1], (b, a), strict=True),
    ):
        if _BY_WEIGHT in {masked.value, *masked.others} and mean.value == "mean" and _as_many(side, other):
            return True
    names = [str(fact.value) for fact in reduction]
    if sorted(names) != ["mean", "mean without padding"]:
        return False
    return any(_picked(one) for one in (a, b)[names.index("mean")].evidence.steps)


def _as_many(side: Profile, other: Profile) -> bool:
    """Whether rows have one weight or none, and those that have it are as many as the other side's loss is of."""
    steps = zip(side.evidence.steps, other.evidence.steps, strict=False)
    pairs = [(weight, target) for one, theirs in steps
             if (weight := _weight(one)) is not None and (target := data(theirs, "target")) is not None]  # fmt: skip
    masks = [len(np.unique(weight)) == 2 and not weight.min() for weight, _ in pairs]
    return bool(masks) and all(masks) and all(np.count_nonzero(weight) == len(target) for weight, target in pairs)


def _weight(one: StepRecording) -> F64 | None:
    """What the losses of the rows are multiplied with, as the program gave it or as the loss is made."""
    given = data(one, "batch", "sample_weight0")
    return given if given is not None else data(one, "factor", "weight0")


def _picked(one: StepRecording) -> bool:
    """Whether a loss has targets for some of the outputs: one an output, or one for all classes of a place, is all."""
    target, output = (_largest(one, role) for role in ("target", "output"))
    places = output[:-1] if len(output) > 1 else output
    return 0 < prod(target) < prod(output) and prod(target) != prod(places)


def _largest(one: StepRecording, role: str) -> tuple[int, ...]:
    """The shape of the largest array of a role."""
    return max((tuple(array.shape) for array in one.of(role).values()), key=prod, default=(0,))


def _padding(a: Profile, b: Profile, reduction: tuple[Fact, Fact]) -> Cause:
    """Padding among what is divided by, where one side's loss is known per position only."""
    values = (reduction[0].value, reduction[1].value)
    scale = max(map(_kept, _padding_known(a, b)))
    steps = max(effects.of_scale(a, b, scale), *map(_unsteady, _padding_known(a, b)))
    effect = f"padding is among what the loss is divided by on one side: {scale:.3g} times as much"
    return Cause("LOSS-09", "loss.scale", values, max(REPORTED, steps), effect, how(*reduction), sure(*reduction))


def _summed_batches(a: Profile, b: Profile) -> Iterator[Cause]:
    """Both take as many batches to a step, and one side sums what the other takes the mean of."""
    scale = gradient.by_batches(a, b) or accumulated.ratio(a, b)
    if scale is not None:
        weight, count = max(REPORTED, effects.of_scale(a, b, scale)), max(scale, 1 / scale)
        words = ("the mean of the batches", f"the sum of {count:g} batches")
        effect = f"the gradient of a step is the sum of {count:g} batches on one side, their mean on the other"
        values = words if scale > 1 else words[::-1]
        yield Cause("OPT-21", "update.gradient_accumulation", (values[0], values[1]), weight, effect, confidence=0.9)


def _by_batches(a: Profile, b: Profile, scale: float) -> bool:
    """Whether both take as many batches to a step, and one side alone divides the loss by their number."""
    counts = [batches(side) for side in (a, b)]
    return counts[0] == counts[1] > 1 and close(max(scale, 1 / scale), float(counts[0]), 1e-3)


def _uneven(side: Profile) -> float:
    """How unevenly samples are weighted: the standard deviation of their weights against the mean."""
    names = (("batch", "sample_weight0"), ("factor", "weight0"))
    weights = [data(one, *name) for one in side.evidence.steps for name in names]
    known = [each.ravel() for each in weights if each is not None and each.size]
    if known:
        each = np.concatenate(known)
        return float(each.std() / max(1e-30, abs(float(each.mean()))))
    classes = next((w for one in side.evidence.steps if (w := data(one, "target", "loss.weight")) is not None), None)
    classes = np.array(side.loss[0].classes) if side.loss and side.loss[0].classes else classes
    return 0.0 if classes is None else float(classes.std() / max(1e-30, abs(float(classes.mean()))))


def _may_be(reduction: Any) -> bool:
    """Whether the numbers of one side allow the other's reduction as well."""
    return any(str(other.value) in fact.others for fact, other in (reduction, reduction[::-1]))


def _reduction(a: Profile, b: Profile) -> tuple[str, float]:
    names = [str(side.value("loss.reduction")) for side in (a, b)]
    columns = max(float(side.value("data.target.columns", 1)) for side in (a, b))
    batch = float(a.value("data.batch_size", 1))
    if any("padding" in name for name in names):
        return "LOSS-09", max(1.01, *map(_kept, _padding_known(a, b)))
    if any("weight" in name for name in names):
        return "LOSS-08", 2.0
    if any(name == "sum over outputs, mean over batch" for name in names) and "mean" in names:
        entries = {"divergence": "LOSS-10", "binary cross entropy": "LOSS-15"}
        usual = "LOSS-14" if "sklearn" in {a.framework, b.framework} else "LOSS-00"
        return entries.get(str(a.value("loss.function")), usual), columns
    return "LOSS-03", batch if "mean" in names else columns


def _kept(side: Profile) -> float:
    """How many times more rows there are than such that are no padding."""
    shares = [float(np.mean(counting)) for counting in _counting(side)]
    return 1 / max(1e-3, float(np.mean(shares))) if shares else 1.0


def _padding_known(a: Profile, b: Profile) -> list[Profile]:
    """The sides whose padding is of a class of its own, below zero; both, where it is of the first class as others are.

    Keras's function hands such classes on as the first one, so that nobody knows them apart there.
    """
    own = [side for side in (a, b) if any((target < 0).any() for target in _targets(side)) or _mask(side)]
    return own or [a, b]


def _targets(side: Profile) -> list[F64]:
    return [target for one in side.evidence.steps if (target := data(one, "target")) is not None]


def _mask(side: Profile) -> list[F64]:
    """Step by step what the losses of the rows were multiplied with, if that leaves out some; empty otherwise."""
    masks = [mask for one in side.evidence.steps if (mask := data(one, "factor", "weight0")) is not None]
    return masks if masks and losses.is_mask(masks) else []


def _counting(side: Profile) -> list[npt.NDArray[np.bool_]]:
    """Step by step which places are none of padding: by a mask, of negative classes, else of the first."""
    if masks := _mask(side):
        return [mask != 0 for mask in masks]
    return [target >= 0 if (target < 0).any() else target != 0 for target in _targets(side)]


def _unsteady(side: Profile) -> float:
    """How much a divisor that counts rows changes from batch to batch, which no update rule takes out."""
    counts = [np.count_nonzero(counting) for counting in _counting(side)]
    return float(np.std(counts) / np.mean(counts)) if any(counts) else 0.0
