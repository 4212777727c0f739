"""Around the step: order and size of batches, modes, precision, and what a printed number contains."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPRegressor
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from support.reproduce import apart, array, normal, reproduces, watched_fit

L = keras.layers


def numbered(rows: int) -> np.ndarray:
    """Rows that tell their number."""
    return np.arange(rows, dtype="f4")[:, None]


def one(layer: Any = None, width: int = 1, **options: Any) -> Any:
    """A compiled model of one dense unit with weights of one."""
    model = keras.Sequential([keras.Input((width,)), layer or L.Dense(1, kernel_initializer="ones")])
    model.compile(**{"optimizer": keras.optimizers.SGD(0.0), "loss": "mse", **options})
    return model


def sklearn_fit(x: Any, y: Any, **options: Any) -> Any:
    """An MLP after one epoch with steps too small to move it."""
    given = {"hidden_layer_sizes": (3,), "solver": "sgd", "learning_rate_init": 1e-30, "max_iter": 1, "random_state": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return MLPRegressor(**{**given, **options}).fit(x, y)


@reproduces("DATA-01")
def test_data_01_fit_shuffles_arrays_and_nothing_else_does() -> None:
    """Not a ``tf.data`` dataset, whatever ``shuffle`` says, and not a DataLoader by default."""
    x, kept = numbered(40), list(range(40))
    read = {
        "fit": watched_fit(x, batch_size=10),
        "fit, off": watched_fit(x, batch_size=10, shuffle=False),
    }
    dataset = tf.data.Dataset.from_tensor_slices((x, x)).batch(10)
    with pytest.warns(UserWarning, match="shuffle=True"):
        read["dataset"] = watched_fit(dataset, shuffle=True)
    orders = {name: [value for batch in watch.batches() for value in batch] == kept for name, watch in read.items()}
    assert orders == {"fit": False, "fit, off": True, "dataset": True}
    loader = DataLoader(TensorDataset(torch.tensor(x)), batch_size=10)
    assert [value for (batch,) in loader for value in batch[:, 0].tolist()] == kept
    assert MLPRegressor().shuffle


@reproduces("DATA-02")
def test_data_02_batch_sizes() -> None:
    """70 rows are batches of 32, 32 and 6 in Keras, 70 of 1 in a DataLoader; scikit-learn takes 200 at most."""
    assert [len(batch) for batch in watched_fit(numbered(70)).batches()] == [32, 32, 6]
    assert len(list(DataLoader(TensorDataset(torch.tensor(numbered(70)))))) == 70
    x = normal(470, 2)
    adam = sklearn_fit(x, x[:, 0], solver="adam")
    assert adam._optimizer.t == 3
    assert len(range(70 // 32)) * 32 == 64


@reproduces("DATA-03")
def test_data_03_validation_split_takes_the_last_rows() -> None:
    """Before anything is shuffled: of 50 rows 40 to 49, whatever they are."""
    watch = watched_fit(numbered(50), validation_split=0.2, batch_size=50)
    assert [value for batch in watch.batches(training=False) for value in batch] == list(range(40, 50))
    held = torch.utils.data.random_split(range(50), [40, 10])[1].indices
    assert sorted(held) != list(range(40, 50))


@reproduces("DATA-04")
def test_data_04_float64_input_raises_is_cast_or_is_kept() -> None:
    """PyTorch and TensorFlow refuse, Keras casts to float32, scikit-learn trains in float64."""
    x = normal(4, 3).astype("f8")
    with pytest.raises(RuntimeError, match="dtype"):
        nn.Linear(3, 1)(torch.tensor(x))
    assert L.Dense(1)(x).dtype == tf.float32
    with pytest.raises(tf.errors.InvalidArgumentError):
        tf.matmul(tf.constant(x), tf.ones((3, 1)))
    for kind in ("f8", "f4"):
        assert sklearn_fit(x.astype(kind), x[:, 0].astype(kind)).coefs_[0].dtype == kind


@reproduces("DATA-05")
def test_data_05_compiling_changes_rounding_alone() -> None:
    """``fit`` decides against XLA on a CPU; with it, a few steps agree to 1e-5."""
    x, y = normal(16, 3), normal(16, 1, seed=1)
    ends = []
    for compiled in ("auto", True):
        keras.utils.set_random_seed(0)
        model = one(L.Dense(1), 3, optimizer=keras.optimizers.Adam(1e-2), jit_compile=compiled)
        model.fit(x, y, epochs=4, batch_size=16, shuffle=False, verbose=0)
        ends.append(np.concatenate([array(weight).ravel() for weight in model.weights]))
        assert model.jit_compile == (compiled is True)
    assert apart(*ends) < 1e-5


@reproduces("DATA-08")
def test_data_08_accuracy_of_logits_is_cut_at_a_half() -> None:
    """Logits that are right at zero: "accuracy" is a half."""
    logits, labels = np.array([[0.2], [0.4], [-0.3], [-0.1]], "f4"), np.array([[1.0], [1.0], [0.0], [0.0]], "f4")
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    for metric, told in (("accuracy", 0.5), (keras.metrics.BinaryAccuracy(threshold=0.0), 1.0)):
        scores = one(loss=loss, metrics=[metric]).evaluate(logits, labels, verbose=0)
        assert scores[1] == told


@reproduces("DATA-10")
def test_data_10_a_seeded_fit_repeats_one_order() -> None:
    """After ``set_random_seed`` every epoch, and every further ``fit``, sees one permutation; without, each its own."""
    orders = []
    for _ in range(2):
        orders += list(watched_fit(numbered(20), batch_size=20, epochs=3).batches())
    assert len(orders) == 6
    assert all(order == orders[0] for order in orders)
    assert orders[0] != sorted(orders[0])
    tf.random.set_seed(None)
    free = list(watched_fit(numbered(20), batch_size=20, epochs=3).batches())
    assert len({tuple(order) for order in free}) == 3
    loader = DataLoader(TensorDataset(torch.arange(20)), batch_size=20, shuffle=True)
    assert len({tuple(batch.tolist()) for _ in range(3) for (batch,) in loader}) == 3


@reproduces("MODE-01")
def test_mode_01_a_bare_call_trains_in_pytorch_and_infers_in_keras() -> None:
    """Dropout drops a half or nothing; normalisation takes the batch or the running statistics."""
    ones = np.ones((50, 50), "f4")
    dropped = (nn.Dropout(0.5)(torch.tensor(ones)), L.Dropout(0.5)(ones), L.Dropout(0.5)(ones, training=True))
    zeros = [float((array(kept) == 0).mean()) for kept in dropped]
    assert zeros == pytest.approx([0.5, 0, 0.5], abs=0.05)
    x, norm = normal(64, 2) + 3, L.BatchNormalization()
    assert array(norm(x)).mean() > 2.5
    assert not array(norm.moving_mean).any()
    assert abs(array(norm(x, training=True)).mean()) < 1e-4
    assert abs(array(nn.BatchNorm1d(2)(torch.tensor(x))).mean()) < 1e-4


@reproduces("MODE-02")
def test_mode_02_frozen_normalization_goes_on_counting_in_pytorch() -> None:
    """``requires_grad=False`` still updates the statistics; ``trainable=False`` does not."""
    x = normal(64, 2) + 3
    module, layer = nn.BatchNorm1d(2).requires_grad_(requires_grad=False), L.BatchNormalization()
    layer.trainable = False
    module(torch.tensor(x)), layer(x, training=True)
    assert array(module.running_mean) == pytest.approx(0.1 * x.mean(0), rel=1e-4)
    assert not array(layer.moving_mean).any()


@reproduces("MODE-03")
def test_mode_03_without_eval_a_validation_is_noise() -> None:
    """Two predictions differ by their own size, and change the statistics; ``predict`` of Keras repeats itself."""
    x = normal(64, 8)
    model = nn.Sequential(nn.Linear(8, 8), nn.BatchNorm1d(8), nn.Dropout(0.5))
    assert apart(model(torch.tensor(x)), model(torch.tensor(x))) > 0.5
    assert int(model[1].num_batches_tracked) == 2
    model.eval()
    assert apart(model(torch.tensor(x)), model(torch.tensor(x))) == 0
    kept = one(L.Dropout(0.5), 8)
    assert apart(kept.predict(x, verbose=0), kept.predict(x, verbose=0)) == 0


@reproduces("LOSS-17")
def test_loss_17_scikit_learns_loss_contains_the_penalty() -> None:
    """``loss_`` is half the squared error plus alpha/(2n) times the squares of the weights."""
    x = normal(50, 2).astype("f8")
    mlp = sklearn_fit(x, x[:, 0], alpha=2.0, batch_size=50)
    squares = sum(float((weights**2).sum()) for weights in mlp.coefs_)
    data = ((mlp.predict(x) - x[:, 0]) ** 2).mean() / 2
    assert mlp.loss_ == pytest.approx(data + 2 * squares / (2 * 50), rel=1e-9)
    assert squares / 50 > 0.01 * data


@reproduces("LOSS-18")
def test_loss_18_the_loss_of_an_epoch_is_a_mean_over_moving_weights() -> None:
    """``history`` weighs batches by their rows, and is neither the last batch's loss nor ``evaluate``'s."""
    x, y = normal(40, 3), 3 * normal(40, 1, seed=1)
    model = one(L.Dense(1), 3, optimizer=keras.optimizers.SGD(0.1))
    start, rate, batches = model.get_weights(), 0.1, []
    told = model.fit(x, y, batch_size=32, shuffle=False, verbose=0).history["loss"][0]
    weight, bias = map(array, start)
    for rows in (slice(0, 32), slice(32, 40)):
        residual = x[rows] @ weight + bias - y[rows]
        batches.append(float((residual**2).mean()))
        weight = weight - rate * 2 * x[rows].T @ residual / len(residual)
        bias = bias - rate * 2 * residual.mean(0)
    assert told == pytest.approx((32 * batches[0] + 8 * batches[1]) / 40, rel=1e-4)
    for other in (np.mean(batches), batches[1], model.evaluate(x, y, verbose=0)):
        assert abs(told / other - 1) > 1e-3


@reproduces("LOSS-19")
def test_loss_19_a_mean_of_means_overweighs_the_last_batch() -> None:
    """Of 33 rows the last alone is wrong: Keras tells the mean over rows, 16.5 times less than a mean of means."""
    x, y = np.zeros((33, 1), "f4"), np.zeros((33, 1), "f4")
    y[32] = 10
    told = one().evaluate(x, y, batch_size=32, verbose=0)
    means = [
        float(nn.functional.mse_loss(torch.tensor(x[at]), torch.tensor(y[at]))) for at in (slice(32), slice(32, 33))
    ]
    assert told == pytest.approx(100 / 33, rel=1e-5)
    assert np.mean(means) / told == pytest.approx(16.5, rel=1e-5)


@reproduces("LOSS-20")
def test_loss_20_evaluate_adds_the_penalty() -> None:
    """The squared error and three times the square of a weight of one."""
    layer = L.Dense(1, kernel_initializer="ones", kernel_regularizer=keras.regularizers.L2(3.0))
    x, y = normal(20, 1), normal(20, 1, seed=1)
    told = one(layer).evaluate(x, y, verbose=0)
    assert told == pytest.approx(float(((x - y) ** 2).mean()) + 3, rel=1e-5)


@reproduces("FWD-24")
def test_fwd_24_keras_has_one_epsilon_for_losses() -> None:
    """1e-7; with another the clipped loss moves, and PyTorch has none."""
    assert keras.config.epsilon() == 1e-7
    told = []
    for epsilon in (1e-7, 1e-3):
        keras.config.set_epsilon(epsilon)
        try:
            told.append(float(keras.losses.BinaryCrossentropy()([[1.0]], [[0.0]])))
        finally:
            keras.config.set_epsilon(1e-7)
    assert told == pytest.approx([16.1, 6.9], abs=0.1)


@reproduces("PREC-01")
def test_prec_01_mixed_precision_goes_by_operation_or_by_layer() -> None:
    """Normalisation and softmax stay float32 under autocast, and become bfloat16 under Keras's policy."""
    x = torch.tensor(normal(4, 8))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        told = [nn.Linear(8, 8)(x), nn.LayerNorm(8)(x), x.softmax(-1), nn.functional.mse_loss(x, x)]
    assert [value.dtype for value in told] == [torch.bfloat16, torch.float32, torch.float32, torch.float32]
    kept = [layer(normal(4, 8)) for layer in
            (L.Dense(8, dtype="mixed_bfloat16"), L.LayerNormalization(dtype="mixed_bfloat16"),
             L.Softmax(dtype="mixed_bfloat16"))]  # fmt: skip
    assert [value.dtype for value in kept] == [tf.bfloat16] * 3
    dense = L.Dense(8, dtype="mixed_bfloat16")
    dense.build((None, 8))
    assert dense.kernel.dtype == "float32"
    assert keras.losses.MeanSquaredError()(kept[0], kept[0]).dtype == tf.float32
