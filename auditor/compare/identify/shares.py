"""Shares of classes that a program of TensorFlow gives to Keras's loss: recorded as logarithms, told as shares.

``keras.losses.sparse_categorical_crossentropy(y, tf.nn.softmax(logits))`` clips what it is given and hands its
logarithm to the operation that takes logits. What is recorded is what that operation was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.ingest.records import StepRecording

_OUTPUT: Final = ("output", "output0")
#: From the operation of the loss down, in either order of the two bounds.
_CHAINS: Final = (("Log", "Maximum", "Minimum", "Softmax"), ("Log", "Minimum", "Maximum", "Softmax"))


def clipped(one: StepRecording | None) -> bool:
    """Whether the loss of a step was given the logarithms of a softmax that was clipped first."""
    told = one.facts.get("loss") if one is not None else None
    graph = told.get("graph") if isinstance(told, Mapping) else None
    nodes = [node if isinstance(node, Mapping) else {} for node in graph or []]
    entropies = [node for node in nodes if str(node.get("op")).endswith("SoftmaxCrossEntropyWithLogits")]
    return any(_above(node, nodes) in _CHAINS for node in entropies)


def _above(node: Mapping[str, Any], nodes: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What made the first input of an operation, as far as a chain is long."""
    found: list[str] = []
    while len(found) < len(_CHAINS[0]):
        place = next(iter(node.get("inputs") or ()), None)
        if not isinstance(place, int) or not 0 <= place < len(nodes):
            break
        node = nodes[place]
        found.append(str(node.get("op")))
    return tuple(found)


def told(recordings: Sequence[StepRecording]) -> list[StepRecording]:
    """The recordings with shares in the place of their logarithms, where these are what was recorded."""
    return [_shares(one) if clipped(one) else one for one in recordings]


def _shares(one: StepRecording) -> StepRecording:
    found = one.arrays.get(_OUTPUT)
    if found is None or found.values is None or not (found.values <= 0).all():
        return one
    return replace(one, arrays={**one.arrays, _OUTPUT: replace(found, values=np.exp(found.values))})
