"""Cells that one program writes out step by step, where the other has a recurrent layer: the rest of the two networks.

Fifteen steps of a ``gru`` by hand are fifteen times the same products and functions. What they compute, no list of
operations says; held against one layer each of them would be a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from typing import Final

from auditor.compare.structure.operation import Operation
from auditor.compare.structure.operations import Structure
from auditor.compare.structure.recurrent import KINDS

#: Steps of a sequence, at the least, by which a cell is known; and one that is products and functions alone.
_STEPS: Final = 2
_MANY_STEPS: Final = 3


def without(a: Structure, b: Structure) -> tuple[Structure, Structure]:
    """The two without one's recurrent layers and the other's steps by hand; as they are where it is not so."""
    layered = [any(one.kind in KINDS for one in side.operations) for side in (a, b)]
    if layered[0] == layered[1]:
        return a, b
    layers, spelt = (a, b) if layered[0] else (b, a)
    steps = _repeated(spelt, layers, _STEPS if spelt.own else _MANY_STEPS)
    if not steps:
        return a, b
    rest = _left(layers, {at for at, one in enumerate(layers.operations) if one.kind in KINDS})
    other = _left(spelt, steps)
    return (rest, other) if layered[0] else (other, rest)


def both_ways(a: Structure, b: Structure) -> tuple[Structure, Structure]:
    """The two without one's layers that read both ways and the other's two for each; else as they are."""
    told = [[one for one in side.operations if one.kind in KINDS] for side in (a, b)]
    folded = [sorted(_one_way(each) for one in side for each in [one] * _ways(one)) for side in told]
    if len(told[0]) == len(told[1]) or folded[0] != folded[1]:
        return a, b
    left, right = (_left(side, {at for at, one in enumerate(side.operations) if one.kind in KINDS}) for side in (a, b))
    return left, right


def _ways(one: Operation) -> int:
    return 2 if one.settings.get("both") else 1


def _one_way(one: Operation) -> str:
    return f"{one.kind} {one.settings.get('units')}"


def _repeated(spelt: Structure, layers: Structure, steps: int) -> set[int]:
    """Places of operations that come so often, and are none of the other side's."""
    words = [_word(one) for one in spelt.operations]
    often, known = Counter(words), {_word(one) for one in layers.operations}
    return {at for at, word in enumerate(words) if often[word] >= steps and word not in known}


def _word(one: Operation) -> str:
    return f"{one.kind} {sorted(one.settings.items(), key=repr)}"


def _left(of: Structure, places: Collection[int]) -> Structure:
    """A network without these operations; arithmetic of its own stays where it was."""
    kept = [at for at in range(len(of.operations)) if at not in places]
    own = frozenset(sum(at < place for at in kept) for place in of.own)
    return replace(of, operations=tuple(of.operations[at] for at in kept), own=own)
