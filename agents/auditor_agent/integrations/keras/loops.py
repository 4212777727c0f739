"""Layers that a traced step calls again and again, and whether they are given the network's own answers.

As in PyTorch (``integrations/torch/loops.py``), read off the graph that was traced: which call's operations lie behind
the inputs of which.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Final

#: Operations looked at behind the inputs of all calls together.
_MOST: Final = 20_000

Ran = Sequence[tuple[str, int, int]]


def fed(ran: Ran, nodes: Sequence[Any], last: Any) -> dict[str, dict[str, Any]]:
    """By path, of each layer that was called again: ``calls``, and ``fed_by`` the layer whose answers it is given.

    Args:
        ran: path of each layer that ran, with its first and last place among ``nodes``.
        nodes: the operations of the graph in their order.
        last: the operation that gave the model's output.
    """
    inner = _innermost(ran, len(nodes))
    counts = Counter(path for path, _, _ in ran)
    again: dict[str, dict[str, Any]] = {path: {"calls": count} for path, count in counts.items() if count > 1}
    if not again:
        return {}
    places = {node.name: place for place, node in enumerate(nodes)}
    ends = _reached([last.name], nodes, places, inner)
    edges: dict[str, set[str]] = {}
    for place, path in inner.items():
        given = [one.op.name for one in nodes[place].inputs if inner.get(places.get(one.op.name, -1)) != path]
        edges.setdefault(path, set()).update(_reached(given, nodes, places, inner))
    for path, told in again.items():
        found = sorted(end for end in edges.get(path, set()) & ends if end != path and _leads(edges, end, path))
        if found:
            told["fed_by"] = found[0]
    return again


def _innermost(ran: Ran, count: int) -> dict[int, str]:
    """By place of an operation, the smallest layer that it is of."""
    found: dict[int, str] = {}
    for path, begin, end in sorted(ran, key=lambda one: one[1] - one[2]):  # the widest first
        found.update(dict.fromkeys(range(begin, min(end, count)), path))
    return found


def _reached(names: Iterable[str], nodes: Sequence[Any], places: dict[str, int], inner: dict[int, str]) -> set[str]:
    """The layers that are met first on the way down from operations."""
    waiting, seen, found = list(names), set[str](), set[str]()
    while waiting and len(seen) < _MOST:
        name = waiting.pop()
        place = places.get(name)
        if name in seen or place is None:
            continue
        seen.add(name)
        if place in inner:
            found.add(inner[place])
        else:
            waiting += [one.op.name for one in nodes[place].inputs]
    return found


def _leads(edges: dict[str, set[str]], start: str, wanted: str) -> bool:
    waiting, seen = [start], {start}
    while waiting:
        for path in edges.get(waiting.pop(), set()) - seen:
            if path == wanted:
                return True
            seen.add(path)
            waiting.append(path)
    return False
