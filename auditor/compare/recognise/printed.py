"""Losses of another size whose gradients are one: scikit-learn's of several outputs prints their mean (LOSS-14)."""

from __future__ import annotations

from collections.abc import Iterator

from auditor.compare.profile import Profile
from auditor.compare.recognise import gradient
from auditor.compare.recognise.cause import REPORTED, Cause, between, close, how, sure
from auditor.compare.recognise.conduct import batches


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """One function, one gradient, and another number that is printed: told, and no mismatch."""
    function, reduction, factor = (between(a, b, f"loss.{name}") for name in ("function", "reduction", "factor"))
    sizes = [gradient.told(side) for side in (a, b)]
    if function is None or reduction is None or factor is None or sizes[0] is None or sizes[1] is None:
        return
    same = close(sizes[0], sizes[1], gradient.SAME)
    if same or function[0].value != function[1].value or not gradient.alike(a, b):
        return
    ratio = max(sizes[0], sizes[1]) / min(sizes[0], sizes[1])
    if any(count > 1 and close(ratio, float(count), gradient.SAME) for count in (batches(a), batches(b))):
        return  # each part of a mean of several batches, which is told as their sum
    words = [f"{over.value} x {size.value:g}" for size, over in zip(factor, reduction, strict=True)]
    effect = f"the loss that one side prints is {ratio:.3g} times as large; its gradients are the same"
    entry = "LOSS-14" if reduction[0].value != reduction[1].value else "LOSS-00"
    yield Cause(entry, "loss.printed", (words[0], words[1]), REPORTED, effect, how(*factor), sure(*factor),
                chance=True)  # fmt: skip
