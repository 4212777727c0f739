"""Shares that are summed over the axis along which they add up to one: TensorFlow's graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf

from auditor_agent.integrations.keras import axes, shares

K = keras.ops
softmax = tf.nn.softmax


def _products(q: Any, k: Any) -> Any:
    return tf.matmul(q, k, transpose_b=True)


def _split(x: Any) -> Any:
    return tf.transpose(tf.reshape(x, (-1, 7, 2, 4)), (0, 2, 1, 3))


def _heads(axis: int) -> Callable[[Any, Any, Any], Any]:
    return lambda q, k, v: tf.matmul(softmax(_products(_split(q), _split(k)) / 2, axis=axis), _split(v))


def _einsum(axis: int) -> Callable[[Any, Any, Any], Any]:
    return lambda q, k, v: tf.einsum("bqk,bkd->bqd", softmax(tf.einsum("bqd,bkd->bqk", q, k), axis=axis), v)


def _pooled(axis: int) -> Callable[[Any, Any, Any], Any]:
    return lambda q, k, v: tf.reduce_sum(tf.expand_dims(softmax(q[:, :, 0] + k[:, :, 0], axis=axis), -1) * v, axis=1)


Case = tuple[Callable[[Any, Any, Any], Any], bool | None]
CASES: dict[str, Case] = {
    "product": (lambda q, k, v: tf.matmul(softmax(_products(q, k)), v), True),
    "product, queries": (lambda q, k, v: tf.matmul(softmax(_products(q, k), axis=1), v), False),
    "turned product": (lambda q, k, v: tf.matmul(softmax(_products(k, q), axis=1), v, transpose_a=True), True),
    "dropout": (lambda q, k, v: tf.matmul(tf.nn.dropout(softmax(_products(q, k)), 0.1), v), True),
    "letters": (_einsum(-1), True),
    "letters, queries": (_einsum(1), False),
    "Keras": (lambda q, k, v: K.matmul(K.softmax(K.matmul(q, K.transpose(k, (0, 2, 1)))), v), True),
    "heads": (_heads(-1), True),
    "heads, queries": (_heads(2), False),
    "heads, heads": (_heads(1), False),
    "pooling": (_pooled(1), True),
    "pooling, samples": (_pooled(0), False),
    "classes": (lambda q, _, v: softmax(q * v), None),
}


@pytest.mark.parametrize("case", CASES)
def test_which_axis_is_summed_is_read_off_the_graph(case: str) -> None:
    """However the program moves its axes, and beside what its tape adds to the graph."""
    made, told = CASES[case]

    @tf.function
    def step(q: Any, k: Any, v: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch([q, v])
            loss = tf.reduce_sum(tf.square(made(q, k, v)))
        return tape.gradient(loss, [q, v])

    graph = step.get_concrete_function(*[tf.TensorSpec((None, 7, 8))] * 3).graph
    (node,) = [one for one in graph.get_operations() if one.type == "Softmax"]
    assert axes.summed(node) is told
    assert shares.settings(node).get("summed") is told


CUT: dict[str, tuple[Callable[[Any], Any], bool | None]] = {
    "moved": (_split, False),
    "as they lie": (lambda x: tf.reshape(x, (-1, 2, 7, 4)), True),
    "of one head": (lambda x: tf.reshape(x, (-1, 1, 7, 8)), None),
    "not cut": (lambda x: x, None),
}


@pytest.mark.parametrize("case", CUT)
def test_heads_that_are_cut_out_of_rows_as_they_lie_are_told(case: str) -> None:
    """A head has parts of several positions then. The keys' own turn moves no heads."""
    cut, told = CUT[case]

    @tf.function
    def step(q: Any, k: Any) -> Any:
        return softmax(_products(cut(q) / 2, cut(k)))

    graph = step.get_concrete_function(*[tf.TensorSpec((None, 7, 8))] * 2).graph
    (node,) = [one for one in graph.get_operations() if one.type == "Softmax"]
    assert shares.settings(node).get("mixed") is told
