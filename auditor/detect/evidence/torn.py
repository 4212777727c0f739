"""Outputs that are reshaped where their axes should change places: no element stays with its sample or position."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from auditor.detect.recorded import RecordView

#: Operations of torch's graph that read the same elements in the same order as another shape.
_RESHAPES: Final = frozenset({"View", "UnsafeView", "ReshapeAlias"})


def torn_apart(view: RecordView) -> dict[str, Any] | None:
    """Evidence where a model's output (B, T, C) goes to the loss as (B, C, T) by reshaping alone.

    The elements of a row then come from several positions. Extents of 1 tell nothing: moving them
    moves no element.
    """
    fact = view.facts.get("loss")
    graph = fact.get("graph") if isinstance(fact, Mapping) else None
    for node in graph if isinstance(graph, list) else ():
        if not isinstance(node, Mapping) or node.get("op") not in _RESHAPES:
            continue
        given, before, after = node.get("inputs") or (), node.get("from"), node.get("shape")
        if not given or not str(given[0]).startswith("output"):
            continue
        if isinstance(before, list) and isinstance(after, list) and _moved(before, after):
            what = f"outputs of shape {tuple(before)} are reshaped to {tuple(after)}, which mixes their positions"
            return {"what": what, "before": before, "after": after}
    return None


def _moved(before: list[int], after: list[int]) -> bool:
    """Whether the same extents stand in another order."""
    first, then = ([extent for extent in shape if extent != 1] for shape in (before, after))
    return first != then and sorted(first) == sorted(then)
