"""A loss of logits that is given what a sigmoid made of them."""

from __future__ import annotations

from auditor.compare.profile import Profile


def by_sigmoid(side: Profile) -> bool:
    """Whether PyTorch's loss of logits is given what a sigmoid made; Keras goes back to the logits by itself."""
    ends = {one.facts.get("output_activation") for one in side.evidence.steps} - {None}
    logits = str(side.value("loss.takes")) == "logits" and side.value("loss.function") == "binary cross entropy"
    return side.framework == "torch" and logits and ends == {"sigmoid"} and _of_output(side)


def _of_output(side: Profile) -> bool:
    """Whether the loss is of the model's output, and of nothing that the program made of it."""
    told = [one.facts.get("loss") for one in side.evidence.steps]
    graphs = [graph for one in told if isinstance(one, dict) and isinstance(graph := one.get("graph"), list) and graph]
    return bool(graphs) and all((graph[-1].get("inputs") or [None])[0] == "output0" for graph in graphs)
