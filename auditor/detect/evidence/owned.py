"""Which parameters a run declares: what its optimizers hold, what its layers train."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.detect.facts import RunFacts


def held(run: RunFacts) -> set[str] | None:
    """The parameters that declared optimizers hold; None where that is not told."""
    several = run.section().get("optimizers")
    declared = several if isinstance(several, list) else [run.optimizer]
    groups = [group for one in declared if isinstance(one, Mapping) for group in one.get("groups") or ()]
    if not groups:
        return None
    return {str(name) for group in groups if isinstance(group, Mapping) for name in group.get("parameters") or ()}


def trainable(run: RunFacts) -> list[str]:
    """What Keras' layers declare to be trainable, in their order; not ``outside`` of what a loop set out to train."""
    told = [weight for layer in run.layers if layer.get("trainable", True) for weight in weights(layer)]
    return [
        str(weight["name"])
        for weight in told
        if weight.get("trainable") and "name" in weight and not weight.get("outside")
    ]


def frozen(run: RunFacts) -> set[str]:
    """What Keras' layers hold that is not to be trained though the layer's kind is: they were frozen."""
    told = [weight for layer in run.layers if layer.get("trainable") is False for weight in weights(layer)]
    return {str(weight["name"]) for weight in told if "name" in weight}


def idle(run: RunFacts) -> Mapping[str, Mapping[str, Any]]:
    """PyTorch: matrices of the model that need no gradient and that no optimizer holds, by name: shape and moments."""
    told = run.section("model", "frozen")
    return {str(name): one for name, one in told.items() if isinstance(one, Mapping) and "shape" in one}


def weights(layer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The weights that a declared layer tells of."""
    told = layer.get("weights")
    return [one for one in told if isinstance(one, Mapping)] if isinstance(told, list) else []


def within(weight: str, layer: str) -> bool:
    """Whether a weight's path is within a layer's, whatever the model around both is called."""
    return f"/{layer}/" in f"/{weight}/"
