"""Whether the data comes in another order in every epoch, and whether it comes sorted: DATA-01."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from auditor.compare.identify.evidence import data
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise.cause import Cause, between, how, percent

#: Part of the variance that lies between batches from which on data counts as sorted.
SORTED: Final = 0.1
#: What a seeded ``fit`` of Keras makes of a shuffle (DATA-10).
_SHUFFLED_ONCE: Final = "shuffled once, the same in every epoch"
#: What the order of batches changes that are alike in content: some of the noise, none of the aim.
_ORDER_ALONE: Final = 0.005
#: Epochs' worth of batches, as the other side has them, of which none came again: the order is no fixed one.
_EPOCHS: Final = 2


def causes(a: Profile, b: Profile) -> Iterator[Cause]:
    """Sorted batches against mixed ones, or an order that repeats against one that does not."""
    apart = between(a, b, "data.sorted")
    orders = [_seen(a, b), _seen(b, a)]
    mixed = [_mixed(side, order) for side, order in zip((a, b), orders, strict=True)]
    sizes = [0.0, 0.0] if apart is None else [fact.value for fact in apart]
    if apart is not None and abs(sizes[0] - sizes[1]) > SORTED:
        effect = f"{percent(max(sizes))} of the data's variance lies between the batches on one side: it comes sorted"
        words = [f"sorted ({size:.2g})" if size == max(sizes) else f"mixed ({size:.2g})" for size in sizes]
        yield Cause("DATA-01", "data.shuffle", (words[0], words[1]), weight=max(sizes), effect=effect, confidence=0.95)
    elif None not in mixed and mixed[0] != mixed[1]:
        words = [_order(order, mixed=bool(yes)) for order, yes in zip(orders, mixed, strict=True)]
        effect = "the order repeats on one side; the batches themselves are alike"
        if _SHUFFLED_ONCE in words:
            effect = "both orders repeat, of which one side shuffled its own; the batches themselves are alike"
        facts = [_fact(side) for side in (a, b)]
        yield Cause("DATA-01", "data.order", (words[0], words[1]), _ORDER_ALONE, effect, how(*facts))


def _fact(side: Profile) -> Fact | None:
    """What says how a side orders its data."""
    named = ("data.order", "data.declared.shuffle", "data.unrepeated")
    return next((fact for name in named if (fact := side.facts.get(name)) is not None), None)


def _seen(side: Profile, other: Profile) -> str | None:
    """The order as it was seen: in epochs, or in batches of which none comes again while the other side's do.

    Of rows that the two have in common: noise on the data, drawn anew, makes every batch another in any order.
    """
    seen: str | None = side.value("data.order")
    batches, samples, rows = (
        side.value("data.unrepeated", 0),
        other.value("data.samples_per_epoch", 0),
        side.value("data.batch_size", 0),
    )
    if seen is not None or not samples or batches * rows < _EPOCHS * samples or not _rows(side) & _rows(other):
        return seen
    return "another in every epoch"


def _rows(side: Profile) -> set[bytes]:
    """The recorded rows, each by its numbers in the order of their size: whatever the axes are that it has."""
    batches = [batch for one in side.evidence.steps if (batch := data(one, "batch")) is not None and batch.ndim]
    return {row.tobytes() for batch in batches for row in np.sort(batch.reshape(len(batch), -1), axis=1)}


def _order(seen: str | None, *, mixed: bool) -> str:
    """The order as it was seen, and as it is declared where it was not; of one that repeats, whether it was drawn."""
    if mixed and seen not in {None, "another in every epoch"}:
        return _SHUFFLED_ONCE
    return seen or ("shuffled" if mixed else "as stored")


def _mixed(side: Profile, order: str | None) -> bool | None:
    """Whether the data was shuffled; None if nobody knows.

    A seeded ``fit`` of Keras draws one order and repeats it in every epoch: shuffled, as it says.
    """
    said = side.value("data.declared.shuffle")
    if order == "another in every epoch":
        return True
    return (None if order is None else False) if said is None else bool(said)
