"""Dropout whose rate is only counted: of a mask of zeros and ones that nothing makes up for.

It may be a dropout that forgets to scale, or data that are hidden for another reason. Beside a dropout of the other
side with a rate that such a mask can well have been drawn by it is the former; else it is arithmetic of its own.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from auditor.compare.structure.operation import Operation

if TYPE_CHECKING:
    from auditor.compare.structure.operations import Structure

#: Of how many numbers the rate was counted; not compared.
_COUNT: Final = "_counted"
#: Standard deviations of a part that was drawn from the rate that it was drawn by.
_DRAWN: Final = 4.0


def dropout(name: str, node: Mapping[str, Any]) -> Operation:
    """The dropout that a node of the graph is."""
    settings: dict[str, Any] = {"rate": float(node.get("rate", 0.0))}
    if node.get("inverted") is not None:
        settings["inverted"] = bool(node["inverted"])
    if node.get("counted"):
        settings[_COUNT] = int(node["counted"])
    return Operation("dropout", name, settings)


def beside(side: Structure, other: Structure) -> Structure:
    """``side`` with what was counted as a dropout of ``other``'s rate, or as arithmetic of its own."""
    rates = [one.settings["rate"] for one in other.operations if one.kind == "dropout" and _COUNT not in one.settings]
    kept: list[Operation] = []
    places: dict[int, int] = {}
    own: set[int] = set()
    for place, each in enumerate(side.operations):
        places[place] = len(kept)
        rate = _drawn_by(each, rates) if _COUNT in each.settings else None
        if _COUNT not in each.settings:
            kept.append(each)
        elif rate is None:
            own.add(len(kept))
        else:
            kept.append(replace(each, settings={**each.settings, "rate": rate}))
    places[len(side.operations)] = len(kept)
    return replace(side, operations=tuple(kept), own=frozenset(own | {places[place] for place in side.own}))


def _drawn_by(mask: Operation, rates: list[float]) -> float | None:
    part, count = float(mask.settings["rate"]), int(mask.settings[_COUNT])
    near = [rate for rate in rates if abs(part - rate) <= _DRAWN * math.sqrt(rate * (1 - rate) / count)]
    return min(near, key=lambda rate: abs(part - rate), default=None)
