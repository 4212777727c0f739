"""Models of several outputs: each is held against its own target and loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(7)
RULES = {"softmax_twice", "logits_as_probabilities", "output_activation_mismatch", "label_range"}
CROSS = "SparseCategoricalCrossentropy"


def softmax(logits: Any) -> Any:
    """Rows of probabilities."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def test_every_output_of_several_is_held_against_its_own_target_and_loss() -> None:
    """Amounts out of a tanh's reach, and logits taken for probabilities, each beside a head that is as it should be."""
    amounts, kinds = RNG.normal(40, 9, (32, 1)), RNG.integers(0, 3, 32)
    bounded, raw = np.tanh(RNG.normal(size=(32, 1))), RNG.normal(0, 3, (32, 3))
    mean, cross = {"class": "MeanSquaredError"}, {"class": CROSS, "from_logits": False}

    def head(name: str, at: int, loss: dict[str, Any], activation: str) -> dict[str, Any]:
        return {
            "name": name,
            "output": f"output{at}",
            "target": f"target{1 - at}",
            "loss": loss,
            "activation": activation,
        }

    def heard(first: Any, second: Any, ends: tuple[str, str]) -> list[tuple[str, str]]:
        """Rules and outputs; the targets come in the other order."""
        told = [head("size", 0, mean, ends[0]), head("kind", 1, cross, ends[1])]
        sender = Sender(RunAuditor(RUN))
        sender.start(framework="keras")
        sender.manifest({"model": {"layers": [{"class": "Dense", "activation": "relu"}]}})
        found: list[Finding] = []
        for step in range(1, 5):
            arrays = [array("output", "output0", first), array("output", "output1", second)]
            arrays += [array("target", "target0", kinds), array("target", "target1", amounts)]
            found += sender.record(Recording(step, arrays, {"loss": 900.0}, {"heads": told}))
        return [(one.rule, one.subject.name) for one in found if one.rule in RULES and one.step == 3]

    assert heard(bounded, softmax(raw), ("tanh", "softmax")) == [("output_activation_mismatch", "size")]
    assert heard(amounts + 1, raw, ("linear", "linear")) == [("logits_as_probabilities", "kind")]
    assert heard(amounts + 1, softmax(raw), ("linear", "softmax")) == []


def test_one_output_that_comes_right_clears_its_own_alert_only() -> None:
    """Of two heads out of reach one is mended at the fifth step; the other stays said."""
    far, near = np.full((32, 1), 30.0) + np.arange(32)[:, None], 1 / (1 + np.exp(-RNG.normal(size=(32, 1))))
    told = [
        {"name": n, "output": f"output{at}", "target": f"target{at}", "loss": {"class": "Huber", "name": "huber"}}
        | {"activation": "sigmoid"}
        for at, n in enumerate("ab")
    ]
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="keras")
    sender.manifest({})
    last: list[Finding] = []
    for step in range(1, 6):
        targets = [far if step < 5 else near, far]
        arrays = [
            array(role, f"{role}{at}", v) for at in (0, 1) for role, v in (("output", near), ("target", targets[at]))
        ]
        last = sender.record(Recording(step, arrays, {"loss": 900.0}, {"heads": told}))
    said = {one.subject.name: one.cleared for one in last if one.rule == "output_activation_mismatch"}
    assert said == {"a": True, "b": False}


def test_heads_of_a_torch_graph_are_known_by_their_operations() -> None:
    """Amounts that a ReLU cannot reach, beside classes; an embedding that comes first and has no loss."""
    logits, kinds = RNG.normal(size=(32, 3)), RNG.integers(0, 3, 32)
    amounts, positive = RNG.normal(size=(32, 2)), np.abs(RNG.normal(size=(32, 2)))

    def heard(second: Any, labels: Any, end: str, *, first: bool = True) -> list[tuple[str, str]]:
        cross = {"name": "output0", "output": "output0", "target": "loss.target", "loss": {"operation": "CrossEntropy"}}
        error = {"name": "output1", "output": "output1", "target": "loss.target/1", "loss": {"operation": "MseLoss"}}
        told = [cross | {"activation": "linear"}] if first else []
        sender = Sender(RunAuditor(RUN))
        sender.start(framework="torch")
        found: list[Finding] = []
        for step in range(1, 4):
            arrays = [array("output", "output0", logits), array("output", "output1", second)]
            arrays += [array("target", "loss.target", labels), array("target", "loss.target/1", amounts)]
            facts = {"heads": [*told, error | {"activation": end}], "loss": {"operation": "CrossEntropy"}}
            found += sender.record(Recording(step, arrays, {"loss": 2.0}, facts))
        return [(one.rule, one.subject.name) for one in found if one.rule in RULES]

    assert heard(positive, kinds, "relu") == [("output_activation_mismatch", "output1")]
    assert heard(positive, kinds, "relu", first=False) == [("output_activation_mismatch", "output1")]
    assert heard(amounts + 0.1, kinds, "linear") == []
    assert heard(amounts + 0.1, kinds + 1, "linear") == [("label_range", "output0")]


@pytest.mark.parametrize("owner", ["output0", "output1"])
def test_the_cost_of_guessing_takes_no_other_outputs_target(owner: str) -> None:
    """Two outputs of one shape: the target that comes first may be the second one's."""
    tensors, auditor = table(), RunAuditor(RUN)
    sender = Sender(auditor)
    sender.start(framework="torch")
    binary = {"operation": "BinaryCrossEntropyWithLogits"}
    told = [{"name": owner, "output": owner, "target": "loss.target", "loss": binary}]
    for step in range(1, 11):
        arrays = [array("output", f"output{at}", np.zeros((32, 1))) for at in (0, 1)]
        arrays += [array("target", "loss.target", RNG.integers(0, 2, (32, 1)).astype(float))]
        sender.record(Recording(step, arrays, {"loss": 0.7}, {"loss": binary, "heads": told}))
    sender.steps(batch(0, tensors, first=1, steps=50, loss=np.full(50, 0.7)), tensors)
    rule = next(one for one in auditor._lanes[0, 0].rules if one.id == "loss_oscillating")
    assert (rule.memory.cost.chance is not None) is (owner == "output0")
