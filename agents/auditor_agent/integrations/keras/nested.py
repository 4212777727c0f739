"""The layers of a model, those within others too, in the order in which the model has them.

Keras's own walk gives the layers of a model within a model last first.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def layers_of(model: Any) -> list[Any]:
    """Every layer below ``model``, each once: a layer, then those within it."""
    seen = {id(model)}
    return list(_below(model, seen))


def _below(layer: Any, seen: set[int]) -> Iterator[Any]:
    for one in layer._layers:  # noqa: SLF001 -- no public walk
        if id(one) not in seen:
            seen.add(id(one))
            yield one
            yield from _below(one, seen)
