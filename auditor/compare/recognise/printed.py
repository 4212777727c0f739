"""Losses of another size whose gradients are one: scikit-learn's of several outputs prints their mean (LOSS-14)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import MATTERS, Cause, between, close, how, sure

#: What an element of the output weighs in each reduction, in parts of one row's sum: 1, or one over the columns.
_OVER_OUTPUTS: Final = {"mean": True, "sum over outputs, mean over batch": False}
#: Relative difference of two gradients that are one; factors of gradients are read off to a thousandth.
_SAME: Final = 1e-2
#: What a number that is printed otherwise counts for: less than whatever changes a step.
_PRINTED: Final = 0.75 * MATTERS


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """One function, one gradient, and another number that is printed: told, and no mismatch."""
    names = ("loss.function", "loss.reduction", "loss.factor", "backward.factor")
    facts = [between(a, b, name) for name in names]
    function, reduction, factor, backward = facts
    if function is None or reduction is None or factor is None or backward is None:
        return
    if function[0].value != function[1].value or any(fact.value not in _OVER_OUTPUTS for fact in reduction):
        return
    columns = max(1.0, float(a.value("data.target.columns", 1)))
    sizes = [
        float(size.value) / (columns if _OVER_OUTPUTS[over.value] else 1.0)
        for size, over in zip(factor, reduction, strict=True)
    ]
    slopes = [size * float(fact.value) for size, fact in zip(sizes, backward, strict=True)]
    if close(sizes[0], sizes[1], _SAME) or not close(slopes[0], slopes[1], _SAME):
        return
    ratio = max(sizes) / min(sizes)
    words = [f"{over.value} x {size.value:g}" for size, over in zip(factor, reduction, strict=True)]
    effect = f"the loss that one side prints is {ratio:.3g} times as large; its gradients are the same"
    yield Cause("LOSS-14", "loss.printed", (words[0], words[1]), _PRINTED, effect, how(*factor), sure(*factor),
                chance=True)  # fmt: skip
