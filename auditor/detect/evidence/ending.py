"""How a model's output ends: its last activation, the operation of the loss, and whether its rows are distributions."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.view import F64

#: What the rows of a float16 softmax may miss of 1 (2048 classes of half an ulp at most).
ROUNDED: Final = 2e-3


def _nodes(view: RecordView) -> list[dict[str, Any]]:
    fact = view.facts.get("loss")
    graph = fact.get("graph") if isinstance(fact, dict) else None
    return [node for node in graph if isinstance(node, dict)] if isinstance(graph, list) else []


def squashes(view: RecordView) -> bool:
    """Whether torch's graph shows a softmax of the model's output itself."""
    return any(node.get("op") == "LogSoftmax" and "output0" in (node.get("inputs") or ()) for node in _nodes(view))


def squashed_between(view: RecordView) -> str:
    """What torch's graph shows to be applied to an output before a loss that does it again; "" for nothing."""
    nodes = _nodes(view)
    for node in nodes:
        again = {"LogSoftmax": "Softmax", "BinaryCrossEntropyWithLogits": "Sigmoid"}.get(str(node.get("op")))
        first = next(iter(node.get("inputs") or ()), None)
        if again is None or not isinstance(first, int) or not 0 <= first < len(nodes):
            continue
        given = nodes[first]
        if (
            given.get("op") == again
            and given.get("dim") == node.get("dim")
            and "output0" in (given.get("inputs") or ())
        ):
            return again.lower()
    return ""


def connects(view: RecordView) -> bool:
    """Whether torch's graph shows a connectionist temporal classification of the model's output itself."""
    return any(node.get("op") == "CtcLoss" and "output0" in (node.get("inputs") or ()) for node in _nodes(view))


def direct(view: RecordView) -> bool:
    """Whether nothing in torch's graph says that an NLLLoss was given anything but an output of the model."""
    losses = [node for node in _nodes(view) if str(node.get("op")).startswith("NllLoss")]
    return all(str((node.get("inputs") or ("",))[0]).startswith("output") for node in losses)


def near(values: F64, to: float) -> Any:
    """Which values are ``to`` but for what float16 rounds away of a sum."""
    return np.abs(values - to) <= ROUNDED


def distributions(rows: F64) -> bool:
    """Whether every row is made of probabilities that sum to 1."""
    inside = bool((rows >= -1e-6).all() and (rows <= 1 + 1e-6).all())
    return inside and bool(near(rows.sum(axis=1), 1.0).all())


def operation(view: RecordView) -> str:
    """The operation of the loss in torch's graph, "" where none was told."""
    fact = view.facts.get("loss")
    return str(fact.get("operation")) if isinstance(fact, dict) else ""


def last_activation(view: RecordView) -> str:
    """The activation that the model ends in, lower case; "" where it is not known."""
    told = view.facts.get("output_activation")
    if isinstance(told, str):
        return _shown(view) or told.lower() if told.lower() == "linear" else told.lower()
    if shown := _shown(view):
        return shown
    if view.run.framework == "torch" and not str(view.run.section("model").get("class", "")).endswith(".Sequential"):
        return ""  # modules are listed as they were registered, which need not be the order in which they run
    layers = [layer for layer in view.run.layers if not str(layer.get("class", "")).lower().startswith(("dropout",))]
    if not layers:
        return ""
    last = layers[-1]
    named = last.get("activation")
    if isinstance(named, str):
        return named.lower()
    kind = str(last.get("class", "")).lower()
    return kind if kind in {"sigmoid", "softmax", "tanh", "relu"} else ""


def _shown(view: RecordView) -> str:
    """The activation of the last layer that ran, where its outputs are the model's own; "" where they are not.

    A model that ends in another model may be told to end in nothing: the layers within are told one by one; one of
    plain variables tells of no layer, but of the activations that are called as functions. By unit,
    over the whole batch, the smallest and the largest output tell whether they are the same.
    """
    layers, output = view.facts.get("layers"), view.array("output", "output0")
    last = layers[-1] if isinstance(layers, list) and layers and isinstance(layers[-1], dict) else {}
    units = view.array("units", str(last.get("name")))
    named = str(last.get("activation") or "").lower()
    if output is None or units is None or output.sampled or units.sampled or not named:
        return ""
    rows, extremes = output.whole(), units.whole()
    width = rows.shape[-1] if rows.ndim > 1 else 1  # of a single unit the last axis may be cut off
    if not rows.size or extremes.shape != (4, width):
        return ""
    flat = rows.reshape(-1, width)
    same = np.array_equal(np.stack([flat.min(axis=0), flat.max(axis=0)]), extremes[2:])
    return named if same and named != "linear" else ""
