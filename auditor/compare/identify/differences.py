"""The target of a loss that a program writes as a difference: what autograd kept of it, taken from the output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, data
from auditor.ingest.records import StepRecording

#: Functions whose differences make an error of logarithms, and what undoes them.
_LOGARITHMS: Final[Mapping[str, tuple[Callable[[F64], F64], Callable[[F64], F64]]]] = {
    "Log1P": (np.log1p, np.expm1),
    "Log": (np.log, np.exp),
}
_SHAPERS: Final = frozenset({"Squeeze", "Unsqueeze", "View", "ReshapeAlias", "UnsafeView"})
_CLIPS: Final = frozenset({"Clamp", "ClampMin"})
#: Where outputs are cut off before their logarithm, in every program that does.
_LEAST: Final = 1e-7
_TWO: Final = 2


def target_of(one: StepRecording) -> F64 | None:
    """The target as it was recorded; where the loss was written by hand, as its difference from the output tells."""
    found = data(one, "target")
    if found is not None:
        return found
    output, nodes = data(one, "output", "output0"), nodes_of(one)
    for place, node in enumerate(nodes):
        given = list(node.get("inputs") or ())
        if output is None or node.get("op") != "Sub" or node.get("alpha", 1) != 1 or given.count(None) != 1:
            continue
        difference = _taken_of(one, nodes, place)
        if difference is not None and _squeezed(difference) == _squeezed(output) and len(given) == _TWO:
            off = (difference if given[1] is None else -difference).reshape(output.shape)
            learnt = _through(nodes, given[0] if given[1] is None else given[1])
            return output - off if learnt == "output0" else _of_logarithms(nodes, learnt, output, off)
    return None


def nodes_of(one: StepRecording) -> list[Mapping[str, Any]]:
    """The operations of a step's loss, itself the first; none where these were not recorded."""
    told = one.facts.get("loss")
    graph = told.get("graph") if isinstance(told, Mapping) else None
    return [node if isinstance(node, Mapping) else {} for node in graph or []]


def in_parts(nodes: Sequence[Mapping[str, Any]], place: Any) -> int | None:
    """What the quotient at ``place`` in a loss's graph is of, if it is one by numbers that differ from row to row."""
    node = at(nodes, place)
    given = list(node.get("inputs") or ())
    by_rows = node.get("op") == "Div" and len(given) == _TWO and given[1] is None and "other" not in node
    return given[0] if by_rows and isinstance(given[0], int) else None


def taken(nodes: Sequence[Mapping[str, Any]], op: str) -> Any:
    """What the first operation of a name takes."""
    return _first(next((node for node in nodes if node.get("op") == op), {}))


def _taken_of(one: StepRecording, nodes: Sequence[Mapping[str, Any]], place: int) -> F64 | None:
    """The difference at a place in a loss's graph, as what takes it saved it: its square, or its absolute value.

    Of several squares the first is kept, and that may be one of the absolute value. What is taken may be the
    difference in parts of something: of what that is of, if it was recorded.
    """
    for op in ("Pow", "Abs"):
        given, kept = taken(nodes, op), data(one, "output", f"{op}.input")
        if kept is None or not isinstance(given, int):
            continue
        if given == place:
            return kept
        if in_parts(nodes, given) == place and (divisor := data(one, "factor", "divisor0")) is not None:
            return kept * divisor
    return None


def _of_logarithms(nodes: Sequence[Mapping[str, Any]], place: Any, output: F64, off: F64) -> F64 | None:
    """The target whose logarithm is ``off`` less than the output's, which the operation at ``place`` takes."""
    node = at(nodes, place)
    functions, below = _LOGARITHMS.get(str(node.get("op"))), _through(nodes, _first(node))
    clipped = at(nodes, below).get("op") in _CLIPS
    below = _through(nodes, _first(at(nodes, below))) if clipped else below
    if functions is None or below != "output0":
        return None
    with np.errstate(all="ignore"):
        found: F64 = functions[1](functions[0](np.maximum(output, _LEAST) if clipped else output) - off)
    return found if np.isfinite(found).all() else None


def _through(nodes: Sequence[Mapping[str, Any]], place: Any) -> Any:
    """The place behind what changes shapes alone."""
    for _ in range(len(nodes)):
        if at(nodes, place).get("op") not in _SHAPERS:
            break
        place = _first(at(nodes, place))
    return place


def _first(node: Mapping[str, Any]) -> Any:
    return next(iter(node.get("inputs") or ()), None)


def _squeezed(values: F64) -> list[int]:
    return [extent for extent in values.shape if extent != 1]


def at(nodes: Sequence[Mapping[str, Any]], place: Any) -> Mapping[str, Any]:
    """The operation at a place; nothing where that is none, or the graph was cut off before it."""
    return nodes[place] if isinstance(place, int) and 0 <= place < len(nodes) else {}
