"""Tables whose rows are multiplied by one number before anything is made of them: by the root of their width, say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor.compare.structure.operation import Operation


def tables(found: Sequence[Operation], graph: Any) -> Iterator[Operation]:
    """The operations, each embedding with its ``scale``; without one where no graph was told that would show it."""
    nodes = [node for node in graph if isinstance(node, Mapping)] if isinstance(graph, list) else []
    factors: dict[str, float] = {}
    for node in nodes:
        if node.get("op") == "scale" and isinstance(node.get("factor"), (int, float)):
            name = str(node.get("of"))
            factors[name] = factors.get(name, 1.0) * float(node["factor"])
    for one in found:
        if one.kind != "embedding" or not nodes:
            yield one
            continue
        scale = next((value for name, value in factors.items() if _is(name, one.name)), 1.0)
        yield type(one)(one.kind, one.name, {**one.settings, "scale": scale})


def _is(path: str, name: str) -> bool:
    return path == name or path.endswith(f"/{name}")
