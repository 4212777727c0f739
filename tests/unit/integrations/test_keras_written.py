"""Activations that are several operations of TensorFlow, told by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor_agent.integrations.keras.operations import Order, facts

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow


def told(function: Callable[[Any, Any], Any]) -> list[str]:
    """What a traced step tells between two layers; ``function`` is given a layer for its gates as well."""
    first, gate, last = (keras.layers.Dense(4) for _ in range(3))
    for layer in (first, gate, last):
        layer.build((3, 4))
    found: list[str] = []

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        given = last(function(first(x), gate))
        operations = (facts(order, given) or {})["operations"]
        found.extend(str(one["op"]) + ("tanh" if one.get("approximate") else "") for one in operations)
        return given

    step(tf.ones((3, 4)))
    return [one for one in found if one != "Dense"]


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u, _: keras.ops.gelu(u, approximate=False), ["gelu"]),
        (lambda u, _: tf.nn.gelu(u, approximate=True), ["gelutanh"]),
        (lambda u, _: 0.5 * u * (1 + tf.tanh(0.798 * (u + 0.0447 * tf.pow(u, 3)))), ["gelutanh"]),
        (lambda u, _: 0.5 * u * (1 + tf.math.erf(u / tf.sqrt(2.0))), ["gelu"]),
        (lambda u, _: tf.nn.silu(u), ["silu"]),
        (lambda u, _: u * tf.sigmoid(u), ["silu"]),
        (lambda u, _: keras.activations.mish(u), ["mish"]),
        (lambda u, gate: keras.ops.silu(u + gate(u)), ["add", "silu"]),
        (lambda u, _: tf.tanh(u), ["tanh"]),
        (lambda u, gate: u * tf.sigmoid(gate(u)), ["sigmoid"]),
        (lambda u, _: tf.tanh(u) * tf.sigmoid(u), ["tanh", "sigmoid"]),
    ],
)
def test_what_several_operations_compute_is_told_by_its_name(
    function: Callable[[Any, Any], Any], expected: list[str]
) -> None:
    """A library's and a program's own; a gate is none."""
    assert told(function) == expected
