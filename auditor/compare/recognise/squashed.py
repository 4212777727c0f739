"""A loss of logits that is given what a sigmoid made of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np

from auditor.compare.identify.evidence import F64, data
from auditor.compare.profile import Profile

#: Rounding of a sum of shares, and steps that must show it.
_ONE: Final = 1e-3
_FEWEST: Final = 3
#: PyTorch's loss of probabilities.
OF_SHARES: Final = "BinaryCrossEntropy"
#: Its loss of logits, and what changes the shape of what it is given and nothing else.
_LOSS: Final = "BinaryCrossEntropyWithLogits"
_RESHAPED: Final = frozenset({"Squeeze", "Unsqueeze", "View", "ReshapeAlias", "UnsafeView"})


def by_sigmoid(side: Profile) -> bool:
    """Whether PyTorch's loss of logits is given what a sigmoid made; Keras goes back to the logits by itself."""
    ends = {one.facts.get("output_activation") for one in side.evidence.steps} - {None}
    logits = str(side.value("loss.takes")) == "logits" and side.value("loss.function") == "binary cross entropy"
    if side.framework != "torch" or not logits:
        return False
    return (ends == {"sigmoid"} and _of_output(side)) or within_loss(side, _LOSS)


def within_loss(side: Profile, loss: str) -> bool:
    """Whether a sigmoid stands between PyTorch's model and this loss of its, in every step that tells."""
    told = [one.facts.get("loss") for one in side.evidence.steps]
    graphs = [graph for one in told if isinstance(one, dict) and isinstance(graph := one.get("graph"), list) and graph]
    return bool(graphs) and all(_through_sigmoid(graph, loss) for graph in graphs)


def _through_sigmoid(graph: Sequence[Mapping[str, Any]], loss: str) -> bool:
    """Whether what the loss is given, perhaps reshaped, is a sigmoid of the output, perhaps reshaped."""
    node, passed = next((one for one in graph if one.get("op") == loss), None), False
    while node is not None:
        given = (node.get("inputs") or [None])[0]
        if given == "output0":
            return passed
        node = graph[given] if isinstance(given, int) and given < len(graph) else None
        op = None if node is None else node.get("op")
        if op == "Sigmoid":
            passed = True
        elif op not in _RESHAPED:
            return False
    return False


def _of_output(side: Profile) -> bool:
    """Whether the loss is of the model's output, and of nothing that the program made of it."""
    told = [one.facts.get("loss") for one in side.evidence.steps]
    graphs = [graph for one in told if isinstance(one, dict) and isinstance(graph := one.get("graph"), list) and graph]
    return bool(graphs) and all((graph[-1].get("inputs") or [None])[0] == "output0" for graph in graphs)


def along_batch(side: Profile) -> bool:
    """Whether outputs are shares of the samples of a batch, and not of the classes: a softmax over the wrong axis.

    As they are, or as the logarithms of what they are.
    """
    given = ((data(one, "output", "output0"), data(one, "output", "NllLoss.input")) for one in side.evidence.steps)
    outputs = [found for pair in given if (found := next((one for one in pair if one is not None), None)) is not None]
    return len(outputs) >= _FEWEST and all(
        _columns(output) or _columns(np.exp(np.minimum(output, 1))) for output in outputs
    )


def _columns(output: F64) -> bool:
    if output.ndim != len(("rows", "classes")) or min(output.shape) < len("ab") or output.min() < 0:
        return False
    return bool(np.allclose(output.sum(axis=0), 1, atol=_ONE)) and not np.allclose(output.sum(axis=1), 1, atol=_ONE)
