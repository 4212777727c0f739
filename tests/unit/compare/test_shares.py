"""Shares that a program of TensorFlow gives to Keras's loss, which clips them and goes back to logits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.identify import shares
from auditor.compare.identify.losses import log_softmax
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

ROWS, CLASSES, STEPS = 30, 5, 8
LOGITS = {"op": "SparseSoftmaxCrossEntropyWithLogits", "inputs": [2, None]}
MEAN = {"op": "Mean", "inputs": [1]}


def graph(*above: str) -> list[dict[str, Any]]:
    """A mean of cross entropies of logits, which these operations made of the output, the last one first."""
    last = len(above) + 1
    made = [{"op": name, "inputs": [at if at <= last else "output0"]} for at, name in enumerate(above, 3)]
    return [MEAN, LOGITS, *made]


CLIPPED = graph("Log", "Maximum", "Minimum", "Softmax")


def run(framework: str, size: float, nodes: list[dict[str, Any]] | None, seed: int = 0) -> Profile:
    """Recorded logits of this size; clipped to the shares that the function makes of them where the graph says so."""
    rng, found = np.random.default_rng(seed), []
    for at in range(STEPS):
        logits, classes = size * rng.normal(size=(ROWS, CLASSES)), rng.integers(0, CLASSES, ROWS)
        if nodes is CLIPPED:
            logits = np.log(np.clip(np.exp(log_softmax(logits)), 1e-7, 1 - 1e-7))
        loss = -log_softmax(logits)[np.arange(ROWS), classes].mean()
        arrays = [array("output", "output0", logits), array("target", "target0", classes)]
        found.append(Recording(at + 1, arrays, {"loss": float(loss)}, {"loss": {"graph": nodes or []}}))
    return profile("a", framework, assembled(found), Beside())


def told(a: Profile, b: Profile) -> list[str]:
    """Ids of what is said of the losses."""
    return [one.id for one in diagnose(a, b).causes if one.id.startswith("LOSS")]


def test_shares_that_are_clipped_are_told_by_the_graph() -> None:
    """And by how much of the gradient is lost: of small logits nothing is."""
    found = run("tensorflow", 12.0, CLIPPED)
    assert found.value("loss.takes") == "probabilities, clipped at 1e-7"
    assert told(run("torch", 12.0, None, 1), found) == ["LOSS-06"]
    assert told(run("torch", 1.0, None, 1), run("tensorflow", 1.0, CLIPPED)) == []


@pytest.mark.parametrize("above", [(), ("Softmax",), ("Log", "Softmax"), ("Log", "Maximum", "Softmax", "Tanh")])
def test_other_graphs_clip_nothing(above: tuple[str, ...]) -> None:
    """What stands there are logits, whatever made them."""
    found = run("tensorflow", 12.0, graph(*above))
    assert found.value("loss.takes") == "logits"
    assert told(run("torch", 12.0, None, 1), found) == []


def test_a_graph_without_an_end_is_none() -> None:
    """One that refers to itself, to nothing, or that is no list of operations."""
    for nodes in ([{**LOGITS, "inputs": [0]}], [{**LOGITS, "inputs": [7]}], [LOGITS, None, "x"]):
        one = assembled([Recording(1, [], {}, {"loss": {"graph": nodes}})])[0]
        assert not shares.clipped(one)
    assert not shares.clipped(None)
