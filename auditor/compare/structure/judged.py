"""What another model did before a model's turn or after it: a generator makes what it judges, a teacher is asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import prod
from typing import Any

from auditor.compare.structure import words


def alone(graph: Any, model: Any, layers: Sequence[Mapping[str, Any]]) -> Any:
    """A graph without what another model did before the first layer of this one.

    A product that is of no layer is another model's where every weight of this one is a layer's, and each of these
    layers is named in the graph: then none of them is told by what it does. Behind the model's layers nothing is left
    out: there may be a product with the table that they began with.

    Args:
        graph: of one step, as recorded.
        model: as the manifest describes it.
        layers: those that it lists.
    """
    nodes = graph if isinstance(graph, list) else []
    told = [one if isinstance(one, Mapping) else {} for one in nodes]
    owners = [{str(one.get(key)) for key in ("name", "path") if one.get(key)} for one in layers if _sizes(one)]
    names = [str(one["layer"]) for one in told if "layer" in one]
    if not owners or not all(own & set(names) for own in owners) or not _every_weight(model, layers):
        return graph
    first = next(at for at, one in enumerate(told) if any(str(one.get("layer")) in own for own in owners))
    before = told[:first]
    return nodes[first:] if any("layer" not in one and _weighted(one) for one in before) else graph


def taught(graph: Any, layers: Sequence[Mapping[str, Any]]) -> Any:
    """A graph without the layers behind the model's last output that are not trained: a teacher asked by the loss."""
    nodes = graph if isinstance(graph, list) else []
    told = [one if isinstance(one, Mapping) else {} for one in nodes]
    ends = [at for at, one in enumerate(told) if one.get("end")]
    frozen = {str(one.get(key)) for one in layers for key in ("name", "path") if one.get(key) and _frozen(one)}
    if not ends or not frozen:
        return graph
    behind = range(ends[-1] + 1, len(nodes))
    return [one for at, one in enumerate(nodes) if at not in behind or str(told[at].get("layer")) not in frozen]


def _frozen(layer: Mapping[str, Any]) -> bool:
    config = layer.get("config")
    return layer.get("trainable", config.get("trainable") if isinstance(config, Mapping) else None) is False


def _weighted(node: Mapping[str, Any]) -> bool:
    kind = words.kind_of(node.get("op")) or str(node.get("op")).lower()
    return kind in words.WEIGHTED


def _every_weight(model: Any, layers: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the layers hold all parameters that the model is said to have."""
    whole = model.get("parameters") if isinstance(model, Mapping) else None
    return whole is not None and whole == sum(size for one in layers for size in _sizes(one))


def _sizes(layer: Mapping[str, Any]) -> list[int]:
    told = [one for one in layer.get("weights") or [] if isinstance(one, Mapping)]
    return [prod(one.get("shape") or [1]) for one in told]
