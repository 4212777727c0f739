"""Around the update: penalties, clipping, accumulation, schedules, stopping."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
import torch
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch.optim import lr_scheduler

from support.reproduce import apart, array, keras_walk, normal, reproduces, torch_walk

SGD = keras.optimizers.SGD


class Watching(MLPRegressor):
    """Notes each batch's rows and the gradients that it gives."""

    def _backprop(self, x: Any, *rest: Any) -> Any:
        found = super()._backprop(x, *rest)
        self.__dict__.setdefault("seen", []).append((x[:, 0].copy(), [one.copy() for one in found[1]]))
        self.__dict__.setdefault("losses", []).append(float(found[0]))
        return found


def fitted(rows: int, kind: type = Watching, epochs: int = 1, **options: Any) -> Any:
    """An MLP of scikit-learn after some epochs on numbered rows, with steps too small to move it by default."""
    x = np.column_stack([np.arange(rows), normal(rows, 2)]).astype("f8")
    given = {"solver": "sgd", "learning_rate_init": 1e-30, "random_state": 0, "hidden_layer_sizes": (3,), **options}
    mlp = kind(max_iter=epochs, **given)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mlp.fit(x, x[:, 1])


def rates(scheduler: Any, optimizer: Any, steps: int, *told: float) -> list[float]:
    """Learning rates after each of some calls of a scheduler of PyTorch."""
    found = []
    for _ in range(steps):
        optimizer.step()
        scheduler.step(*told)
        found.append(float(optimizer.param_groups[0]["lr"]))
    return found


def plain() -> Any:
    """SGD of PyTorch at rate 1."""
    weight = torch.nn.Parameter(torch.zeros(1))
    weight.grad = torch.zeros(1)
    return torch.optim.SGD([weight], lr=1.0)


@reproduces("OPT-07")
def test_opt_07_one_strength_is_three_penalties() -> None:
    """0.5 of weight decay pulls by 0.5 w; Keras's L2(0.5) by w; tf.nn.l2_loss has the half within."""
    decayed = torch_walk(lambda p: torch.optim.SGD(p, 1.0, weight_decay=0.5), [[0.0]], 3.0)
    assert (3 - decayed[0, 0]) / 3 == pytest.approx(0.5)
    weight = tf.Variable([3.0])
    with tf.GradientTape(persistent=True) as tape:
        l2, half = keras.regularizers.L2(0.5)(weight), tf.nn.l2_loss(weight)
    assert array(tape.gradient(l2, weight))[0] / 3 == pytest.approx(1)
    assert array(tape.gradient(half, weight))[0] / 3 == pytest.approx(1)
    assert float(keras.regularizers.L2().l2) == pytest.approx(0.01)


@reproduces("OPT-08")
def test_opt_08_alpha_is_divided_by_the_mini_batch() -> None:
    """The gradient of the penalty is alpha w / n, n being 50 or 200 of the same 400 rows."""
    for size in (50, 200):
        with_alpha, without = (fitted(400, batch_size=size, alpha=alpha) for alpha in (1.0, 0.0))
        for layer in (0, 1):
            pull = with_alpha.seen[0][1][layer] - without.seen[0][1][layer]
            assert pull * size == pytest.approx(with_alpha.coefs_[layer], rel=1e-4, abs=1e-6)
        squares = sum(float((w**2).sum()) for w in with_alpha.coefs_)
        assert with_alpha.losses[0] - without.losses[0] == pytest.approx(squares / (2 * size), rel=1e-5)


@reproduces("OPT-09")
def test_opt_09_optimizers_decay_biases_scikit_learn_does_not() -> None:
    """Without a gradient a bias shrinks in PyTorch and in Keras until it is excluded."""
    assert torch_walk(lambda p: torch.optim.AdamW(p, 0.5, weight_decay=0.1), [[0.0]], 1.0)[0, 0] == pytest.approx(0.95)
    shrunk = []
    for excluded in (False, True):
        layer = keras.layers.Dense(1, bias_initializer="ones")
        layer.build((None, 1))
        optimizer = keras.optimizers.AdamW(0.5, weight_decay=0.1)
        if excluded:
            optimizer.exclude_from_weight_decay(var_names=["bias"])
        optimizer.apply([tf.zeros((1, 1)), tf.zeros(1)], layer.trainable_variables)
        shrunk.append(float(array(layer.bias)[0]))
    assert shrunk == pytest.approx([0.95, 1.0])
    a, b = (fitted(64, alpha=alpha, learning_rate_init=1e-3, momentum=0.0) for alpha in (0.0, 1e3))
    assert apart(a.intercepts_[1], b.intercepts_[1]) < 1e-12
    assert apart(a.coefs_[1], b.coefs_[1]) > 1e-3


@reproduces("OPT-19")
def test_opt_19_clipnorm_is_per_variable() -> None:
    """Gradients of norms 5 and 10 clipped at 1: equal lengths under clipnorm, one to two elsewhere."""
    gradients = [np.array([3.0, 4.0]), np.array([6.0, 8.0])]
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in gradients]
    for weight, gradient in zip(weights, gradients, strict=True):
        weight.grad = torch.tensor(gradient, dtype=torch.float32)
    torch.nn.utils.clip_grad_norm_(weights, 1.0)
    lengths = {"torch": [float(weight.grad.norm()) for weight in weights]}
    for option in ("clipnorm", "global_clipnorm"):
        variables = [keras.Variable(np.zeros(2)) for _ in gradients]
        SGD(1.0, **{option: 1.0}).apply([tf.constant(one, tf.float32) for one in gradients], variables)
        lengths[option] = [float(np.linalg.norm(array(one))) for one in variables]
    assert lengths["clipnorm"] == pytest.approx([1, 1], rel=1e-5)
    assert lengths["global_clipnorm"] == pytest.approx([0.4472, 0.8944], rel=1e-3)
    assert lengths["torch"] == pytest.approx(lengths["global_clipnorm"], rel=1e-5)


@reproduces("OPT-20")
def test_opt_20_clipping_by_value_is_one_thing() -> None:
    """Element by element in both."""
    weight = torch.nn.Parameter(torch.zeros(3))
    weight.grad = torch.tensor([5.0, -0.2, -3.0])
    torch.nn.utils.clip_grad_value_([weight], 1.0)
    walk = keras_walk(SGD(1.0, clipvalue=1.0), [[5.0, -0.2, -3.0]], np.zeros(3))
    assert array(weight.grad).tolist() == pytest.approx((-walk[0]).tolist())
    with pytest.raises(ValueError, match="clip"):
        SGD(clipvalue=1.0, clipnorm=1.0)


@reproduces("OPT-21")
def test_opt_21_accumulated_gradients_are_averaged_in_keras() -> None:
    """Gradients 1 and 3: a step of 2 there, of 4 in PyTorch."""
    walk = keras_walk(SGD(1.0, gradient_accumulation_steps=2), [[1.0], [3.0]], 0.0)
    assert walk[:, 0] == pytest.approx([0, -2])
    weight = torch.nn.Parameter(torch.zeros(1))
    for gradient in (1.0, 3.0):
        (gradient * weight).sum().backward()
    assert float(weight.grad) == 4


@reproduces("OPT-23")
def test_opt_23_invscaling_counts_samples() -> None:
    """After three epochs of 1,000 samples the rate is lr / sqrt(3001), not lr / sqrt(4)."""
    mlp = fitted(1000, MLPRegressor, 3, learning_rate="invscaling", learning_rate_init=1e-12)
    assert mlp._optimizer.learning_rate == pytest.approx(1e-12 / 3001**0.5)
    optimizer, rows = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1e-12), 1000
    scheduler = lr_scheduler.LambdaLR(optimizer, lambda epoch: (1 + rows * epoch) ** -0.5)  # as the entry's fix says
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    assert scheduler.get_last_lr() == pytest.approx([mlp._optimizer.learning_rate])


@reproduces("OPT-26")
def test_opt_26_without_zero_grad_gradients_add_up() -> None:
    """Unit gradients at rate 1: steps of 1, 2, 3, 4."""
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer, positions = torch.optim.SGD([weight], lr=1.0), []
    for _ in range(4):
        weight.sum().backward()
        optimizer.step()
        positions.append(float(weight.detach()))
    assert positions == [-1, -3, -6, -10]
    kept = tf.Variable([0.0])
    for _ in range(2):
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(kept)
        assert array(tape.gradient(loss, kept)).tolist() == [1]


@reproduces("OPT-27")
def test_opt_27_keras_3_ignores_decay_and_refuses_lr() -> None:
    """A Keras-2 script silently loses its decay."""
    with pytest.warns(UserWarning, match="decay"):
        optimizer = SGD(1.0, decay=1.0)
    assert np.diff(keras_walk(optimizer, np.ones((3, 1)), 0.0)[:, 0], prepend=0).tolist() == [-1, -1, -1]
    with pytest.raises(ValueError, match="lr"):
        SGD(lr=1.0)
    meant = SGD(keras.optimizers.schedules.InverseTimeDecay(1.0, 1, 1.0))
    assert np.diff(keras_walk(meant, np.ones((3, 1)), 0.0)[:, 0], prepend=0) == pytest.approx([-1, -1 / 2, -1 / 3])


@reproduces("SCH-01")
def test_sch_01_keras_schedules_count_steps() -> None:
    """Halved every step there; in PyTorch whenever the program calls the scheduler, often once an epoch."""
    halving = keras.optimizers.schedules.ExponentialDecay(1.0, 1, 0.5)
    walk = keras_walk(SGD(halving), np.ones((3, 1)), 0.0)[:, 0]
    assert np.diff(walk, prepend=0).tolist() == [-1, -0.5, -0.25]
    optimizer = plain()
    scheduler = lr_scheduler.ExponentialLR(optimizer, 0.5)
    told = []
    for step in range(1, 7):
        told.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        if step % 3 == 0:
            scheduler.step()
    assert told == [1, 1, 1, 0.5, 0.5, 0.5]


def plateau(losses: list[float]) -> int | None:
    """The epoch, from 1, after which Keras's plateau callback with patience 3 first lowers the rate."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(SGD(1.0), "mse")
    callback = keras.callbacks.ReduceLROnPlateau("loss", patience=3)
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"loss": loss})
        if float(model.optimizer.learning_rate) < 1:
            return epoch + 1
    return None


@reproduces("SCH-02")
@pytest.mark.filterwarnings("ignore:__array__ implementation")  # Keras's callback and NumPy 2
def test_sch_02_plateaus_are_judged_differently() -> None:
    """A flat loss: epoch 5 or 4. A slow gain at 1000: never in Keras, whose threshold is absolute."""
    told = {}
    for name, losses in (("flat", [1.0] * 8), ("slow", [1000 - 0.01 * epoch for epoch in range(8)])):
        optimizer = plain()
        scheduler = lr_scheduler.ReduceLROnPlateau(optimizer, patience=3)
        seen = [rates(scheduler, optimizer, 1, loss)[0] for loss in losses]
        told[name] = (next(at for at, rate in enumerate(seen, 1) if rate < 1), plateau(losses))
    assert told == {"flat": (5, 4), "slow": (5, None)}


@reproduces("SCH-03")
def test_sch_03_scikit_learn_always_stops_early() -> None:
    """A loss that stands still: 12 epochs by default, all 60 with tol=0 and no end of patience."""
    assert fitted(20, MLPRegressor, 60).n_iter_ == 12
    assert fitted(20, MLPRegressor, 60, tol=0, n_iter_no_change=10**6).n_iter_ == 60
    stopping = keras.callbacks.EarlyStopping()
    assert (stopping.patience, stopping.min_delta, stopping.restore_best_weights) == (0, 0, False)


@reproduces("SCH-04")
def test_sch_04_early_stopping_of_scikit_learn_trains_on_nine_tenths() -> None:
    """It holds out a tenth of the training data."""
    stopped = fitted(200, early_stopping=True, learning_rate_init=1e-30)
    assert sum(len(rows) for rows, _ in stopped.seen) == 180 * stopped.n_iter_
    assert sum(len(rows) for rows, _ in fitted(200).seen) == 200


@reproduces("SCH-05")
def test_sch_05_cosine_annealing_rises_again_in_pytorch() -> None:
    """One curve to its end; then PyTorch climbs back and Keras stays down."""
    optimizer = plain()
    told = rates(lr_scheduler.CosineAnnealingLR(optimizer, T_max=10), optimizer, 20)
    curve = keras.optimizers.schedules.CosineDecay(1.0, 10)
    kept = [float(curve(step)) for step in range(1, 21)]
    assert told[:10] == pytest.approx(kept[:10], abs=1e-6)
    assert (told[-1], kept[-1]) == (pytest.approx(1), pytest.approx(0))


@reproduces("DATA-06")
def test_data_06_the_order_of_scikit_learn_can_be_replayed() -> None:
    """Weights are drawn first, then one list of rows is shuffled again before each epoch."""
    mlp = fitted(40, epochs=2, batch_size=10)
    source = np.random.RandomState(0)
    for fan_in, fan_out in ((3, 3), (3, 1)):
        source.uniform(size=(fan_in, fan_out))
        source.uniform(size=fan_out)
    rows, expected = np.arange(40), []
    for _ in range(2):
        rows = rows[source.permutation(40)]
        expected.append(rows.tolist())
    assert [int(one) for batch, _ in mlp.seen for one in batch] == [*expected[0], *expected[1]]


@reproduces("DATA-07")
def test_data_07_max_iter_counts_epochs() -> None:
    """Five of them over 40 rows are 200 rows; one is Keras's default, 200 scikit-learn's."""
    import inspect

    mlp = fitted(40, epochs=5, batch_size=10)
    assert (mlp.n_iter_, len(mlp.seen), mlp.t_) == (5, 20, 200)
    assert (MLPRegressor().max_iter, inspect.signature(keras.Model.fit).parameters["epochs"].default) == (200, 1)


@reproduces("DATA-09")
def test_data_09_mlpregressor_takes_the_loss_first() -> None:
    """Layer sizes given by position are refused; MLPClassifier still takes them."""
    with pytest.raises(ValueError, match="loss"):
        MLPRegressor((10,)).fit([[0.0], [1.0]], [0.0, 1.0])
    assert MLPClassifier((10,)).hidden_layer_sizes == (10,)


@reproduces("OPT-29")
def test_opt_29_repeated_rows_of_an_embedding_weigh_less_in_keras() -> None:
    """Two equal gradients g for one row: its second moment grows by (2g)^2 dense, by half of that from slices."""
    table = keras.layers.Embedding(3, 1)
    table.build((None,))
    moments, gradients = [], []
    for dense in (False, True):
        optimizer = keras.optimizers.Adam(1e-3)
        optimizer.build(table.trainable_variables)
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(table(tf.constant([0, 0])))
        gradient = tape.gradient(loss, table.trainable_variables)[0]
        assert isinstance(gradient, tf.IndexedSlices)
        optimizer.apply([tf.convert_to_tensor(gradient) if dense else gradient], table.trainable_variables)
        moments.append(array(optimizer._velocities[0])[0, 0])
        gradients.append(array(optimizer._momentums[0])[0, 0])
    assert gradients[0] == pytest.approx(gradients[1])
    assert moments[1] == pytest.approx(0.004, rel=1e-4)
    assert moments[0] == pytest.approx(0.5 * moments[1], rel=1e-4)
