"""Products with weights: dense layers, and attention as the four that it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final

from auditor.compare.structure import told_by
from auditor.compare.structure.operation import Operation

#: Queries, keys and values.
_PROJECTIONS: Final = 3
#: What is told of the positions that attention leaves out.
MASKS: Final = ("causal", "padded")
_PACKED: Final = "packed"
#: How many numbers a product without a layer takes, where what comes of it says so.
TAKEN: Final = "taken"


def projected(graph: Any) -> Any:
    """A graph in which a product with a bare weight, straight before a softmax, takes a third of what it gives.

    Between it and its shares nothing but a product of queries and keys can stand: it holds all three.
    """
    if not isinstance(graph, list):
        return graph
    found = list(graph)
    for at, (one, after) in enumerate(pairwise(graph[:-1])):  # a softmax at the end has classes before it
        both = isinstance(one, Mapping) and isinstance(after, Mapping) and "layer" not in one
        if both and (one.get("op"), after.get("op")) == ("dense", "softmax"):
            units = one.get("units")
            found[at] = {**one, TAKEN: units // _PROJECTIONS} if isinstance(units, int) and not units % 3 else one
    return found


def dense(name: str, taken: Any, given: Any, *, bias: bool | None) -> Iterator[Operation]:
    """A product with weights; one that gives three times what it takes may be three (``unpacked``)."""
    packed = isinstance(taken, int) and taken > 1 and given == _PROJECTIONS * taken
    yield Operation("dense", name, told_by.known({"units": given, "bias": bias, _PACKED: packed or None}))


def attention(name: str, width: Any, told: dict[str, Any], *, bias: bool | None) -> Iterator[Operation]:
    """Attention as the four products that it is, its shares' dropout before the last; the first has its settings."""
    settings = told_by.known({"units": width, "bias": bias})
    own = told_by.known({key: told.get(key) for key in ("heads", "head_units", "along_time", *MASKS)})
    yield Operation("dense", name, {**settings, **own})
    yield from (Operation("dense", name, settings) for _ in range(_PROJECTIONS - 1))
    if told.get("rate"):
        yield Operation("dropout", name, {"rate": float(told["rate"])})
    yield Operation("dense", name, settings)


def _acts(after: Operation | None) -> bool:
    return after is not None and after.settings.get("function") not in {None, "softmax"}


def _alike(one: Operation, beside: Operation | None) -> bool:
    return beside is not None and one.kind == beside.kind and one.settings == beside.settings


def unpacked(found: Iterable[Operation], *, attends: bool) -> Iterator[Operation]:
    """Each product with weights as one; where a softmax runs within the network, or may, packed projections as three.

    A layer that happens to give three times what it takes is one, as it is where nobody knows what it takes; and one
    with an activation behind it, which projections have not, or with its like beside it: a query's, a key's.
    """
    every = list(found)
    for before, one, after in zip((None, *every), every, (*every[1:], None), strict=False):
        settings = {key: value for key, value in one.settings.items() if key != _PACKED}
        if one.kind != "dense" or _PACKED not in one.settings:
            yield one
        elif not attends or _acts(after) or _alike(one, before) or _alike(one, after):
            yield replace(one, settings=settings)
        else:
            part = replace(one, settings={**settings, "units": settings["units"] // _PROJECTIONS})
            yield from (part for _ in range(_PROJECTIONS))
