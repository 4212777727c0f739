"""What a layer's entry in a manifest says of it, whichever framework wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from auditor.compare.structure import words


def merged(layer: Mapping[str, Any]) -> dict[str, Any]:
    """A layer with its configuration beside its name."""
    config = layer.get("config")
    return {**layer, **(config if isinstance(config, Mapping) else {})}


def function(told: Any) -> str | None:
    """An activation by name; None where nothing is told of it."""
    return None if told is None else words.activation(told) or "linear"


def fans(told: Mapping[str, Any]) -> tuple[Any, Any]:
    """Features that a layer takes and gives."""
    weights = [one for one in told.get("weights") or [] if isinstance(one, Mapping) and len(one.get("shape") or ()) > 1]
    shape = list(weights[0]["shape"]) if weights else [None, None]
    given = told.get("output_shape")
    last = given[-1] if isinstance(given, list) and given and isinstance(given[-1], int) else shape[-1]
    return shape[0], told.get("units", last)


def common(told: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of normalizations, dropout and attention."""
    rate = told.get("rate", told.get("p", told.get("dropout")))
    heads = told.get("num_heads")
    groups = told.get("num_groups", told.get("groups"))
    found = {"epsilon": told.get("epsilon", told.get("eps")), "rate": rate, "heads": heads, "groups": groups}
    found |= {"head_units": told.get("key_dim", told.get("head_dim"))}
    found |= {"causal": told.get("causal"), "padded": told.get("padded"), "inverted": told.get("inverted")}
    found |= {"mode": told.get("interpolation", told.get("mode")), "corners": told.get("align_corners")}
    return known(found)


def known(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are told."""
    return {key: value for key, value in settings.items() if value is not None}


def unpadded(layer: Mapping[str, Any]) -> bool:
    """Whether a table of PyTorch leaves padding out; of what is packed none is left."""
    return layer.get("padding_idx") is not None or bool(layer.get("packed"))
