"""Losses: one prediction, one target, and the number each framework makes of them."""

from __future__ import annotations

import inspect
import math
import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics import log_loss
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn
from torch.nn import functional

from support.reproduce import array, normal, reproduces

K = keras.losses
#: Six rows of five logits and their classes.
LOGITS, CLASSES = normal(6, 5, seed=3), np.array([0, 1, 2, 3, 4, 0])
ONE_HOT = np.eye(5, dtype="f4")[CLASSES]


def t(values: Any, kind: torch.dtype | None = None) -> torch.Tensor:
    """A tensor of PyTorch."""
    return torch.tensor(np.asarray(values), dtype=kind)


def softmax(logits: Any) -> np.ndarray:
    """Probabilities of logits."""
    raised = np.exp(logits - logits.max(-1, keepdims=True))
    return raised / raised.sum(-1, keepdims=True)


def one_epoch(mlp: Any, x: Any, y: Any, **more: Any) -> Any:
    """An MLP of scikit-learn after one step over all rows, too small to move it."""
    mlp.set_params(solver="sgd", learning_rate_init=1e-30, max_iter=1, batch_size=len(x), random_state=0, alpha=0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mlp.fit(x, y, **more)


def slope(loss: Any, at: Any) -> tuple[float, float]:
    """Value and norm of the gradient of a loss of TensorFlow."""
    variable = tf.Variable(at)
    with tf.GradientTape() as tape:
        value = tf.reduce_mean(loss(variable))
    return float(value), float(np.linalg.norm(array(tape.gradient(value, variable))))


@reproduces("LOSS-01")
def test_loss_01_scikit_learn_halves_the_squared_error() -> None:
    """Half of what PyTorch and Keras call mean squared error."""
    x, y = normal(40, 3).astype("f8"), normal(40, seed=1).astype("f8")
    mlp = one_epoch(MLPRegressor(hidden_layer_sizes=(4,)), x, y)
    prediction = mlp.predict(x)
    whole = float(functional.mse_loss(t(prediction), t(y)))
    assert float(K.MeanSquaredError()(y[:, None], prediction[:, None])) == pytest.approx(whole, rel=1e-6)
    assert mlp.loss_ == pytest.approx(whole / 2, rel=1e-9)


@reproduces("LOSS-02")
def test_loss_02_a_column_minus_a_row_is_a_square() -> None:
    """A perfect predictor has a loss of twice the variance in PyTorch and TensorFlow, and none in Keras."""
    y = normal(64)
    column = y[:, None]
    twice = 2 * y.var()
    assert float(((t(column) - t(y)) ** 2).mean()) == pytest.approx(twice, rel=1e-5)
    with pytest.warns(UserWarning, match="target size"):
        assert float(nn.MSELoss()(t(column), t(y))) == pytest.approx(twice, rel=1e-5)
    assert float(tf.reduce_mean(tf.square(column - y))) == pytest.approx(twice, rel=1e-5)
    assert float(K.MeanSquaredError()(y, column)) == 0
    x = normal(64, 2)
    mlp = one_epoch(MLPRegressor(hidden_layer_sizes=(3,)), x, y)
    assert mlp.loss_ == pytest.approx(((mlp.predict(x) - y) ** 2).mean() / 2, rel=1e-5)


@reproduces("LOSS-03")
def test_loss_03_a_tape_sums_a_vector_of_losses() -> None:
    """The gradient is as many times too large as the batch has rows; PyTorch refuses."""
    y, p = normal(32, 1), tf.Variable(normal(32, 1, seed=1))
    with tf.GradientTape(persistent=True) as tape:
        rows, mean = K.mean_squared_error(y, p), K.MeanSquaredError()(y, p)
    assert rows.shape == (32,)
    ratio = array(tape.gradient(rows, p)) / array(tape.gradient(mean, p))
    assert ratio == pytest.approx(32.0, rel=1e-4)
    weight = torch.zeros(3, requires_grad=True)
    with pytest.raises(RuntimeError, match="scalar"):
        (weight**2).backward()


@reproduces("LOSS-04")
def test_loss_04_keras_expects_probabilities() -> None:
    """The cross-entropy of logits in PyTorch is that of probabilities in Keras, unless it is told otherwise."""
    true = float(functional.cross_entropy(t(LOGITS), t(CLASSES)))
    loss = K.SparseCategoricalCrossentropy
    assert float(loss()(CLASSES, softmax(LOGITS))) == pytest.approx(true, rel=1e-5)
    assert float(loss(from_logits=True)(CLASSES, LOGITS)) == pytest.approx(true, rel=1e-5)
    assert log_loss(CLASSES, softmax(LOGITS.astype("f8"))) == pytest.approx(true, rel=1e-5)
    assert abs(float(loss()(CLASSES, LOGITS)) / true - 1) > 0.3
    assert [inspect.signature(one).parameters["from_logits"].default
            for one in (loss, K.CategoricalCrossentropy, K.BinaryCrossentropy)] == [False] * 3  # fmt: skip


@reproduces("LOSS-05")
@pytest.mark.filterwarnings("ignore:.*from_logits:UserWarning")
def test_loss_05_a_softmax_before_the_loss_leaves_a_floor() -> None:
    """Perfect logits of ten classes keep a loss of 1.461 in PyTorch; Keras sees its own softmax and undoes it."""
    perfect = 1000 * np.eye(10, dtype="f4")
    floor = math.log(1 + 9 / math.e)
    doubled = functional.cross_entropy(t(perfect).softmax(-1), torch.arange(10))
    assert float(doubled) == pytest.approx(floor, rel=1e-4)
    loss = K.CategoricalCrossentropy(from_logits=True)
    targets = np.eye(10, dtype="f4")
    assert float(loss(targets, keras.layers.Softmax()(perfect))) == pytest.approx(0, abs=1e-4)
    assert float(loss(targets, tf.nn.softmax(perfect))) == pytest.approx(floor, rel=1e-4)
    norms = []
    for twice in (False, True):
        logits = t(normal(64, 10)).requires_grad_()
        functional.cross_entropy(logits.softmax(-1) if twice else logits, torch.arange(64) % 10).backward()
        norms.append(float(logits.grad.norm()))
    assert norms[1] / norms[0] < 0.2


@reproduces("LOSS-06")
def test_loss_06_probabilities_are_cut_off_and_the_gradient_with_them() -> None:
    """A class 30 logits below: 16.1 and no gradient from Keras's clipped probabilities, 30 from logits."""
    bad = np.array([[30.0, 0.0]], "f4")
    logits = t(bad).requires_grad_()
    value = functional.cross_entropy(logits, t([1]))
    value.backward()
    assert (float(value.detach()), float(logits.grad.norm())) == (
        pytest.approx(30, abs=1e-3),
        pytest.approx(2**0.5, abs=1e-3),
    )
    clipped = slope(lambda z: K.sparse_categorical_crossentropy(np.array([1]), tf.nn.softmax(z)), bad)
    assert clipped == (pytest.approx(-math.log(1e-7), rel=1e-3), 0)
    kept = slope(lambda z: K.sparse_categorical_crossentropy(np.array([1]), z, from_logits=True), bad)
    assert kept == (pytest.approx(30, abs=1e-3), pytest.approx(2**0.5, abs=1e-3))
    assert float(nn.BCELoss()(t([0.0]), t([1.0]))) == 100
    assert float(K.BinaryCrossentropy()([[1.0]], [[0.0]])) == pytest.approx(16.118, abs=1e-2)


@reproduces("LOSS-07")
def test_loss_07_label_smoothing_is_one_formula() -> None:
    """Equal in PyTorch and Keras, which has none for integer targets."""
    told = float(functional.cross_entropy(t(LOGITS), t(CLASSES), label_smoothing=0.1))
    loss = K.CategoricalCrossentropy(from_logits=True, label_smoothing=0.1)
    assert float(loss(ONE_HOT, LOGITS)) == pytest.approx(told, rel=1e-5)
    assert told > float(functional.cross_entropy(t(LOGITS), t(CLASSES))) + 0.01
    assert "label_smoothing" not in inspect.signature(K.SparseCategoricalCrossentropy).parameters


@reproduces("LOSS-08")
def test_loss_08_class_weights_divide_by_their_sum_or_by_the_rows() -> None:
    """In Keras the loss is larger by the mean weight; scikit-learn does as PyTorch."""
    weights = np.array([10.0, 1.0, 1.0, 1.0, 1.0], "f4")
    rows = weights[CLASSES]
    told = float(functional.cross_entropy(t(LOGITS), t(CLASSES), weight=t(weights)))
    loss = K.SparseCategoricalCrossentropy
    kept = float(loss(from_logits=True)(CLASSES, LOGITS, sample_weight=rows))
    assert kept / told == pytest.approx(rows.mean(), rel=1e-5)
    scaled = float(functional.cross_entropy(t(LOGITS), t(CLASSES), weight=t(7 * weights)))
    assert scaled == pytest.approx(told, rel=1e-5)
    alike = loss(from_logits=True, reduction="mean_with_sample_weight")(CLASSES, LOGITS, sample_weight=rows)
    assert float(alike) == pytest.approx(told, rel=1e-5)
    mlp = one_epoch(MLPClassifier(hidden_layer_sizes=(4,)), LOGITS.astype("f8"), CLASSES, sample_weight=rows)
    meant = log_loss(CLASSES, mlp.predict_proba(LOGITS.astype("f8")), sample_weight=rows)
    assert mlp.loss_ == pytest.approx(meant, rel=1e-6)


@reproduces("LOSS-09")
def test_loss_09_ignored_rows_count_or_do_not() -> None:
    """Two of six rows ignored: the mean is over four, but over six by hand on Keras's function."""
    targets = np.array([0, 1, 2, 3, -1, -1])
    told = float(functional.cross_entropy(t(LOGITS), t(targets), ignore_index=-1))
    loss = K.SparseCategoricalCrossentropy(from_logits=True, ignore_class=-1)
    assert float(loss(targets, LOGITS)) == pytest.approx(told, rel=1e-5)
    rows = K.sparse_categorical_crossentropy(targets, LOGITS, from_logits=True, ignore_class=-1)
    assert float(tf.reduce_mean(rows)) == pytest.approx(told * 4 / 6, rel=1e-5)


@reproduces("LOSS-10")
def test_loss_10_the_mean_of_kl_divergence_divides_by_the_classes() -> None:
    """PyTorch's default is a fifth of Keras's with five classes; its batchmean agrees."""
    p, q = softmax(normal(6, 5, seed=7)), softmax(LOGITS)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # PyTorch itself advises against its default
        default = float(nn.KLDivLoss()(t(q).log(), t(p)))
    kept = float(K.KLDivergence()(p, q))
    assert kept / default == pytest.approx(5, rel=1e-3)
    assert float(nn.KLDivLoss(reduction="batchmean")(t(q).log(), t(p))) == pytest.approx(kept, rel=1e-3)


@reproduces("LOSS-11")
def test_loss_11_smooth_l1_is_huber_over_beta() -> None:
    """Huber agrees in both; SmoothL1 with it at 1 alone."""
    y, p = 3 * normal(40, 1), np.zeros((40, 1), "f4")
    for delta in (1.0, 2.0):
        huber = float(nn.HuberLoss(delta=delta)(t(p), t(y)))
        assert float(K.Huber(delta=delta)(y, p)) == pytest.approx(huber, rel=1e-5)
        assert float(nn.SmoothL1Loss(beta=delta)(t(p), t(y))) == pytest.approx(huber / delta, rel=1e-5)


@reproduces("LOSS-12")
def test_loss_12_poisson_takes_a_logarithm_in_pytorch() -> None:
    """By default; Keras takes the rate itself."""
    rates, y = np.exp(normal(40, 1)), np.abs(normal(40, 1, seed=1)).round()
    kept = float(K.Poisson()(y, rates))
    assert float(nn.PoissonNLLLoss(log_input=False)(t(rates), t(y))) == pytest.approx(kept, rel=1e-4)
    assert abs(float(nn.PoissonNLLLoss()(t(rates), t(y))) - kept) > 0.1
    assert float(nn.PoissonNLLLoss()(t(np.log(rates)), t(y))) == pytest.approx(kept, rel=1e-4)


@reproduces("LOSS-13")
def test_loss_13_cosine_similarity_is_negative_as_a_loss_of_keras() -> None:
    """And hinge takes classes 0 and 1 as well as -1 and 1."""
    a, b = normal(8, 5), normal(8, 5, seed=1)
    cosine = float(functional.cosine_similarity(t(a), t(b)).mean())
    assert float(K.CosineSimilarity()(a, b)) == pytest.approx(-cosine, rel=1e-4)
    y = np.array([[0.0], [1.0], [1.0], [0.0]], "f4")
    assert float(K.Hinge()(y, normal(4, 1))) == float(K.Hinge()(2 * y - 1, normal(4, 1)))


@reproduces("LOSS-14")
def test_loss_14_scikit_learns_gradient_is_of_the_sum_over_outputs() -> None:
    """With four outputs it is four times the slope of the loss that it reports."""
    for outputs in (1, 4):
        x, y = normal(30, 3).astype("f8"), normal(30, outputs, seed=1).astype("f8")
        mlp = one_epoch(MLPRegressor(hidden_layer_sizes=(4,), momentum=0.0), x, y.squeeze())
        residual = mlp.predict(x).reshape(30, outputs) - y
        assert mlp.loss_ == pytest.approx((residual**2).mean() / 2, rel=1e-9)
        slope_of_loss = residual.mean(0) / outputs
        moved = one_epoch_bias(x, y.squeeze())
        assert moved == pytest.approx(outputs * slope_of_loss, rel=1e-5)


def one_epoch_bias(x: Any, y: Any) -> np.ndarray:
    """The gradient of the output biases, from one step of length one."""
    biases = []
    for rate in (1e-30, 1.0):
        mlp = MLPRegressor(hidden_layer_sizes=(4,), solver="sgd", momentum=0.0, alpha=0.0, batch_size=len(x),
                           learning_rate_init=rate, max_iter=1, random_state=0, nesterovs_momentum=False)  # fmt: skip
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            biases.append(mlp.fit(x, y).intercepts_[-1])
    return biases[0] - biases[1]


@reproduces("LOSS-15")
def test_loss_15_scikit_learn_sums_over_labels() -> None:
    """Five labels: five times PyTorch's and Keras's binary cross-entropy."""
    x, y = normal(30, 3).astype("f8"), (normal(30, 5, seed=1) > 0).astype(int)
    mlp = one_epoch(MLPClassifier(hidden_layer_sizes=(4,)), x, y)
    p = mlp.predict_proba(x)
    told = float(nn.BCELoss()(t(p), t(y.astype("f8"))))
    assert float(K.BinaryCrossentropy()(y, p)) == pytest.approx(told, rel=1e-4)
    assert mlp.loss_ == pytest.approx(5 * told, rel=1e-6)


@reproduces("LOSS-16")
def test_loss_16_a_tape_loop_leaves_the_penalties_out() -> None:
    """``fit`` reports them with the loss, a loop that does not add ``model.losses`` has none of them."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1, kernel_regularizer=keras.regularizers.L2(0.1))])
    model.compile("sgd", "mse")
    x, y = normal(8, 3), normal(8, 1, seed=1)
    squares = float((array(model.layers[0].kernel) ** 2).sum())
    bare = float(K.MeanSquaredError()(y, model(x)))
    assert float(sum(model.losses)) == pytest.approx(0.1 * squares, rel=1e-5)
    reported = model.fit(x, y, verbose=0, batch_size=8).history["loss"][0]
    assert reported - bare == pytest.approx(0.1 * squares, rel=1e-4)
