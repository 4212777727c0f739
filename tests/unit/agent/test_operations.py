"""What a forward pass consists of, as PyTorch's and TensorFlow's graphs tell it."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from auditor_agent.integrations.torch import operations as torch_operations

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.keras import operations as keras_operations  # noqa: E402 -- after the framework it is for


class Net(nn.Module):
    """Functions, a module called twice, a recurrent layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 3, 3, stride=2, padding=1)
        self.rnn = nn.LSTM(3, 5, batch_first=True)
        self.act = nn.Tanh()
        self.out = nn.Linear(5, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Images to two numbers."""
        x = functional.leaky_relu(self.conv(x), 0.3)
        x = functional.avg_pool2d(x, 3, 1, padding=1, count_include_pad=False)
        x, _ = self.rnn(self.act(x).flatten(2).transpose(1, 2))
        x = functional.dropout(self.act(x).mean(1), 0.25)
        return self.out(functional.gelu(x, approximate="tanh"))


def told() -> list[dict[str, Any]]:
    """The operations of one pass, through hooks as the probe puts them on."""
    torch.manual_seed(0)
    net = Net()
    nodes: dict[Any, str] = {}
    within: dict[Any, Any] = {}

    def hook(name: str) -> Any:
        def heard(_module: nn.Module, args: Any, output: Any) -> None:
            tensor = output[0] if isinstance(output, tuple) else output
            nodes[tensor.grad_fn] = name
            within[tensor.grad_fn] = torch_operations.given(args)

        return heard

    for name, module in net.named_children():
        module.register_forward_hook(hook(name))
    return torch_operations.operations([net(torch.randn(4, 1, 8, 8))], nodes, within)


def test_a_torch_pass_is_told_in_its_order_with_its_settings() -> None:
    """Modules by name, functions by what they are; what an LSTM does within is its own matter."""
    found = told()
    assert [one.get("layer", one.get("op")) for one in found] == [
        *("conv", "leaky_relu", "average_pool", "act", "rnn", "act", "global_average_pool", "dropout", "gelu", "out"),
    ]
    by_op = {one["op"]: one for one in found if "op" in one}
    assert by_op["conv"]["from"] == [8, 8]
    assert by_op["leaky_relu"]["negative_slope"] == pytest.approx(0.3)
    assert (by_op["average_pool"]["padding"], by_op["average_pool"]["count_include_pad"]) == ([1, 1], False)
    assert by_op["gelu"]["approximate"] == "tanh"


def test_a_dropout_called_as_a_function_is_known_by_what_it_multiplies_by() -> None:
    """0 or 1 / (1 - rate)."""
    rates = [one["rate"] for one in told() if one.get("op") == "dropout"]
    assert rates == [0.25]


def test_a_traced_pass_of_keras_tells_layers_and_functions_between_them() -> None:
    """By their place in the graph; what a layer does within is not told again."""
    dense, out = keras.layers.Dense(4, activation="gelu"), keras.layers.Dense(2)
    order = keras_operations.Order()
    found: list[Any] = []

    def run(layer: Any, x: Any) -> Any:
        begun = order.begin()
        result = layer(x)
        order.end(layer, begun, layer.name)
        return result

    dense.build((None, 3))
    out.build((None, 4))

    @tf.function
    def step(x: Any) -> Any:
        y = run(out, tf.nn.leaky_relu(run(dense, x), alpha=0.4))
        found.append(keras_operations.facts(order, y))
        return tf.reduce_sum(tf.nn.relu(y))

    step(tf.ones((2, 3)))
    names = [one.get("layer", one.get("op")) for one in found[0]["operations"]]
    assert names == [dense.name, "leaky_relu", out.name]
    assert found[0]["operations"][1]["negative_slope"] == pytest.approx(0.4)
    assert found[0]["operations_whole"] is True


def test_sums_around_a_block_are_told_and_those_of_a_bias_or_of_positions_are_not() -> None:
    """In PyTorch, what is added has to be computed and of the sum's own shape."""
    block, bias, table = nn.Linear(4, 4), nn.Parameter(torch.zeros(4)), nn.Embedding(3, 4)
    x = nn.Linear(4, 4)(torch.randn(2, 3, 4))
    sums = [x + block(x), x + bias, x + table(torch.arange(3)), x + torch.ones(2, 3, 4), x + 1]
    told = [[one["op"] for one in torch_operations.operations([y], {}, {})].count("add") for y in sums]
    assert told == [1, 0, 0, 0, 0]


def test_traced_sums_are_told_alike_also_of_layers_of_the_programs_own_making() -> None:
    """A residual layer written by hand shows its sum; its bias is none. What nothing was computed for is a shift."""

    class Around(keras.layers.Layer):  # type: ignore[misc] -- Keras has no types
        def build(self, shape: Any) -> None:
            self.kernel = self.add_weight(shape=(shape[-1], shape[-1]))
            self.bias = self.add_weight(shape=(shape[-1],))

        def call(self, x: Any) -> Any:
            return x + tf.tanh(tf.matmul(x, self.kernel) + self.bias)

    layer, table, found = Around(), keras.layers.Embedding(3, 4), list[Any]()
    layer.build((None, 4))
    table.build()

    @tf.function
    def step(x: Any) -> Any:
        order = keras_operations.Order()
        begun = order.begin()
        around = layer(table(tf.constant([0, 1])))
        order.end(layer, begun, "around")
        y = around + tf.reverse(around, [0]) + 1.0
        y = y + keras.random.normal((2, 4)) + x
        found.append(keras_operations.facts(order, y + table(tf.constant([0]))))
        return y

    step(tf.ones((2, 4)))
    assert [one.get("layer", one.get("op")) for one in found[0]["operations"]] == [
        *("around", "add", "add"),
        *["shift"] * 3,  # one, noise and plain inputs
    ]


def test_a_softmax_tells_its_axis_and_the_scale_of_its_products() -> None:
    """Whichever of the factors is scaled, before or after the product; scores of a layer have no scale."""
    x = torch.randn(2, 5, 16, requires_grad=True)
    products = [
        (x @ x.transpose(1, 2) / 4.0, 5, 0.25),
        ((0.5 * x) @ x.transpose(1, 2), 5, 0.5),
        ((x @ x.transpose(1, 2)).masked_fill(torch.eye(5) > 0, -1e9), 5, 1.0),
        (nn.Linear(16, 1)(x).transpose(1, 2), 5, None),
    ]
    for product, over, scale in products:
        found = torch_operations.operations([torch.softmax(product, -1) * 2], {}, {})
        told = next(one for one in found if one["op"] == "softmax")
        assert (told["over"], told.get("scale")) == (over, scale)
    over = torch_operations.operations([torch.softmax(x, 0) * 2], {}, {})[0]["over"]
    assert over == 2


def test_a_traced_softmax_tells_the_same() -> None:
    """A divisor that is made of an extent is a number as well."""
    found: list[Any] = []

    @tf.function
    def step(x: Any) -> Any:
        products = tf.matmul(x, x, transpose_b=True)
        root = tf.math.sqrt(tf.cast(tf.shape(x)[-1], tf.float32))
        for scores in (products, products / 4.0, products / root, tf.matmul(0.25 * x, x, transpose_b=True)):
            y = tf.reduce_sum(tf.nn.softmax(scores))
            found.append(keras_operations.facts(keras_operations.Order(), y))
        return y

    step(tf.ones((2, 5, 16)))
    told = [next(one for one in facts["operations"] if one["op"] == "softmax") for facts in found]
    assert [(one["over"], one["scale"]) for one in told] == [(5, 1.0), *[(5, pytest.approx(0.25))] * 3]


def test_a_recurrent_layer_tells_what_it_was_given() -> None:
    """Its axes say along which of them it runs."""
    rnn = nn.GRU(3, 4)
    output, _ = rnn(torch.ones(8, 5, 3))
    found = torch_operations.operations([output], {output.grad_fn: "rnn"}, {}, {"rnn": {"input_shape": [8, 5, 3]}})
    assert found[-1]["input_shape"] == [8, 5, 3]


def test_an_eager_pass_tells_its_layers_and_that_functions_may_be_missing() -> None:
    """Nothing shows what is called between them."""
    dense, order = keras.layers.Dense(2), keras_operations.Order()
    begun = order.begin()
    y = dense(tf.ones((1, 3)))
    order.end(dense, begun, dense.name)
    assert keras_operations.facts(order, y) == {"operations": [{"layer": dense.name}], "operations_whole": False}


def test_a_constant_is_told_though_its_gradient_is_in_the_graph_already() -> None:
    """What a tape adds to the graph multiplies by the sum as well; of the model's pass nothing does."""
    first, last, told = keras.layers.Dense(4), keras.layers.Dense(1), list[Any]()
    first.build((3, 2))
    last.build((3, 4))

    @tf.function  # type: ignore[untyped-decorator]  # no types there
    def step(x: Any) -> None:
        with tf.GradientTape() as tape:
            output = last(tf.tanh(first(x) + tf.constant([1.0, 2.0, 3.0, 4.0])) + tf.ones((3, 4)))
            loss = tf.reduce_mean(tf.square(output))
        tape.gradient(loss, first.trainable_variables)
        told.extend((keras_operations.facts(keras_operations.Order(), output) or {})["operations"])

    step.get_concrete_function(tf.ones((3, 2)))
    assert [one["op"] for one in told] == ["Dense", "shift", "tanh", "shift", "Dense"]
