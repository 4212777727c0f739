"""What a model that works out its own loss does beside its layers: its terms are sums, its logarithms the loss's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from auditor.compare.structure.operations import WEIGHTED, Structure
from auditor.ingest.records import StepRecording

_ADDED: Final = frozenset({"Add", "AddV2"})
_TERMS: Final = 2
#: Axes of what a loss has for each sample; of what a network has for each of them there is one more.
_OF_SAMPLES: Final = 1


def without(network: Structure, steps: Sequence[StepRecording]) -> Structure:
    """The network with those of its sums alone that are no sums of terms of the loss, as far as its last weights.

    Args:
        network: as its graph tells it, to the end of what the model gave.
        steps: the recorded ones. Where the model gave a single number that is the loss, and the graph behind the
            recorded loss is a part of the model's own.
    """
    told = next((one for one in steps if isinstance(one.facts.get("operations"), list)), None)
    if told is None or not network.sums or not _gives_loss(told):
        return network
    terms = sum(_of_terms(node) for node in _graph(told))
    sums = {**network.sums, "add": max(0, network.sums["add"] - terms)}
    weighted = [place for place, one in enumerate(network.operations) if one.kind in WEIGHTED]
    end = max(weighted, default=-1) + 1
    own = frozenset({*(place for place in network.own if place <= end), end})  # what is behind them may be either's
    return replace(network, sums=sums, operations=network.operations[:end], own=own)


def _gives_loss(one: StepRecording) -> bool:
    return any(name.startswith("output") and array.shape == () for name, array in one.of("output").items())


def _of_terms(node: Mapping[str, Any]) -> bool:
    """Whether it adds two computed numbers, of the whole batch or of each sample."""
    inputs, shape = node.get("inputs"), node.get("shape")
    if node.get("op") not in _ADDED or not isinstance(shape, list) or len(shape) > _OF_SAMPLES:
        return False
    both = [one for one in inputs or () if one is not None] if isinstance(inputs, list) else []
    return len(both) == _TERMS and all(given == shape for given in node.get("input_shapes") or ())


def _graph(one: StepRecording) -> list[Mapping[str, Any]]:
    told = one.facts.get("loss")
    graph = told.get("graph") if isinstance(told, Mapping) else None
    return [node for node in graph or () if isinstance(node, Mapping)]
