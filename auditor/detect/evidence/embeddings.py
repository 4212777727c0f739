"""Which layers look rows up, and how many rows they have, as they are declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from auditor.detect.facts import RunFacts
from auditor.detect.view import StepView, layer_of

#: How the layers of the frameworks declare their rows.
_ROWS: Final = ("num_embeddings", "input_dim")


def embeddings(view: StepView) -> set[str]:
    """Layers that look rows up, as their parameters name them."""
    names = [name for name, _ in _declared(view.run)]
    if not names:
        return set()
    layers = {layer_of(tensor.name) for tensor in view.table if tensor.kind == "gradient"}
    return {layer for layer in layers if layer in names or layer.rsplit("/", 1)[-1] in names}


def _declared(run: RunFacts) -> Iterator[tuple[str, int]]:
    """Names and rows of the embeddings among the layers; 0 rows where they are not told."""
    for layer in run.layers:
        if "embedding" in str(layer.get("class", "")).lower():
            config = layer.get("config")
            told = [layer, config if isinstance(config, Mapping) else {}]
            rows = [one[key] for one in told for key in _ROWS if isinstance(one.get(key), int)]
            yield str(layer.get("name")), rows[0] if rows else 0


def largest(run: RunFacts) -> tuple[str, int]:
    """The embedding with most rows: of several (positions, segments) the one of the vocabulary."""
    return max(_declared(run), key=lambda one: one[1], default=("", 0))
