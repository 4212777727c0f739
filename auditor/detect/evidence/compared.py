"""Every pair that the losses of a step compare, as ``facts.loss`` tells the first one of each.

Of losses that are added up PyTorch tells the first in words, and of all the operations
(``facts.loss.graph``, ``docs/flight-recorder.md``): the further ones are read off these, in the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

#: Operations that make one number of many.
_REDUCERS: Final = frozenset({"Mean", "Sum"})
_DIFFERENCES: Final = frozenset({"Sub", "Rsub"})


def losses(facts: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The losses of a step: those of each optimizer, under the names of the facts, and what is added to each."""
    for name, loss in facts.items():
        if isinstance(loss, dict) and (name == "loss" or name.startswith("loss/")):
            yield name, loss
            for place, further in enumerate(_further(loss), 1):
                yield f"{name}+{place}", further


def _further(loss: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What the graph shows beside the loss that the facts tell in words."""
    graph = loss.get("graph")
    nodes = [node for node in graph if isinstance(node, Mapping)] if isinstance(graph, list) else []
    own = [_told(nodes, node) for node in nodes if isinstance(_saved(node).get("target"), list)]
    by_hand = [made for node in nodes if node.get("op") in _REDUCERS if (made := _difference(nodes, node)) is not None]
    # The facts tell the first loss of the framework's, or where there is none the first by hand.
    return own[1:] + by_hand if own else by_hand[1:]


def _told(nodes: Sequence[Mapping[str, Any]], node: Mapping[str, Any]) -> dict[str, Any]:
    """A loss of the framework's: the shapes as they were before it expanded them."""
    child = _first(nodes, node)
    saved = _saved(node)
    expanded = child is not None and child.get("op") == "Expand"
    output, target = child.get("from") if child is not None and expanded else saved.get("self"), saved["target"]
    classes = str(node.get("op")).startswith("NllLoss")
    return {
        "operation": node.get("op"),
        "output_shape": output,
        "target_shape": target,
        "broadcast": isinstance(output, list) and not classes and _wider(output, target),
    }


def _difference(nodes: Sequence[Mapping[str, Any]], node: Mapping[str, Any]) -> dict[str, Any] | None:
    """A loss by hand: what is reduced, down to the difference of something computed and something given."""
    chain: list[str] = []
    at: Mapping[str, Any] | None = node
    while at is not None and len(chain) < len(nodes):
        chain.append(str(at.get("op")))
        if chain[-1] in _DIFFERENCES:
            sides = [shape for shape in at.get("input_shapes") or () if isinstance(shape, list)]
            if len(sides) != 1 or not isinstance(at.get("shape"), list):
                return None
            told = {"output_shape": sides[0], "shape": at["shape"], "broadcast": sides[0] != at["shape"]}
            return {"operation": "arithmetic", "chain": chain, **told}
        if chain[-1] in _REDUCERS and len(chain) > 1:
            return None  # the sum of several: each has a reduction of its own
        at = _first(nodes, at)
    return None


def _first(nodes: Sequence[Mapping[str, Any]], node: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The first input that is an operation."""
    places = node.get("inputs") or ()
    return next((nodes[at] for at in places if isinstance(at, int) and 0 <= at < len(nodes)), None)


def _saved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    saved = node.get("saved")
    return saved if isinstance(saved, Mapping) else {}


def _wider(output: Sequence[int], target: Sequence[int]) -> bool:
    """Whether what they make together has more than the output, extents of 1 aside."""
    longest = max(len(output), len(target))
    sides = [[1] * (longest - len(shape)) + list(shape) for shape in (output, target)]
    together = [max(pair) for pair in zip(*sides, strict=True)]
    return [extent for extent in together if extent != 1] != [extent for extent in output if extent != 1]
