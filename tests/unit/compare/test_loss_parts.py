"""What the parts of a loss count for, as the graphs of PyTorch and TensorFlow say it, with any weights."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.identify import loss_parts
from auditor.compare.identify.loss_parts import Part
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.integrations.torch import graph as torch_graph
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import flow, parts  # noqa: E402 -- after the framework it is for

ROWS, WIDE, CODE = 8, 5, 2
Loss = Callable[[Any, Any, Any, Any], Any]


def told(framework: str, graphs: list[list[dict[str, Any]]], seed: int) -> Profile:
    """A run of whose losses the graphs are all that is known."""
    x = np.random.default_rng(seed).random((ROWS, WIDE))
    found = [
        Recording(at + 1, [array("batch", "input0", x)], {}, {"loss": {"graph": graph}})
        for at, graph in enumerate(graphs)
    ]
    return profile("a", framework, assembled(found), Beside())


def of_torch(loss: Loss, seed: int = 0, steps: int = 2) -> Profile:
    """A linear model with three outputs, and the graphs of some steps' losses."""
    torch.manual_seed(seed)
    heads = [torch.nn.Linear(WIDE, size) for size in (WIDE, CODE, CODE)]
    graphs = []
    for _ in range(steps):
        x = torch.rand(ROWS, WIDE)
        outputs = [head(x) for head in heads]
        names = {one.grad_fn: f"output{at}" for at, one in enumerate(outputs)}
        weights = {id(one): "weight" for head in heads for one in head.parameters()}
        graphs.append(torch_graph.read(loss(outputs[0], outputs[1], outputs[2], x), names, weights).nodes)
    return told("torch", graphs, seed)


def of_tensorflow(loss: Loss, seed: int = 1) -> Profile:
    """The same, traced; the number of rows is not known before a step."""
    tf.random.set_seed(seed)
    kernels = [tf.Variable(tf.random.normal([WIDE, size])) for size in (WIDE, CODE, CODE)]
    graphs: list[list[dict[str, Any]]] = []

    @tf.function(input_signature=[tf.TensorSpec([None, WIDE])])  # type: ignore[untyped-decorator]  # no types there
    def step(x: Any) -> Any:
        value = loss(*(x @ kernel for kernel in kernels), x)
        graphs.append(parts.graph(value, flow.in_graph, []))
        return value

    step.get_concrete_function()
    return told("tensorflow", graphs[:1], seed)


def torch_code(reconstruction: Callable[[Any, Any], Any], beta: float = 1.0) -> Loss:
    """Reconstruction and divergence, in PyTorch's words."""

    def loss(o: Any, m: Any, v: Any, x: Any) -> Any:
        return reconstruction(o, x) - 0.5 * beta * torch.sum(1 + v - m.pow(2) - v.exp()) / len(x)

    return loss


def tf_code(reconstruction: Callable[[Any], Any], beta: float = 1.0) -> Loss:
    """The same in TensorFlow's, with the number of rows as it is at each step."""

    def loss(o: Any, m: Any, v: Any, x: Any) -> Any:
        each = tf.nn.sigmoid_cross_entropy_with_logits(labels=x, logits=o)
        divergence = -0.5 * tf.reduce_sum(1 + v - tf.square(m) - tf.exp(v), axis=1)
        return reconstruction(each) + beta * tf.reduce_sum(divergence) / tf.cast(tf.shape(x)[0], tf.float32)

    return loss


def summed(o: Any, x: Any) -> Any:
    """A sample's sum, PyTorch."""
    return functional.binary_cross_entropy_with_logits(o, x, reduction="none").sum(1).mean()


def parameters(a: Profile, b: Profile) -> list[tuple[str, str]]:
    """What is told of the loss."""
    return [(one.id, one.parameter) for one in diagnose(a, b).causes if one.parameter.startswith("loss.")]


def test_both_frameworks_graphs_tell_what_each_part_counts_for() -> None:
    """Cross entropy, square and exponential, whatever lines they are written in."""
    expected = {("binary cross entropy", WIDE, 1.0), ("square", CODE, 0.5), ("exponential", CODE, 0.5)}
    by_sum = tf_code(lambda each: tf.reduce_mean(tf.reduce_sum(each, 1)))
    for side in (of_torch(torch_code(summed)), of_tensorflow(by_sum)):
        found: list[Part] = list(side.value("loss.parts"))
        assert {(one.function, one.size, round(one.weight, 6)) for one in found} == expected
    assert not parameters(of_torch(torch_code(summed)), of_tensorflow(by_sum))


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (tf_code(tf.reduce_mean), ("LOSS-15", "loss.terms")),
        (tf_code(lambda each: tf.reduce_mean(tf.reduce_sum(each, 1)), 0.1), ("LOSS-00", "loss.terms")),
        (
            lambda o, m, v, x: 2 * tf_code(lambda each: tf.reduce_mean(tf.reduce_sum(each, 1)))(o, m, v, x),
            ("LOSS-00", "loss.scale"),
        ),
    ],
)
def test_a_mean_for_a_sum_and_another_factor_are_told(other: Loss, told: tuple[str, str]) -> None:
    """And twice the whole as such."""
    assert parameters(of_torch(torch_code(summed)), of_tensorflow(other)) == [told]


@pytest.mark.parametrize(
    ("entropy", "expected"),
    [(summed, []), (functional.binary_cross_entropy_with_logits, [("LOSS-15", "loss.terms")])],
)
def test_of_a_loss_that_is_warmed_up_the_steady_part_is_told(
    entropy: Callable[[Any, Any], Any], expected: list[tuple[str, str]]
) -> None:
    """The divergence counts for more at every step, from nothing on, on both sides."""

    def annealed(reconstruction: Callable[[Any, Any], Any]) -> Loss:
        shares = iter((0.0, 0.1, 0.2))

        def loss(o: Any, m: Any, v: Any, x: Any) -> Any:
            return torch_code(reconstruction, next(shares))(o, m, v, x)

        return loss

    mine, theirs = of_torch(annealed(summed), steps=3), of_torch(annealed(entropy), 1, steps=3)
    assert mine.value("loss.parts") is None
    assert parameters(mine, theirs) == expected


def test_the_means_of_keras_are_divided_by_how_many_there_are() -> None:
    """Though nobody knows that before a step; twice the squared error is told against PyTorch's."""
    keras = pytest.importorskip("keras")

    def of_keras(factor: float) -> Loss:
        squares, absolute = keras.losses.MeanSquaredError(), keras.losses.MeanAbsoluteError()
        return lambda o, m, v, x: factor * squares(x, o) + absolute(x[:, :CODE], m) + 0 * tf.reduce_sum(v)

    def plain(o: Any, m: Any, v: Any, x: Any) -> Any:
        return functional.mse_loss(o, x) + functional.l1_loss(m, x[:, :CODE]) + 0 * v.sum()

    assert not parameters(of_torch(plain), of_tensorflow(of_keras(1)))
    assert parameters(of_torch(plain), of_tensorflow(of_keras(2))) == [("LOSS-00", "loss.terms")]


def test_a_part_that_one_side_lacks_is_told() -> None:
    """An entry for sparse codes, say; a penalty on weights is another stage's matter."""

    def sparse(o: Any, m: Any, v: Any, x: Any) -> Any:
        return torch_code(summed)(o, m, v, x) + 0.1 * m.abs().mean()

    weight = torch.nn.Parameter(torch.ones(3))

    def shrunk(o: Any, m: Any, v: Any, x: Any) -> Any:
        return torch_code(summed)(o, m, v, x) + 0.1 * (weight**2).sum()

    assert parameters(of_torch(torch_code(summed)), of_torch(sparse, 1)) == [("LOSS-00", "loss.terms")]
    assert not parameters(of_torch(torch_code(summed)), of_torch(shrunk, 1))


def scored(temperature: float) -> Loss:
    """Each row against all others, with a temperature."""

    def loss(o: Any, m: Any, v: Any, x: Any) -> Any:
        del o, x
        return functional.cross_entropy(m @ v.t() / temperature, torch.arange(ROWS))

    return loss


def test_a_temperature_is_told_where_the_softmax_of_the_loss_is() -> None:
    """As of a contrastive loss; the same one with other weights is silent."""
    assert parameters(of_torch(scored(0.1)), of_torch(scored(0.5), 1)) == [("LOSS-00", "loss.temperature")]
    assert not parameters(of_torch(scored(0.1)), of_torch(scored(0.1), 1))


def test_a_loss_that_is_divided_by_what_a_batch_holds_has_no_weights_of_its_own() -> None:
    """A mask leaves out another number of positions at every step."""

    def masked(o: Any, m: Any, v: Any, x: Any) -> Any:
        kept = (x > 0.5).float()
        return ((o - x) ** 2 * kept).sum() / kept.sum() + m.abs().mean() + v.exp().mean()

    assert of_torch(masked, steps=3).value("loss.parts") is None


def test_the_logarithm_of_an_exponential_is_no_part() -> None:
    """A deviation that is given as its logarithm, and a likelihood that takes it out again."""

    def normal(o: Any, m: Any, v: Any, x: Any) -> Any:
        return functional.gaussian_nll_loss(m, x[:, :CODE], v.exp()) + 0 * o.sum()

    def written(o: Any, m: Any, v: Any, x: Any) -> Any:
        return (0.5 * (v + (x[:, :CODE] - m) ** 2 / v.exp())).mean() + 0 * o.sum()

    assert not parameters(of_torch(normal), of_torch(written, 1))


SPELT: dict[str, Loss] = {
    "the sum halved": lambda o, m, _, x: 0.5 * (m + (x - o)[:, :CODE] ** 2 * torch.exp(-m)).mean(),
    "each part halved": lambda o, m, _, x: (0.5 * m + 0.5 * torch.exp(-m) * (x - o)[:, :CODE] ** 2).mean(),
    "one factor halved": lambda o, m, _, x: (m / 2 + torch.exp(-m) * ((x - o)[:, :CODE] ** 2 / 2)).mean(),
    "a negative sign": lambda o, m, _, x: -(-0.5 * m - 0.5 * torch.exp(-m) * (x - o)[:, :CODE] ** 2).mean(),
}


@pytest.mark.parametrize("spelling", SPELT)
def test_numbers_within_a_product_are_the_products(spelling: str) -> None:
    """A normal likelihood, half of which stands before the sum, before each part, or within one of them."""

    def by_hand(o: Any, m: Any, _: Any, x: Any) -> Any:
        precision = tf.exp(-m)
        return tf.reduce_mean(0.5 * m + 0.5 * precision * tf.square(x - o)[:, :CODE])

    mine, theirs = of_torch(SPELT[spelling]), of_tensorflow(by_hand)
    assert parameters(mine, theirs) == []
    whole = of_torch(lambda o, m, _, x: (m + (x - o)[:, :CODE] ** 2 * torch.exp(-m)).mean())
    assert [parameter for _, parameter in parameters(mine, whole)] == ["loss.scale"]


def test_what_is_squared_has_its_number_squared() -> None:
    """``(x / 2) ** 2`` is a quarter of a square."""
    halved = of_torch(lambda o, _, __, x: (((x - o) / 2) ** 2).mean())
    assert parameters(halved, of_torch(lambda o, _, __, x: 0.25 * ((x - o) ** 2).mean(), 3)) == []
    assert parameters(halved, of_torch(lambda o, _, __, x: 0.5 * ((x - o) ** 2).mean(), 3))


def test_what_keras_packs_and_adds_up_is_a_sum() -> None:
    """A loss and what a layer adds: the size of what it gives, divided by the samples."""
    square = [
        {"op": "Mean", "inputs": [4], "shape": [], "from": [8, 3]},
        {"op": "Square", "inputs": ["output0"], "shape": [8, 3]},
    ]
    sizes = [{"op": "DivNoNan", "inputs": [6, None], "other": "batch"}, {"op": "Sum", "inputs": [7], "from": [8, 5]},
             {"op": "Abs", "inputs": ["output1"], "shape": [8, 5]}]  # fmt: skip
    graph = [{"op": "Sum", "inputs": [1], "from": [2]}, {"op": "Pack", "inputs": [2, 5], "shape": [2]},
             {"op": "Identity", "inputs": [3]}, *square, *sizes]  # fmt: skip
    found = {one.function: (one.size, one.weight) for one in loss_parts.parts(graph, 8)}
    assert found == {"square": (3, pytest.approx(1 / 3)), "absolute value": (5, pytest.approx(1.0))}


@pytest.mark.parametrize(("forwards", "told"), [(1, False), (2, True), (None, True)])
def test_of_losses_one_after_the_other_the_last_is_not_the_whole(forwards: int | None, told: bool) -> None:
    """Two backward passes over one call of the model; of two calls each is a batch of its own."""
    graph = torch_graph.read(
        torch.nn.functional.mse_loss(torch.rand(8, 1, requires_grad=True) * 1, torch.rand(8, 1)), {}, {}
    )
    facts = {"loss": {"graph": graph.nodes}} | ({} if forwards is None else {"forwards": forwards})
    made = [
        Recording(at, [array("batch", "input0", np.ones((8, 1)))], {"loss": 1.0, "loss@1": 0.5}, facts) for at in (1, 2)
    ]
    found = profile("a", "torch", assembled(made), Beside())
    assert (found.value("loss.parts") is not None) is told
