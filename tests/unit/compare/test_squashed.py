"""A sigmoid before a loss of logits, in PyTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.compare.identify.fact import Fact, Facts
from auditor.compare.profile import Profile
from auditor.compare.recognise import squashed
from auditor.ingest.records import StepRecording
from support.tiny import Tiny

GRAPH = {"op": "BinaryCrossEntropyWithLogits", "inputs": ["output0", None]}
WORKED_OUT = {**GRAPH, "inputs": [None, None]}


def run(end: str | None, node: dict[str, Any], takes: str, framework: str) -> Profile:
    """A run whose output ends so, and whose loss takes this."""
    known = Facts()
    known.add(Fact("loss.takes", takes))
    known.add(Fact("loss.function", "binary cross entropy"))
    side = replace(Tiny(steps=1).profile(), facts=known, framework=framework)
    told: dict[str, Any] = {"loss": {"graph": [node]}}
    steps = (StepRecording(0, 0, 1, facts=told), StepRecording(0, 0, 2, facts={**told, "output_activation": end}))
    return replace(side, evidence=replace(side.evidence, steps=steps))


@pytest.mark.parametrize(
    ("end", "node", "takes", "framework", "told"),
    [
        ("sigmoid", GRAPH, "logits", "torch", True),
        ("linear", GRAPH, "logits", "torch", False),
        (None, GRAPH, "logits", "torch", False),
        ("sigmoid", WORKED_OUT, "logits", "torch", False),
        ("sigmoid", GRAPH, "probabilities", "torch", False),
        ("sigmoid", GRAPH, "logits", "keras", False),
    ],
)
def test_a_sigmoid_before_a_loss_of_logits_is_told(
    end: str | None, node: dict[str, Any], takes: str, framework: str, *, told: bool
) -> None:
    """Of the model's own output; Keras goes back to the logits by itself."""
    assert squashed.by_sigmoid(run(end, node, takes, framework)) is told
