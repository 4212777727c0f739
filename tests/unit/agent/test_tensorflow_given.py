"""What a model by hand was given: the data that meets a weight, and not what its loss is made of besides."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import flow  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow.given import drawn, inputs  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.tensorflow_loops import listening  # noqa: E402

WORDS, CLASSES = tf.TensorSpec((8, 5), tf.int64), tf.TensorSpec((8, 5), tf.int64)
ROWS = tf.TensorSpec((8, 4), tf.float32)


def _table() -> Callable[[Any, Any], Any]:
    table, out = tf.Variable(tf.ones((9, 4))), tf.Variable(tf.ones((4, 3)))
    return lambda x, y: tf.reduce_sum(tf.one_hot(y, 3) * (tf.gather(table, x) @ out), -1)


def _stack() -> Callable[[Any, Any], Any]:
    kernels = tf.Variable(tf.ones((2, 4, 4)))
    return lambda x, y: y * tf.nn.relu(x @ kernels[0] + x @ kernels[1])


CASES: dict[str, tuple[Callable[[], Callable[[Any, Any], Any]], tuple[Any, Any], list[int]]] = {
    "a table's rows": (_table, (WORDS, CLASSES), [0]),
    "a stack of kernels": (_stack, (ROWS, ROWS), [0]),
    "without a weight": (lambda: lambda x, y: x * y, (ROWS, ROWS), [0, 1]),
}


@pytest.mark.parametrize("case", CASES)
def test_targets_that_a_loss_multiplies_are_no_inputs(case: str) -> None:
    """Words that a table is asked for are; where nothing meets a weight everything may be."""
    make, specs, told = CASES[case]
    graph = tf.function(make()).get_concrete_function(*specs).graph
    found = inputs(graph.outputs[0], flow.in_graph, 8)
    assert sorted(next(at for at, one in enumerate(graph.inputs) if one is tensor) for tensor in found) == told


def _noised(where: str) -> Callable[[Any, Any], Any]:
    first, second = tf.Variable(tf.ones((4, 6))), tf.Variable(tf.ones((6, 3)))
    steps = tf.constant([0.1, 0.2])

    def loss(x: Any, _: Any) -> Any:
        noise = tf.random.normal(tf.shape(x)) * steps[0]
        h = tf.nn.relu((x + noise if where == "inputs" else x) @ first)
        h = h * tf.cast(tf.random.uniform(tf.shape(h)) > 0.5, tf.float32) if where == "between" else h
        return h @ second - (tf.random.normal((8, 3)) if where == "targets" else 0.0)

    return loss


@pytest.mark.parametrize("where", ["inputs", "between", "targets", "nowhere"])
def test_noise_is_of_the_inputs_where_it_meets_the_first_weight_with_them(where: str) -> None:
    """Dropout between layers is none, nor what a target has."""
    graph = tf.function(_noised(where)).get_concrete_function(ROWS, ROWS).graph
    assert drawn(graph.outputs[0], flow.in_graph) == (where == "inputs")


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


@pytest.mark.parametrize("noise", [0.0, 0.1])
def test_a_step_that_gives_its_batch_noise_is_fed_another(run: MemoryRun, noise: float) -> None:
    """What is recorded is the batch; nobody is to take it for what the first weight met."""
    kernel, optimizer = tf.Variable(tf.ones((4, 1))), tf.keras.optimizers.SGD(0.01)

    @tf.function
    def step(x: Any, y: Any) -> None:
        with tf.GradientTape() as tape:
            given = x + noise * tf.random.normal(tf.shape(x)) if noise else x
            loss = tf.reduce_mean((given @ kernel - y) ** 2)
        optimizer.apply_gradients([(tape.gradient(loss, kernel), kernel)])

    for _ in range(3):
        step(tf.ones((8, 4)), tf.ones((8, 1)))
    run.finish()
    told = [one.facts.get("fed", True) for one in run.recordings if one.phase == "train"]
    assert told
    assert told[0] is (not noise)
