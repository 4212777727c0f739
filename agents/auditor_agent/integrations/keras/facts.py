"""A Keras run's declarations in canonical units: see ``auditor_agent.capture.manifest``."""

from __future__ import annotations

from typing import Any, Final

from auditor_agent.capture.manifest import l2_penalty, normalization, update_rule
from auditor_agent.integrations.keras.nested import layers_of

_REGULARIZERS: Final = ("kernel_regularizer", "bias_regularizer", "recurrent_regularizer", "embeddings_regularizer")


def canonical(model: Any, optimizer: Any) -> dict[str, Any]:
    """The ``canonical`` section: the update rule, normalization layers, penalties on weights."""
    settings = {**optimizer.get_config(), "learning_rate": float(optimizer.learning_rate)}
    layers = layers_of(model)
    norms = {layer.name: normalization("keras", layer.get_config()) for layer in layers if hasattr(layer, "epsilon")}
    return {
        "update": [update_rule("keras", type(optimizer).__name__, settings)],
        "normalization": norms,
        "penalties": {f"{layer.name}.{name}": told for layer in layers for name, told in _penalties(layer).items()},
    }


def loss_facts(model: Any) -> dict[str, Any]:
    """``operation``, ``reduction`` and ``from_logits`` of the compiled loss, where it is one loss."""
    from auditor_agent.integrations.keras.manifest import loss

    told = loss(model)
    if len(told["losses"]) != 1:
        return {}
    facts = {"operation": told.get("function") or told.get("name"), "reduction": told.get("reduction")}
    if "from_logits" in told["config"]:
        facts["from_logits"] = told["from_logits"]
    return {key: value for key, value in facts.items() if value is not None}


def _penalties(layer: Any) -> dict[str, dict[str, float]]:
    found: dict[str, dict[str, float]] = {}
    for attribute in _REGULARIZERS:
        regularizer = getattr(layer, attribute, None)
        if regularizer is None:
            continue
        l1, l2 = float(getattr(regularizer, "l1", 0.0)), float(getattr(regularizer, "l2", 0.0))
        found[attribute.removesuffix("_regularizer")] = {"l1": l1, **l2_penalty(l2)}
    return found
