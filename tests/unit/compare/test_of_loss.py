"""What is added in a loss that the model works out itself is no residual connection."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import forward
from auditor.ingest.records import Recorded, StepRecording

Node = dict[str, Any]


def added(*shape: int, given: tuple[int, ...] | None = None, inputs: tuple[Any, Any] = (1, 2)) -> Node:
    """A sum in a loss, of terms of its own shape unless ``given`` says which the second is of."""
    shapes = [list(shape), list(shape if given is None else given)]
    return {"op": "Add", "shape": list(shape), "inputs": list(inputs), "input_shapes": shapes}


def side(output: tuple[int, ...], *terms: Node, sums: int = 0, after: str = "", between: str = "") -> Profile:
    """Two layers and so many sums to what the model gave; the loss is made of these."""
    layers = [{"name": name, "class": "Linear", "in_features": 4, "out_features": 4} for name in ("one", "two")]
    operations = [{"layer": "one"}, *_of(between), {"layer": "two"}, *({"op": "add"} for _ in range(sums)), *_of(after)]
    values = np.zeros(output)
    arrays = {("output", "output0"): Recorded("output", "output0", "float32", output, values.size, values.ravel())}
    loss = {"operation": "arithmetic", "graph": [{"op": "Neg", "shape": [], "inputs": [1]}, *terms]}
    step = StepRecording(0, 0, 1, arrays, facts={"operations": operations, "loss": loss, "phase": "train"})
    return profile("r", "torch", [step], Beside({"model": {"layers": layers}}))


def _of(function: str) -> list[Node]:
    return [{"op": function}] if function else []


def told(a: Profile, b: Profile) -> list[str]:
    """What is found of the two networks."""
    return [one.parameter for one in forward.causes(a, b)]


@pytest.mark.parametrize("shape", [(), (32,)])
def test_terms_of_a_loss_that_the_model_gives_are_no_block(shape: tuple[int, ...]) -> None:
    """Of a batch or of each sample: beside a program that works it out after its model."""
    assert not told(side((), added(*shape), sums=1), side((32, 4), added(*shape)))
    assert not told(side((), added(*shape), added(*shape), sums=2), side((32, 4)))


def test_a_block_of_such_a_model_is_told_all_the_same() -> None:
    """What it adds is as wide as a layer, and lies before one of them or behind the last."""
    assert told(side((), added(), sums=2), side((32, 4), added())) == ["forward.sums"]
    assert told(side((), added(), added(32, 4), sums=2), side((32, 4), added())) == ["forward.sums"]


def test_of_a_loss_after_the_model_no_sum_is_the_models() -> None:
    """Its graph begins where the model ends: whatever it adds, the model's blocks are told."""
    assert told(side((32, 4), added(), sums=1), side((32, 4), added())) == ["forward.sums"]


def test_what_no_operation_counts_is_not_taken_off() -> None:
    """A number added to a term, or a term to a table: the model's graph tells neither as a sum of two."""
    others = [added(inputs=(1, None)), added(32, given=(1,))]
    for one in others:
        assert told(side((), one, sums=1), side((32, 4))) == ["forward.sums"]


def test_a_function_behind_the_last_layer_of_such_a_model_may_be_the_losss() -> None:
    """A logarithm of a sigmoid that the other program has in its loss; whatever the other has there may be in this."""
    assert not told(side((), after="logsigmoid"), side((32, 4)))
    assert not told(side(()), side((32, 4), after="relu"))
    assert told(side((), between="relu"), side((32, 4))) == ["forward.activation"]
