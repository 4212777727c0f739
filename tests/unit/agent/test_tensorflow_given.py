"""What a model by hand was given: the data that meets a weight, and not what its loss is made of besides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import flow  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow.given import inputs  # noqa: E402

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
