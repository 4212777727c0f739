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

#: Steps of a sequence, at the least, by which a cell is known.
_STEPS: Final = 2


def without(a: Structure, b: Structure) -> tuple[Structure, Structure]:
    """The two without one's recurrent layers and the other's steps by hand; as they are where it is not so."""
    layered = [any(one.kind in KINDS for one in side.operations) for side in (a, b)]
    if layered[0] == layered[1]:
        return a, b
    layers, spelt = (a, b) if layered[0] else (b, a)
    steps = _repeated(spelt, layers)
    if not spelt.own or not steps:
        return a, b
    rest = _left(layers, {at for at, one in enumerate(layers.operations) if one.kind in KINDS})
    other = _left(spelt, steps)
    return (rest, other) if layered[0] else (other, rest)


def _repeated(spelt: Structure, layers: Structure) -> set[int]:
    """Places of operations that come again and again, and are none of the other side's."""
    words = [_word(one) for one in spelt.operations]
    often, known = Counter(words), {_word(one) for one in layers.operations}
    return {at for at, word in enumerate(words) if often[word] >= _STEPS and word not in known}


def _word(one: Operation) -> str:
    return f"{one.kind} {sorted(one.settings.items(), key=repr)}"


def _left(of: Structure, places: Collection[int]) -> Structure:
    """A network without these operations; arithmetic of its own stays where it was."""
    kept = [at for at in range(len(of.operations)) if at not in places]
    own = frozenset(sum(at < place for at in kept) for place in of.own)
    return replace(of, operations=tuple(of.operations[at] for at in kept), own=own)
