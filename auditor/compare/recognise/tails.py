"""A last batch that one side leaves out, told by the number of steps alone: DATA-02."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, percent
from auditor.compare.recognise.schedule import steps_of_epoch

#: Epochs from which on so many steps more or less are no coincidence.
_FEWEST: Final = 3
#: As of a last batch that was seen to be left out.
_WEIGHT: Final = 0.006


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """One step to an epoch more or less than the samples of one side come to; of the other only steps are known.

    Inferred, so that it claims nothing: another part of the data may be trained on.
    """
    for side, other in ((a, b), (b, a)):
        samples = max(float(side.value(name) or 0) for name in ("data.samples_per_epoch", "data.declared.samples"))
        batch, each, last = side.value("data.batch_size"), steps_of_epoch(side), side.last_step
        if not (samples and batch and each and last) or other.value("data.samples_per_epoch") is not None:
            continue
        if other.value("data.batch_size", batch) != batch or last % each or last // each < _FEWEST:
            continue
        whole, left = divmod(samples, batch)
        with_tail = each == whole + 1
        expected = last // each * (whole if with_tail else whole + 1)
        if not left or each not in {whole, whole + 1} or other.last_step != expected:
            continue
        told: tuple[list[int], list[int]] = [int(left)], []
        values = told if (side is a) == with_tail else told[::-1]
        effect = f"as many steps as without a last batch of {percent(left / batch)} of the others on one side"
        yield Cause(
            "DATA-02", "data.partial_batches", (values[0], values[1]), _WEIGHT, effect, confidence=0.6, chance=True
        )
