"""Activations of straight pieces or of another one, and functions that may be a part of one: both frameworks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor.compare.recognise import forward
from auditor.compare.structure import structure
from auditor_agent.integrations.keras.operations import facts
from auditor_agent.integrations.keras.order import Order
from auditor_agent.integrations.torch.operations import operations

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow

AROUND = {"around": True}


def of_keras(function: Callable[[Any], Any]) -> list[dict[str, Any]]:
    """What a traced step tells between two products."""
    first, last = (tf.Variable(tf.ones((4, 4))) for _ in range(2))
    found: list[dict[str, Any]] = []

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        given = function(x @ first) @ last
        found.extend((facts(order, given) or {})["operations"])
        return given

    step(tf.ones((3, 4)))
    return [one for one in found if one["op"] not in {"Dense", "arithmetic"}]


def of_torch(function: Callable[[Tensor], Tensor]) -> list[dict[str, Any]]:
    """What stands between two layers."""
    first, last = nn.Linear(4, 4), nn.Linear(4, 4)
    found = operations([last(function(first(torch.randn(3, 4))))], {}, {})
    return [one for one in found if one["op"] not in {"dense", "arithmetic"}]


def plainly(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """With slopes rounded."""
    return [{**one, **({"slope": round(one["slope"], 3)} if "slope" in one else {})} for one in found]


NAMED: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "Keras's hard sigmoid": (keras.activations.hard_sigmoid, {"op": "hardsigmoid", "slope": 0.167}),
    "by relu6": (lambda u: tf.nn.relu6(u + 3.0) * (1 / 6), {"op": "hardsigmoid", "slope": 0.167}),
    "clipped": (lambda u: tf.clip_by_value(u / 6 + 0.5, 0.0, 1.0), {"op": "hardsigmoid", "slope": 0.167}),
    "of Keras 2": (lambda u: tf.clip_by_value(0.2 * u + 0.5, 0.0, 1.0), {"op": "hardsigmoid", "slope": 0.2}),
    "bounded in the other order": (
        lambda u: tf.minimum(1.0, tf.maximum(0.0, 0.2 * u + 0.5)), {"op": "hardsigmoid", "slope": 0.2}
    ),
    "of slope one": (lambda u: tf.clip_by_value(u + 0.5, 0.0, 1.0), {"op": "hardsigmoid", "slope": 1.0}),
    "Keras's hard SiLU": (keras.activations.hard_silu, {"op": "hardswish"}),
    "multiplied before it is divided": (lambda u: u * tf.nn.relu6(u + 3.0) / 6.0, {"op": "hardswish"}),
    "clipped and multiplied": (lambda u: u * tf.clip_by_value(u / 6 + 0.5, 0.0, 1.0), {"op": "hardswish"}),
    "Keras's log sigmoid": (keras.activations.log_sigmoid, {"op": "logsigmoid"}),
}  # fmt: skip

OTHERS: dict[str, tuple[Callable[[Any], Any], list[dict[str, Any]]]] = {
    "relu6": (tf.nn.relu6, [{"op": "relu6"}]),
    "of another shift": (lambda u: tf.nn.relu6(u + 2.0) / 6.0, [{"op": "relu6", **AROUND}]),
    "divided by another number": (lambda u: tf.nn.relu6(u + 3.0) / 5.0, [{"op": "relu6", **AROUND}]),
    "softplus": (tf.nn.softplus, [{"op": "softplus"}]),
    "softplus of what was turned": (lambda u: tf.nn.softplus(-u), [{"op": "softplus"}]),
    "other bounds": (lambda u: tf.clip_by_value(0.2 * u + 0.5, 0.0, 2.0), []),
    "a gate of its slope": (
        lambda u: u * tf.clip_by_value(0.2 * u + 0.5, 0.0, 1.0), []
    ),
    "a logarithm": (lambda u: tf.math.log(tf.sigmoid(u)), [{"op": "sigmoid", **AROUND}]),
    "numbers on both sides": (lambda u: 2.0 * tf.sigmoid(2.0 * u) - 1.0, [{"op": "sigmoid", **AROUND}]),
    "a number behind it": (lambda u: 2.0 * tf.tanh(u), [{"op": "tanh"}]),
}  # fmt: skip


@pytest.mark.parametrize("case", NAMED)
def test_what_is_made_of_pieces_is_told_by_its_name(case: str) -> None:
    """A library's and a program's own."""
    function, expected = NAMED[case]
    assert plainly(of_keras(function)) == [expected]


@pytest.mark.parametrize("case", OTHERS)
def test_what_only_looks_like_it_is_told_as_it_is(case: str) -> None:
    """Of other numbers; a function among numbers may be a part of another one."""
    function, expected = OTHERS[case]
    told = [one for one in of_keras(function) if one["op"] != "shift"]
    assert told == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u: functional.relu6(u + 3) / 6, [{"op": "relu6", **AROUND}]),
        (lambda u: u * functional.relu6(u + 3) / 6, [{"op": "relu6", **AROUND}]),
        (lambda u: -functional.softplus(-u), [{"op": "softplus", **AROUND}]),
        (lambda u: torch.log(torch.sigmoid(u)), [{"op": "sigmoid", **AROUND}]),
        (lambda u: 2 * torch.sigmoid(2 * u) - 1, [{"op": "sigmoid", **AROUND}]),
        (lambda u: 2 * torch.tanh(u), [{"op": "tanh"}]),
        (lambda u: torch.tanh(2 * u), [{"op": "tanh"}]),
        (lambda u: torch.tanh(u) + 3, [{"op": "tanh"}, {"op": "shift"}]),
    ],
)
def test_a_function_among_numbers_may_be_a_part_of_another(
    function: Callable[[Tensor], Tensor], expected: list[dict[str, Any]]
) -> None:
    """In PyTorch; what is added is told no more where it belongs to it."""
    told = [{key: one[key] for key in ("op", "around") if key in one} for one in of_torch(function)]
    assert told == expected


def network(framework: str, *between: Mapping[str, Any]) -> Any:
    """Two layers with something in between."""
    dense = {"class": "Linear" if framework == "torch" else "Dense", "in_features": 4, "out_features": 4, "units": 4}
    layers = [{**dense, "name": name} for name in ("one", "two")]
    ran = [{"layer": "one"}, *between, {"layer": "two"}]
    return structure(framework, {"model": {"class": "M", "layers": layers}}, [{"operations": ran}], None)


@pytest.mark.parametrize("framework", ["torch", "tensorflow"])
def test_such_a_function_is_an_activation_without_a_name(framework: str) -> None:
    """Nobody takes it for the function that it is a part of."""
    found = [
        [one.settings for one in network(framework, {"op": "relu6", **more}).operations if one.kind == "activation"]
        for more in ({}, AROUND)
    ]
    assert found == [[{"function": "relu6"}], [{}]]


def test_a_hard_sigmoid_of_another_slope_is_another() -> None:
    """PyTorch's has a slope of a sixth; so has Keras 3's."""
    slopes = [
        network("tensorflow", {"op": "hardsigmoid", "slope": slope}).operations[1].settings["slope"]
        for slope in (1 / 6, 0.16666667, 0.2)
    ]
    own = network("torch", {"op": "hardsigmoid"}).operations[1].settings["slope"]
    assert slopes == [own, own, 0.2]
    assert forward._ENTRIES["hardsigmoid.slope"] == "FWD-10"
