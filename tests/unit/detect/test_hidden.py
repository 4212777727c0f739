from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array

RNG = np.random.default_rng(2)
LABELS = np.arange(32) % 4


def softmax(logits: Any) -> Any:
    """Rows that sum to 1."""
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def judge(
    middle: Any, *, fed: bool = True, kinds: tuple[str, str] = ("Linear", "Softmax"), after: str = "", steps: int = 4
) -> list[Finding]:
    """What is said of a model whose layer ``middle`` comes before the linear ``out``; ``fed``: whether it feeds it."""
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="torch")
    sender.manifest({"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": True}})
    weight, bias = RNG.normal(size=(4, middle.shape[1])), RNG.normal(size=4)
    given = (middle if fed else RNG.normal(size=middle.shape)) @ weight.T + bias
    made = np.maximum(given, 0) if after == "relu" else given
    layers = [
        {"name": "middle", "kind": kinds[0], "activation": "softmax" if kinds[0] == "Dense" else None},
        {"name": "sm", "kind": kinds[1], "activation": None},
        {"name": "drop", "kind": "Dropout", "activation": None},
        {"name": "out", "kind": "Linear", "activation": after or None},
    ]
    if kinds[0] == "Dense":
        del layers[1]
    arrays = [
        array("activation", "middle" if kinds[0] == "Dense" else "sm", middle),
        array("activation", "out", made),
        array("weight", "out.weight", weight),
        array("weight", "out.bias", bias),
        array("output", "output0", given),
        array("target", "target0", LABELS),
    ]
    found: list[Finding] = []
    for step in range(1, steps + 1):
        found += sender.record(Recording(step, arrays, {"loss": 1.4}, {"layers": layers}))
    return [one for one in found if one.rule == "output_activation_mismatch"]


UNIFORM = softmax(0.3 * RNG.normal(size=(32, 64)))


@pytest.mark.parametrize("after", ["", "relu"])
def test_a_softmax_in_the_middle_is_proven_by_the_weights_after_it(after: str) -> None:
    """Its rows times the next layer's weights are what that gave; dropout between them does not hide it."""
    [found] = judge(UNIFORM, after=after)
    assert (found.step, found.subject.name, found.evidence["units"]) == (2, "sm", 64)
    assert found.evidence["entropy"] > 0.95


def test_keras_says_it_as_an_activation() -> None:
    """Dense(64, activation="softmax")."""
    [found] = judge(UNIFORM, kinds=("Dense", ""))
    assert found.subject.name == "middle"


@pytest.mark.parametrize(
    ("middle", "more"),
    [
        (UNIFORM, {"fed": False}),  # attention, a gate: the linear layer takes something else
        (softmax(8.0 * RNG.normal(size=(32, 64))), {}),  # a choice among 64: it says which
        (softmax(RNG.normal(size=(32, 2))), {}),  # a gate of two
        (np.abs(RNG.normal(size=(32, 64))), {}),  # no softmax at all
        (UNIFORM, {"kinds": ("Linear", "ReLU")}),
        (UNIFORM, {"steps": 1}),
    ],
)
def test_softmax_where_it_belongs_is_left_alone(middle: Any, more: dict[str, Any]) -> None:
    """Attention, gates, choices; and one recording is no proof."""
    assert judge(middle, **more) == []
