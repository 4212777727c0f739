"""A sigmoid before a loss of logits, in PyTorch."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.identify.fact import Fact, Facts
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import loss, squashed
from auditor.ingest.records import StepRecording
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Tiny, array

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


SIGMOID = {"op": "Sigmoid", "inputs": ["output0"]}
FLAT = {"op": "Squeeze", "inputs": [2]}


@pytest.mark.parametrize(
    ("nodes", "told"),
    [
        ([{**GRAPH, "inputs": [1, None]}, SIGMOID], True),
        ([{**GRAPH, "inputs": [1, None]}, FLAT, SIGMOID], True),
        ([{**GRAPH, "inputs": [1, None]}, {"op": "Tanh", "inputs": ["output0"]}], False),
        ([{**GRAPH, "inputs": [1, None]}, {"op": "Mul", "inputs": [2, None]}, SIGMOID], False),
        ([{"op": "MseLoss", "inputs": [1, None]}, SIGMOID], False),
    ],
)
def test_a_sigmoid_that_the_loop_puts_before_a_loss_of_logits_is_told(
    nodes: list[dict[str, Any]], *, told: bool
) -> None:
    """Reshaped or not; what is scaled after it is another matter, as is a loss that is of no logits."""
    side = run("linear", GRAPH, "logits", "torch")
    steps = tuple(replace(one, facts={**one.facts, "loss": {"graph": nodes}}) for one in side.evidence.steps)
    assert squashed.by_sigmoid(replace(side, evidence=replace(side.evidence, steps=steps))) is told


def shared(axis: int, *, logs: bool, seed: int = 0) -> Profile:
    """A run whose outputs are shares along an axis, or the logarithms of such."""
    rng = np.random.default_rng(seed)
    steps = []
    for at in range(1, 5):
        powers = np.exp(rng.standard_normal((16, 5)))
        shares = powers / powers.sum(axis=axis, keepdims=True)
        given = (np.log(shares) if logs else shares).astype(np.float32)
        steps.append(Recording(at, [array("output", "NllLoss.input" if logs else "output0", given)]))
    return profile("a", "torch", assembled(steps), Beside(last_step=4))


@pytest.mark.parametrize("logs", [True, False])
def test_a_softmax_over_the_samples_is_told(logs: bool) -> None:
    """By what the outputs add up to; along the classes on both sides nothing is."""
    wrong, right = shared(0, logs=logs), shared(1, logs=logs, seed=1)
    assert ("FWD-22", "softmax.over") in [(one.id, one.parameter) for one in diagnose(wrong, right).causes]
    assert not squashed.along_batch(right)
    for same in (shared(0, logs=logs, seed=2), wrong):
        assert "softmax.over" not in [one.parameter for one in diagnose(wrong, same).causes]


def test_numbers_without_a_softmax_are_shares_of_nothing() -> None:
    """Nor is one column, nor are a few steps."""
    assert not squashed.along_batch(Tiny().profile())
    assert not squashed.along_batch(replace(shared(0, logs=False), evidence=Tiny(steps=1).profile().evidence))


@pytest.mark.parametrize("within", [True, False])
def test_logits_that_the_loop_puts_through_a_sigmoid_are_not_taken_for_probabilities(*, within: bool) -> None:
    """The model ends in logits; its loss of probabilities is given those."""
    side = run("linear", GRAPH, "probabilities", "torch")
    node = {"op": "BinaryCrossEntropy", "inputs": [1 if within else "output0", None]}
    graph = {"graph": [node, SIGMOID] if within else [node]}
    output = assembled([Recording(1, [array("output", "output0", np.array([[-2.0], [3.0]], np.float32))])])[0]
    steps = tuple(replace(one, facts={"loss": graph}, arrays=output.arrays) for one in side.evidence.steps)
    assert loss._mistaken(replace(side, evidence=replace(side.evidence, steps=steps))) is not within
