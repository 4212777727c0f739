"""Activations that are several operations of TensorFlow, told by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from auditor_agent.integrations.keras.operations import facts
from auditor_agent.integrations.keras.order import Order

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


def gated(u: Any) -> Any:
    """One half by the sigmoid of the other, twice."""
    value, gate = tf.split(u, 2, axis=-1)
    return tf.concat([value * tf.sigmoid(gate)] * 2, axis=-1)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u, _: keras.ops.gelu(u, approximate=False), ["gelu"]),
        (lambda u, _: tf.nn.gelu(u, approximate=True), ["gelutanh"]),
        (lambda u, _: 0.5 * u * (1 + tf.tanh(0.798 * (u + 0.0447 * tf.pow(u, 3)))), ["gelutanh"]),
        (lambda u, _: 0.5 * u * (1 + tf.math.erf(u / tf.sqrt(2.0))), ["gelu"]),
        (lambda u, _: tf.nn.silu(u), ["silu"]),
        (lambda u, _: u * tf.sigmoid(u), ["silu"]),
        (lambda u, _: u * tf.sigmoid(1.702 * u), ["quick_gelu"]),
        (lambda u, _: u * tf.sigmoid(u * 1.5), ["sigmoid", "arithmetic"]),
        (lambda u, _: gated(u), ["sigmoid", "arithmetic"]),
        (lambda u, _: keras.activations.mish(u), ["mish"]),
        (lambda u, gate: keras.ops.silu(u + gate(u)), ["add", "silu"]),
        (lambda u, _: tf.tanh(u), ["tanh"]),
        (lambda u, gate: u * tf.sigmoid(gate(u)), ["sigmoid", "arithmetic"]),
        (lambda u, _: tf.tanh(u) * tf.sigmoid(u), ["tanh", "sigmoid", "arithmetic"]),
        (lambda u, gate: tf.scan(lambda h, row: gate(h + row), tf.stack([u, u]))[-1], ["arithmetic"]),
        (lambda u, _: tf.cond(tf.reduce_sum(u) > 0, lambda: tf.tanh(u), lambda: u), ["arithmetic"]),
    ],
)
def test_what_several_operations_compute_is_told_by_its_name(
    function: Callable[[Any, Any], Any], expected: list[str]
) -> None:
    """A library's and a program's own; a gate is none."""
    assert told(function) == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u, _: u + tf.ones((3, 4)), ["shift"]),
        (lambda u, gate: gate(tf.stop_gradient(u)), ["stop"]),
        (lambda u, gate: gate(u - tf.stop_gradient(tf.reduce_max(u, 1, keepdims=True))), ["arithmetic", "stop"]),
        (lambda u, gate: gate(u - tf.reduce_logsumexp(u, 1, keepdims=True)), ["arithmetic", "add"]),
        (lambda u, gate: gate(u - tf.nn.moments(u, 1, keepdims=True)[1]), ["arithmetic"]),
        (lambda u, _: u / tf.sqrt(tf.reduce_mean(u * u) + 1e-6), ["arithmetic"]),
        (lambda u, gate: u * (1 + gate(u)), ["arithmetic"]),
        (lambda u, gate: 0.0 + u + gate(u), ["add"]),
        (lambda u, gate: 0.5 + u + gate(u), ["add"]),
        (lambda u, gate: 0.5 + (u + gate(u)), ["add", "shift"]),
    ],
)
def test_a_constant_that_is_added_and_a_gradient_that_is_stopped_are_told(
    function: Callable[[Any, Any], Any], expected: list[str]
) -> None:
    """Positions; not what keeps a root from zero, nor the zero that a sum begins with."""
    assert told(function) == expected


@pytest.mark.parametrize(("known", "expected"), [(True, ["shift"]), (False, [])])
def test_a_normalisation_multiplies_what_was_added_to(known: bool, expected: list[str]) -> None:
    """By what it learnt: that is no gate where the layer is known to be Keras's own."""
    first, norm = keras.layers.Dense(4), keras.layers.LayerNormalization()
    for layer in (first, norm):
        layer.build((3, 4))
    found: list[str] = []

    @tf.function
    def step(x: Any) -> Any:
        order, graph = Order(), tf.compat.v1.get_default_graph()
        added = first(x) + tf.ones((3, 4))
        begun = len(graph.get_operations())
        given = norm(added)
        if known:
            order.ran.append(("norm", begun, len(graph.get_operations())))
        found.extend(str(one.get("op")) for one in (facts(order, given) or {})["operations"])
        return given

    step(tf.ones((3, 4)))
    assert [one for one in found if one == "shift"] == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u, _: u * 0.5 / 3.0, []),
        (lambda u, _: tf.maximum(u, 0.0), ["arithmetic"]),
        (lambda u, _: u * tf.cast(tf.random.uniform(tf.shape(u)) < 0.8, u.dtype) / 0.8, ["dropout"]),
        (lambda u, _: (u - tf.reduce_mean(u, 0)) / tf.sqrt(tf.math.reduce_variance(u, 0) + 1e-5), ["arithmetic"]),
        (lambda u, gate: tf.nn.relu(u) + 0.1 * gate(u), ["relu", "add"]),
        (lambda u, gate: u + gate(u) * tf.random.uniform((3, 4)), ["arithmetic", "add"]),
    ],
)
def test_arithmetic_that_no_word_is_known_for_is_told_where_it_stands(
    function: Callable[[Any, Any], Any], expected: list[str]
) -> None:
    """A product with one number is none."""
    assert told(function) == expected


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, False),
        ({"use_causal_mask": True}, True),
        ({"attention_mask": [[at <= row for at in range(5)] for row in range(5)]}, True),
        ({"attention_mask": [[at < 3 for at in range(5)] for _ in range(5)]}, False),
    ],
)
def test_attention_that_only_looks_back_is_told_with_its_layer(settings: dict[str, Any], expected: bool) -> None:
    """By its own mask, and by one that is given."""
    layer = keras.layers.MultiHeadAttention(2, 4)
    layer(tf.ones((2, 5, 8)), tf.ones((2, 5, 8)))
    given = {key: tf.constant(value) if isinstance(value, list) else value for key, value in settings.items()}
    found: list[dict[str, Any]] = []

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        begun = order.begin()
        made = layer(x, x, **given)
        order.end(layer, begun, "att")
        found.extend((facts(order, made) or {})["operations"])
        return made

    step(tf.ones((2, 5, 8)))
    assert {"layer": "att", "causal": expected, "end": True, **({} if settings else {"padded": False})} in found


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("scores", [False, True], ids=["fused", "plain"])
def test_attention_that_leaves_out_padding_is_told_with_its_layer(masked: bool, scores: bool) -> None:
    """By a mask that comes from the words that the model is given."""
    layer, table = keras.layers.MultiHeadAttention(2, 4), keras.layers.Embedding(9, 8)
    layer(tf.ones((2, 5, 8)), tf.ones((2, 5, 8)))
    table(tf.ones((2, 5), tf.int32))
    found: list[dict[str, Any]] = []

    @tf.function
    def step(words: Any) -> Any:
        order = Order()
        x = table(words)
        begun = order.begin()
        mask = (words != 0)[:, None, :] if masked else None
        made = layer(x, x, attention_mask=mask, return_attention_scores=scores)
        made = made[0] if scores else made
        order.end(layer, begun, "att")
        found.extend((facts(order, made) or {})["operations"])
        return made

    step(tf.ones((2, 5), tf.int32))
    assert {"layer": "att", "causal": False, "padded": masked, "end": True} in found


@pytest.mark.parametrize("causal", [False, True])
def test_attention_that_is_written_out_tells_its_mask(causal: bool) -> None:
    """Positions compared with each other, and what is filled in."""
    found: list[dict[str, Any]] = []
    weight = tf.Variable(tf.ones((8, 8)))

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        keys = x @ weight
        products = tf.matmul(keys, keys, transpose_b=True) / 8.0**0.5
        at = tf.range(tf.shape(x)[1])
        open_ = at[:, None] >= at[None, :] if causal else tf.ones((5, 5), tf.bool)
        made = tf.matmul(tf.nn.softmax(tf.where(open_, products, -1e9)), keys)
        found.extend((facts(order, made) or {})["operations"])
        return made

    step(tf.ones((2, 5, 8)))
    assert [one["causal"] for one in found if one["op"] == "softmax"] == [causal]


@pytest.mark.parametrize("outer", [dict, list], ids=["named", "listed"])
def test_operations_of_several_outputs_are_told(outer: type) -> None:
    """A dictionary or a list of them; which one each ends in, and what is stopped on the way to one."""
    first, last = keras.layers.Dense(4), keras.layers.Dense(2)
    first.build((3, 4))
    last.build((3, 4))
    found: dict[str, Any] = {}

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        made = tf.nn.relu(first(x))
        ends = {"a": tf.sigmoid(last(tf.stop_gradient(made))), "b": made}
        found.update(facts(order, ends if outer is dict else list(ends.values())) or {})
        return made

    step(tf.ones((3, 4)))
    told = [(one["op"], one.get("end", False)) for one in found["operations"] if one["op"] != "Dense"]
    assert told == [("relu", True), ("stop", False), ("sigmoid", True)]
    assert found["operations_whole"] is True


@pytest.mark.parametrize("shape", [(3, 8), (3, 5, 8)])
@pytest.mark.parametrize("bias", [False, True])
def test_a_product_with_a_table_is_a_layer(shape: tuple[int, ...], bias: bool) -> None:
    """A table of words that is turned to give words again, of rows and of sequences."""
    table, beside = keras.layers.Embedding(30, 8), tf.Variable(tf.zeros(30))
    table.build(None)
    found: list[list[dict[str, Any]]] = []

    @tf.function
    def step(x: Any) -> Any:
        turned = keras.ops.matmul(x, keras.ops.transpose(table.embeddings))
        whole = tf.matmul(x, table.embeddings, transpose_b=True)
        ends = [made + beside if bias else made for made in (turned, whole)]
        found.extend((facts(Order(), end) or {})["operations"] for end in ends)
        return turned

    step(tf.ones(shape))
    assert [[(one["op"], one["units"], one["use_bias"]) for one in told] for told in found] == [
        [("Dense", 30, bias)]
    ] * 2


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u: keras.activations.gelu(u, approximate=True), {"op": "gelu", "approximate": True}),
        (lambda u: u * keras.ops.sigmoid(u), {"op": "silu"}),
        (lambda u: keras.ops.leaky_relu(u, negative_slope=0.1), {"op": "leaky_relu", "negative_slope": 0.1}),
        (lambda u: tf.nn.relu(features=u), {"op": "relu"}),
        (lambda u: keras.ops.elu(u, alpha=0.5), None),
        (lambda u: keras.ops.relu(u) ** 2, None),
        (lambda u: 2 * keras.ops.sigmoid(u) - 1, None),
        (lambda u: keras.ops.tanh(2 * u), None),
        ("gelu", None),
    ],
)
def test_a_function_that_a_layer_is_given_is_told_by_what_it_does(
    function: Callable[[Any], Any] | str, expected: dict[str, Any] | None
) -> None:
    """Of the library's own functions the layer's settings tell."""
    layer, told = keras.layers.Dense(4, activation=function), dict[str, Any]()
    layer.build((3, 4))

    @tf.function
    def step(x: Any) -> Any:
        order = Order()
        begun = order.begin()
        given = layer(x)
        order.end(layer, begun, "dense")
        told.update((facts(order, given) or {})["operations"][0])
        return given

    step(tf.ones((3, 4)))
    assert told.get("acts") == (None if expected is None else pytest.approx(expected))
