"""The gradient that a loss is turned into: what it is of, whatever number the program prints for the loss."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.compare import effects
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import REPORTED, Cause, between, close
from auditor.compare.recognise.conduct import batches, untold

#: Relative difference of two gradients that is none: what float32 leaves of a sum over a batch.
SAME: Final = 1e-2
#: Losses of a row: whatever its width, it is one number.
_OF_ROWS: Final = ("cross entropy", "cosine")
_SUMMED: Final = "sum over outputs, mean over batch"


def told(side: Profile) -> float | None:
    """What the loss that is told is of, in means of the pointwise loss over the batch: factor and reduction."""
    factor = side.value("loss.factor")
    rows = str(side.value("loss.function")).startswith(_OF_ROWS)
    columns = 1.0 if rows else float(side.value("data.target.columns", 1))
    units = {"mean": 1.0, _SUMMED: columns, "sum": columns * float(side.value("data.batch_size", 1))}
    unit = units.get(str(side.value("loss.reduction")))
    return None if factor is None or unit is None else float(factor) * unit


def size(side: Profile) -> float | None:
    """What the gradient of a step is of, in the same measure; None if unknown.

    The loss that is told times what the recorded gradient is of it. Where Keras accumulates by itself
    (``gradient_accumulation_steps``) it takes the mean of the batches.
    """
    loss, turned = told(side), side.value("backward.factor")
    if turned is None and "update.gradient_accumulation_steps" in side.facts.declared:
        turned = 1.0
    return None if loss is None or turned is None or side.value("backward.accumulates") else loss * float(turned)


def alike(a: Profile, b: Profile) -> bool:
    """Whether both gradients are of as much, though the losses that are told may not be."""
    sizes = [size(side) for side in (a, b)]
    return sizes[0] is not None and sizes[1] is not None and close(sizes[0], sizes[1], SAME)


def by_batches(a: Profile, b: Profile) -> float | None:
    """How many times the gradient of ``a`` that of ``b`` is, where it is the batches of a step, or one by them."""
    count, sizes = batches(a), [size(side) for side in (a, b)]
    if count < len("ab") or batches(b) != count or not sizes[0] or not sizes[1]:
        return None
    found = sizes[1] / sizes[0]
    return next((scale for scale in (float(count), 1 / count) if close(found, scale, SAME)), None)


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Gradients that are never zeroed, or are of more or less than the loss on one side."""
    accumulates = between(a, b, "backward.accumulates")
    if accumulates is not None and accumulates[0].value != accumulates[1].value:
        effect = "gradients of all earlier steps are still in it: they are never zeroed"
        yield Cause("OPT-26", "backward.accumulates", (accumulates[0].value, accumulates[1].value), 2.0, effect)
        return
    factor = between(a, b, "backward.factor")
    if factor is None or close(factor[0].value, factor[1].value, SAME) or alike(a, b):
        return
    if batches(a) != batches(b) or untold(a) or untold(b):
        return  # of several batches it is their sum: recognise.conduct has it
    scale = factor[1].value / factor[0].value
    outputs = float(a.value("data.target.columns", 1))
    batch = float(a.value("data.batch_size", 0))
    ratio = max(abs(scale), 1 / max(abs(scale), 1e-12))
    entry = (
        "LOSS-14"
        if outputs > 1 and close(ratio, outputs, SAME)
        else "LOSS-03"
        if close(ratio, batch, SAME)
        else "OPT-21"
    )
    weight = max(REPORTED, effects.of_scale(a, b, scale))
    effect = f"the gradient is {ratio:.3g} times that of the loss on one side"
    yield Cause(entry, "backward.factor", (factor[0].value, factor[1].value), weight, effect)
