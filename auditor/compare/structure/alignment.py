"""Two networks beside each other: which operations correspond, which one side alone has, what is set otherwise.

Operations of one kind may correspond, at a price for each setting in which they differ; the cheapest
pairing in order counts (Needleman and Wunsch, 1970). Weighted operations are dear to leave unpaired.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.compare.structure import counted, geometry
from auditor.compare.structure.operation import Operation
from auditor.compare.structure.operations import WEIGHTED, Structure

#: Price of leaving an operation without a partner.
_ALONE, _LIGHT_ALONE = 2.0, 1.0
#: Price of a partner with another setting; of an activation with another function.
_SETTING, _SWAPPED = 0.5, 1.0
_NEVER: Final = 1e9
#: Kinds that may stand for each other: another pooling in the same place, another normalization.
_LIKE: Final = (
    frozenset({"max_pool", "average_pool"}),
    frozenset({"global_average_pool", "global_max_pool"}),
    frozenset({"batchnorm", "layernorm", "groupnorm", "rmsnorm"}),
    frozenset({"lstm", "gru", "rnn"}),
)
#: What a window is, on which the padding that keeps an image's size depends.
_WINDOWS: Final = frozenset({"kernel", "stride", "dilation"})
#: Operations of a network that are compared.
_MOST: Final = 400


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference: the operations of the two sides (None: only the other side has it), and the setting."""

    a: Operation | None
    b: Operation | None
    setting: str = ""
    place: int = 0
    """Where in the first network: the operations before it."""
    after: str = ""
    """Kind of what follows there."""
    beside: int = 0
    """Where in the second network."""

    @property
    def operation(self) -> Operation:
        """The first network's operation, or the second's that it lacks."""
        found = self.a or self.b
        assert found is not None  # noqa: S101 -- a difference has an operation on one side at least
        return found

    @property
    def values(self) -> tuple[Any, Any]:
        """What the two sides have: the setting's values, or the operations."""
        sides = (self.a, self.b)
        if self.setting:
            return (_of(self.a, self.setting), _of(self.b, self.setting))
        words = [one.word if one is not None else "none" for one in sides]
        return words[0], words[1]


def _of(one: Operation | None, setting: str) -> Any:
    if one is None:
        return None
    return one.kind if setting == "kind" else one.settings.get(setting)


def differences(a: Structure, b: Structure) -> list[Difference]:
    """What differs, in the order of the networks.

    Where one side may hide calls of functions, no operation without weights is missed. Of one model among several
    nothing is missed that the other side's models have.
    """
    a, b = counted.beside(a, b), counted.beside(b, a)
    left, right = geometry.of_one_rank(a.operations, b.operations)
    if not left or not right or max(len(left), len(right)) > _MOST:
        return []
    if (a.part or b.part) and [one.kind for one in left] != [one.kind for one in right]:
        return []
    if a.ordered and b.ordered:
        found = _moved(list(_paired(left, right)))
    else:
        found = list(_paired(_by_kind(left), _by_kind(right)))
    if not (a.whole and b.whole):
        found = [one for one in found if one.setting not in {"", "order"} or _weighted(one)]
    return [one for one in found if not _spelt(one, a, b)]


def _spelt(one: Difference, a: Structure, b: Structure) -> bool:
    """Whether the side that lacks an operation without weights may do it by hand: it computes something there.

    Between the same layers with weights: an activation by its formula, a mask for a dropout, a mean by a sum.
    """
    if one.setting or _weighted(one) or not (a.ordered and b.ordered):
        return False
    without, at = (a, one.place) if one.a is None else (b, one.beside)
    weighted = [place for place, each in enumerate(without.operations) if each.kind in WEIGHTED]
    first = max((place + 1 for place in weighted if place < at), default=0)
    last = min((place for place in weighted if place >= at), default=len(without.operations))
    return any(first <= place <= last for place in without.own)


def of_one_stock(a: Structure, b: Structure) -> bool:
    """Whether the two are made of the same operations in any order; of those with weights, where others may hide."""
    a, b = counted.beside(a, b), counted.beside(b, a)
    every = a.whole and b.whole and not (a.own or b.own)
    sides = ([one for one in side.operations if every or one.kind in WEIGHTED] for side in (a, b))
    return not _paired(*(_by_kind(side) for side in sides))


def _weighted(one: Difference) -> bool:
    return any(side is not None and side.kind in WEIGHTED for side in (one.a, one.b))


def _by_kind(side: Sequence[Operation]) -> list[Operation]:
    """In an order that does not depend on that in which the program made them."""
    return sorted(side, key=lambda one: (one.kind, repr(sorted(one.settings.items(), key=repr))))


def _paired(left: Sequence[Operation], right: Sequence[Operation]) -> Sequence[Difference]:
    price = np.zeros((len(left) + 1, len(right) + 1))
    price[1:, 0] = np.cumsum([_alone(one) for one in left])
    price[0, 1:] = np.cumsum([_alone(one) for one in right])
    for i, one in enumerate(left, 1):
        for j, other in enumerate(right, 1):
            together = price[i - 1, j - 1] + _together(one, other)
            price[i, j] = min(together, price[i - 1, j] + _alone(one), price[i, j - 1] + _alone(other))
    found: list[Difference] = []
    i, j = len(left), len(right)
    while i or j:
        after = left[i].kind if i < len(left) else ""
        if i and j and price[i, j] == price[i - 1, j - 1] + _together(left[i - 1], right[j - 1]):
            i, j = i - 1, j - 1
            found += [Difference(left[i], right[j], name, i, after, j) for name in _unlike(left[i], right[j])]
        elif i and price[i, j] == price[i - 1, j] + _alone(left[i - 1]):
            i -= 1
            found.append(Difference(left[i], None, "", i, after, j))
        else:
            j -= 1
            found.append(Difference(None, right[j], "", i, after, j))
    return found[::-1]


def _alone(one: Operation) -> float:
    return _ALONE if one.kind in WEIGHTED else _LIGHT_ALONE


def _together(a: Operation, b: Operation) -> float:
    if a.kind != b.kind:
        return 1.5 if any({a.kind, b.kind} <= like for like in _LIKE) else _NEVER
    return sum(_SWAPPED if name == "function" else _SETTING for name in _unlike(a, b))


def _unlike(a: Operation, b: Operation) -> list[str]:
    """The settings in which two operations differ; of another kind or function nothing else is asked."""
    if a.kind != b.kind:
        return ["kind"]
    both = [name for name in a.settings if name in b.settings and not name.startswith("_")]
    unlike = [name for name in both if not _same(a.settings[name], b.settings[name])]
    if not _WINDOWS.isdisjoint(unlike):
        unlike = [name for name in unlike if name != "pads"]  # what keeps a size of its own follows from the window
    return ["function"] if "function" in unlike else unlike


def _same(a: Any, b: Any) -> bool:
    numbers = all(isinstance(value, (int, float)) and not isinstance(value, bool) for value in (a, b))
    return bool(abs(a - b) <= 1e-4 * max(abs(a), abs(b))) if numbers else bool(a == b)


def _moved(found: list[Difference]) -> list[Difference]:
    """An operation that one side has earlier and the other later is one difference: its place."""
    kept = list(found)
    for gone in found:
        come = next((one for one in kept if gone in kept and _counterpart(gone, one)), None)
        if come is not None:
            at = min(kept.index(gone), kept.index(come))
            a, b = (gone, come) if gone.b is None else (come, gone)
            kept = [one for one in kept if one not in (gone, come)]
            kept.insert(at, Difference(a.a, b.b, "order", min(gone.place, come.place)))
    return kept


def _counterpart(a: Difference, b: Difference) -> bool:
    alone = (a.b is None) != (a.a is None) and (b.b is None) != (b.a is None) and (a.b is None) != (b.b is None)
    one, other = a.a or a.b, b.a or b.b
    return alone and one is not None and other is not None and one.kind == other.kind and not _unlike(one, other)
