"""A dropout that is called as a function of TensorFlow, or written out between two layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor_agent.integrations.keras.operations import facts
from auditor_agent.integrations.keras.order import Order
from auditor_agent.integrations.keras.shares import static_number

tf = pytest.importorskip("tensorflow")
keras = pytest.importorskip("keras")
pytestmark = pytest.mark.slow


def told(function: Callable[[Any], Any], *, inner: bool = True) -> list[dict[str, Any]]:
    """What a traced step tells of a function between two layers, or of the plain inputs of one."""
    first, last = (keras.layers.Dense(4) for _ in range(2))
    for layer in (first, last):
        layer.build((3, 4))
    found: list[dict[str, Any]] = []

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        given = last(function(first(x) if inner else x))
        found.extend((facts(order, given) or {})["operations"])
        return given

    step(tf.ones((3, 4)))
    return [one for one in found if one["op"] != "Dense"]


def coin(h: Any, kept: float) -> Any:
    """Ones and zeros."""
    return tf.cast(tf.random.uniform(tf.shape(h)) < kept, h.dtype)


DROPOUT = {"op": "dropout", "rate": pytest.approx(0.3)}
UNSCALED = {**DROPOUT, "inverted": False}
WAYS: dict[str, tuple[Callable[[Any], Any], dict[str, Any]]] = {
    "library": (lambda h: tf.nn.dropout(h, 0.3), DROPOUT),
    "keras": (lambda h: keras.random.dropout(h, 0.3, seed=1), DROPOUT),
    "divided after": (lambda h: h * coin(h, 0.7) / 0.7, DROPOUT),
    "divided before": (lambda h: coin(h, 0.7) * (h / 0.7), DROPOUT),
    "divided mask": (lambda h: h * (coin(h, 0.7) / 0.7), DROPOUT),
    "chosen": (lambda h: tf.where(tf.random.uniform(tf.shape(h)) >= 0.3, h / 0.7, 0.0), DROPOUT),
    "zeroed": (lambda h: tf.where(tf.random.uniform(tf.shape(h)) < 0.3, tf.zeros_like(h), h / 0.7), DROPOUT),
    "floor": (lambda h: h * tf.floor(0.7 + tf.random.uniform(tf.shape(h))) * (1 / 0.7), DROPOUT),
    "range": (lambda h: h * tf.cast(tf.random.uniform(tf.shape(h), -1, 1) > -0.4, h.dtype) / 0.7, DROPOUT),
    "rows": (lambda h: h * coin(h[:, :1], 0.7) / 0.7, DROPOUT),
    "unscaled": (lambda h: h * coin(h, 0.7), UNSCALED),
    "chosen, unscaled": (lambda h: tf.where(tf.random.uniform(tf.shape(h)) < 0.7, h, 0.0), UNSCALED),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_dropout_is_known_by_what_it_does(way: str) -> None:
    """Its rate, and whether what is kept is made larger for it."""
    function, expected = WAYS[way]
    assert told(function) == [expected]


OTHERS: dict[str, Callable[[Any], Any]] = {
    "another number": lambda h: h * coin(h, 0.7) * 3.0,
    "no zero": lambda h: tf.where(tf.random.uniform(tf.shape(h)) < 0.7, h / 0.7, 0.1),
    "a rate that is not known": lambda h: h * tf.cast(tf.random.uniform(tf.shape(h)) < tf.random.uniform([]), h.dtype),
    "no coin": lambda h: h * tf.cast(h > 0.3, h.dtype),
    "noise": lambda h: h * tf.random.uniform(tf.shape(h)),
}


@pytest.mark.parametrize("other", OTHERS)
def test_what_is_none_is_arithmetic(other: str) -> None:
    """Of which nobody says what it is."""
    assert [one["op"] for one in told(OTHERS[other])] == ["arithmetic"]


def test_of_plain_inputs_an_inverted_dropout_alone_is_told() -> None:
    """What is hidden of them otherwise may be what is to be rebuilt."""
    assert told(lambda x: tf.nn.dropout(x, 0.3), inner=False) == [DROPOUT]
    assert told(lambda x: x * coin(x, 0.7), inner=False) == []


def test_a_number_is_looked_for_a_few_operations_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of residual blocks in mixed precision there are thousands, each a sum of two: the guest must not walk them."""
    looked, known = [], tf.get_static_value
    monkeypatch.setattr(tf, "get_static_value", lambda tensor: looked.append(tensor) or known(tensor))

    @tf.function
    def step(x: Any) -> Any:
        made = x
        for _ in range(400):
            made = tf.cast(made + tf.cast(made * made, tf.float32), tf.float32)
        looked.clear()
        assert static_number(made) is None
        assert len(looked) <= 20
        assert static_number(tf.sqrt(tf.cast(tf.shape(x)[-1], tf.float32)) * 0.5 + 1.0) == 2.0
        return made

    step(tf.ones((3, 4)))
