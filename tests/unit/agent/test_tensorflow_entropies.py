"""Cross entropies of two classes are told by the operations that they consist of, whatever else is in the loss."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import flow  # noqa: E402 -- after the framework it is for


def _divergence(x: Any) -> Any:
    return tf.reduce_mean(tf.square(x) - x)


def _backend(x: Any, y: Any) -> Any:
    summed = tf.reduce_sum(tf.keras.backend.binary_crossentropy(y, tf.sigmoid(x)), 1)
    return tf.reduce_mean(summed) + _divergence(x)


def _clipped(x: Any, y: Any) -> Any:
    p = tf.clip_by_value(tf.sigmoid(x), 1e-6, 1 - 1e-6)
    return -tf.reduce_mean(y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p))


def _zeros_first(x: Any, y: Any) -> Any:
    p = tf.sigmoid(x)
    return tf.reduce_mean(-(1.0 - y) * tf.math.log(1 - p + 1e-7) - y * tf.math.log(p + 1e-7)) + _divergence(x)


def _logits(x: Any, y: Any) -> Any:
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=x)
    return tf.reduce_mean(tf.reduce_sum(each, 1) + _divergence(x))


def _softplus(x: Any, y: Any) -> Any:
    return tf.reduce_mean(tf.nn.softplus(x) - y * x)


def _two_softplus(x: Any, y: Any) -> Any:
    return tf.reduce_mean(y * tf.nn.softplus(-x) + (1 - y) * tf.nn.softplus(x))


def _log_sigmoids(x: Any, y: Any) -> Any:
    return -tf.reduce_mean(y * tf.math.log_sigmoid(x) + (1 - y) * tf.math.log_sigmoid(-x))


def _of_other_logits(x: Any, y: Any) -> Any:
    return tf.reduce_mean(tf.nn.softplus(2.0 * x) - y * x)


def _weighted(x: Any, y: Any) -> Any:
    p = tf.sigmoid(x)
    return -tf.reduce_mean(4.0 * y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p))


def _positives(x: Any, y: Any) -> Any:
    return tf.reduce_mean(3.0 * (y * tf.nn.softplus(-x)) + 0.5 * (1 - y) * tf.nn.softplus(x))


def _by_column(x: Any, y: Any) -> Any:
    p = tf.sigmoid(x)
    return -tf.reduce_mean(tf.constant([1.0, 2.0, 3.0]) * y * tf.math.log(p) + (1 - y) * tf.math.log(1 - p))


def _picked(x: Any, y: Any) -> Any:
    return -tf.reduce_mean(tf.reduce_sum(y * tf.math.log(tf.nn.softmax(x) + 1e-9), 1))


def _shifted(x: Any, y: Any) -> Any:
    return tf.reduce_mean(x - x * y + tf.math.log1p(tf.square(y)))


def _squared(x: Any, y: Any) -> Any:
    return tf.reduce_mean(tf.square(x - y))


def _of(loss: Callable[[Any, Any], Any], *, traced: bool) -> tuple[flow.Compared, Any, Any]:
    """What was compared in a loss of outputs of weights, with the outputs and the targets."""
    weights = tf.Variable(tf.random.stateless_normal((4, 3), (0, 1)))
    x, y = tf.random.stateless_normal((8, 4), (0, 2)), tf.random.stateless_normal((8, 3), (0, 3))
    if not traced:
        made = flow.Eager()
        made.begin()
        outputs = tf.matmul(x, weights)
        value = loss(outputs, y)
        made.end()
        found = flow.compared(value, made)
        assert found is not None
        return found, outputs, y
    with tf.Graph().as_default() as graph:
        fed = tf.compat.v1.placeholder(tf.float32, (8, 4)), tf.compat.v1.placeholder(tf.float32, (8, 3))
        outputs = tf.matmul(fed[0], tf.compat.v1.get_variable("w", (4, 3), use_resource=True))
        found = flow.compared(loss(outputs, fed[1]), flow.in_graph)
    assert graph is not None
    assert found is not None
    return found, outputs, fed[1]


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize(
    ("loss", "logits"),
    [
        *((one, False) for one in (_backend, _clipped, _zeros_first, _weighted)),
        *((one, True) for one in (_logits, _softplus, _two_softplus, _log_sigmoids, _positives)),
    ],
)
def test_a_binary_cross_entropy_is_known_by_its_operations(
    loss: Callable[[Any, Any], Any], logits: bool, traced: bool
) -> None:
    """Of probabilities or of logits, clipped or with an epsilon, with other terms beside it, the ones weighted."""
    found, outputs, targets = _of(loss, traced=traced)
    assert (found.facts["operation"], found.facts["from_logits"]) == ("binary_crossentropy", logits)
    assert found.facts["output_shape"] == found.facts["target_shape"] == [8, 3]
    if logits:
        assert found.output is outputs
    if loss is not _zeros_first:
        assert found.target is targets
    if not traced and not logits and loss is not _zeros_first:
        assert float(tf.reduce_max(tf.abs(found.output - tf.sigmoid(outputs)))) < 1e-6


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("loss", [_by_column, _picked, _shifted, _squared, _of_other_logits])
def test_what_only_looks_like_one_stays_what_it_was(loss: Callable[[Any, Any], Any], traced: bool) -> None:
    """Targets weighted by column are none; a logarithm that is picked, a log1p of the data and an error are others."""
    found, _, _ = _of(loss, traced=traced)
    assert found.facts["operation"] == "arithmetic"
    assert "from_logits" not in found.facts


def _by_class(x: Any, y: Any) -> Any:
    each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=tf.argmax(y, 1), logits=x)
    return tf.reduce_mean(each * tf.gather(tf.constant([1.0, 4.0, 2.0]), tf.argmax(y, 1)))


def _by_row(x: Any, y: Any) -> Any:
    each = tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=x)
    return tf.reduce_sum(tf.reduce_sum(y, 1, keepdims=True) * tf.reshape(each, (-1, 1)))


def _by_row_and_penalty(x: Any, y: Any) -> Any:
    each = tf.nn.sigmoid_cross_entropy_with_logits(labels=y[:, 0], logits=x[:, 0])
    return tf.reduce_mean(tf.reduce_sum(y, 1) * each) + 0.1 * _divergence(x)


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("loss", [_clipped, _softplus, _two_softplus, _log_sigmoids])
def test_the_weights_of_a_written_out_cross_entropy_are_no_target(
    loss: Callable[[Any, Any], Any], traced: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In every spelling, also where the sum is made negative before."""
    mean = tf.reduce_mean
    rows = np.array([[1.0], [3.0]] * 4, np.float32)
    monkeypatch.setattr(tf, "reduce_mean", lambda each: mean(each * rows if len(each.shape) else each))
    found, _, targets = _of(loss, traced=traced)
    assert found.facts["operation"] == "binary_crossentropy"
    assert found.target is targets


@pytest.mark.parametrize("traced", [False, True])
def test_what_a_cross_entropy_of_several_operations_is_multiplied_with_is_weights(traced: bool) -> None:
    """Of two classes, by rows, with another term beside it."""
    found, _, _ = _of(_by_row_and_penalty, traced=traced)
    assert (found.facts["operation"], found.facts["from_logits"]) == ("binary_crossentropy", True)
    assert found.facts["target_shape"] == [8]


@pytest.mark.parametrize("traced", [False, True])
@pytest.mark.parametrize("loss", [_by_class, _by_row])
def test_what_a_cross_entropy_is_multiplied_with_is_weights_and_no_target(
    loss: Callable[[Any, Any], Any], traced: bool
) -> None:
    """Of classes or of rows, on either side of the product: logits and labels are those of the loss beneath."""
    found, _, _ = _of(loss, traced=traced)
    assert found.facts["operation"] in {"sparse_categorical_crossentropy", "categorical_crossentropy"}
    assert found.facts["output_shape"] == [8, 3]
    assert found.facts["target_shape"] == ([8] if loss is _by_class else [8, 3])
    assert found.facts["from_logits"] is True
