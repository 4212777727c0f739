"""Which variables lie on one way from the data to a loss: a layer that learns beside one that does not.

A network that is fixed on purpose and gives the targets of another (random network distillation, a
teacher) has a way of its own to the loss. A layer that a loop forgot stands before or behind layers
that it trains.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor_agent.integrations.tensorflow import flow

#: Operations behind a loss that are looked at; of more nothing is said.
_MOST: Final = 4000
_CUTS: Final = frozenset({"StopGradient", "PreventGradient"})

#: Variables behind a tensor as the bits of their places, and whether data is behind it.
_Behind = tuple[int, bool]


def links(loss: Any, made: flow.Made, places: Mapping[int, int]) -> dict[int, int] | None:
    """The variables before and behind each one on its way to ``loss``, as the bits of their places.

    Args:
        loss: what was differentiated.
        made: what made a tensor.
        places: place of a variable by the identity of its handle.

    Returns:
        By place; variables that no gradient of ``loss`` can reach are missing. None where it is not known.
    """
    behind: dict[int, _Behind] = {}
    found: dict[int, int] = {}
    stack = [(loss, False)]
    while stack:
        tensor, done = stack.pop()
        if id(tensor) in behind:
            continue
        node = None if id(tensor) in places else made(tensor)
        if node is None:
            behind[id(tensor)] = _leaf(tensor, places)
        elif node[0] in _CUTS:
            behind[id(tensor)] = (0, True)
        elif done:
            behind[id(tensor)] = _meet([behind.get(id(one), (0, True)) for one in node[1]], found)
        else:
            stack.append((tensor, True))
            stack.extend((one, False) for one in node[1])
        if len(behind) > _MOST:
            return None
    return found or None


def _leaf(tensor: Any, places: Mapping[int, int]) -> _Behind:
    if id(tensor) in places:
        return 1 << places[id(tensor)], False
    return 0, getattr(getattr(tensor, "op", None), "type", "") != "Const"


def _meet(inputs: list[_Behind], found: dict[int, int]) -> _Behind:
    """What is behind an operation's result; weights that it applies to data are linked with those behind the data."""
    weights = data = 0
    for mask, fed in inputs:
        weights, data = (weights, data | mask) if fed else (weights | mask, data)
    if any(fed for _, fed in inputs):
        for one, others in ((weights, data), (data, weights)):
            for place in _places(one):
                found[place] = found.get(place, 0) | others
        return weights | data, True
    return weights, False


def _places(mask: int) -> list[int]:
    return [place for place in range(mask.bit_length()) if mask >> place & 1]
