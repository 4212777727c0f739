"""What tests of the Keras callback share: a run that keeps what it is told, and models, healthy and poisoned."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from auditor_agent.capture.arrays import words as host_words
from auditor_agent.statistics import COUNTS, STATISTICS
from support.record_run import MemoryRun

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

__all__ = ["Array", "MemoryRun", "assert_same_statistics", "by_tape", "data", "keras", "mlp", "poisoned", "tf"]

Array = npt.NDArray[Any]


def data(samples: int = 200) -> tuple[Array, Array]:
    """A small regression."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((samples, 6)).astype("float32")
    return x, (x[:, :1] - x[:, 1:2] ** 2).astype("float32")


def mlp(*, seed: int = 3, dropout: float = 0.0, regularizer: str | None = None, built: bool = True) -> Any:
    """A small network, the same one for a seed."""
    keras.utils.set_random_seed(seed)
    layers = [keras.Input((6,))] if built else []
    layers += [keras.layers.Dense(80, activation="relu", name="first", kernel_regularizer=regularizer)]
    layers += [keras.layers.Dense(60, activation="relu", name="middle")]  # 80 * 60 > what is joined on the host
    if dropout:
        layers.append(keras.layers.Dropout(dropout))
    return keras.Sequential([*layers, keras.layers.Dense(1, name="last")])


def by_tape(model: Any, x: Array, y: Array, batch: int, epochs: int) -> list[tuple[float, dict[str, Array]]]:
    """Loss and gradients of each step of an unshuffled fit, by hand; trains ``model``."""
    out = []
    for _ in range(epochs):
        for start in range(0, len(x), batch):
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(
                    tf.square(model(x[start : start + batch], training=True) - y[start : start + batch])
                )
                loss += sum(model.losses)
            grads = tape.gradient(loss, model.trainable_variables)
            named = {
                v.path: tf.convert_to_tensor(g).numpy() for v, g in zip(model.trainable_variables, grads, strict=True)
            }
            out.append((float(loss), named))
            model.optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
    return out


def assert_same_statistics(found: Mapping[str, float], gradient: Array, tolerance: float) -> None:
    """Counts are equal; moments within ``tolerance`` of the size of what they sum."""
    matrix = host_words([gradient.astype(np.float64)])
    moments = matrix[4:, 0].view(np.float32)
    expected = dict(zip(STATISTICS, [*matrix[:4, 0].tolist(), *moments.tolist()], strict=True))
    assert [found[name] for name in COUNTS] == [expected[name] for name in COUNTS]
    top = float(np.abs(gradient).max())
    scales = {"l2": expected["l2"], "sum": top * gradient.size, "sumsq": expected["sumsq"]}
    for name in STATISTICS[4:]:
        assert abs(found[name] - expected[name]) <= tolerance * scales.get(name, top), name


class Poisoned(keras.layers.Dense):  # type: ignore[misc]  # Keras has no types
    """A dense layer whose kernel's gradient is broken at one step."""

    def __init__(self, units: int, at: int, value: float = float("nan"), **kwargs: Any) -> None:
        super().__init__(units, **kwargs)
        self.at, self.value = at, value

    def build(self, shape: Any) -> None:
        """Add a counter of training calls."""
        super().build(shape)
        self.calls = self.add_weight(shape=(), dtype="int32", initializer="zeros", trainable=False, name="calls")

    def call(self, inputs: Any, training: bool = False) -> Any:
        """What Dense does, with the kernel behind the poison."""
        if training:
            self.calls.assign_add(1)
        calls = tf.convert_to_tensor(self.calls)

        @tf.custom_gradient  # type: ignore[untyped-decorator]  # TensorFlow has no types
        def poison(kernel: Any) -> tuple[Any, Callable[[Any], Any]]:
            return tf.identity(kernel), lambda up: tf.where(calls == self.at, tf.cast(self.value, up.dtype), up)

        kernel = poison(tf.cast(tf.convert_to_tensor(self.kernel), inputs.dtype))
        return tf.matmul(inputs, kernel) + tf.cast(tf.convert_to_tensor(self.bias), inputs.dtype)


def poisoned(at: int, value: float = float("nan")) -> Any:
    """A network whose kernel ``b`` gets a broken gradient at the given training call."""
    keras.utils.set_random_seed(1)
    layers = [
        keras.layers.Dense(8, activation="relu", name="a"),
        Poisoned(8, at, value, name="b"),
        keras.layers.Dense(1, name="c"),
    ]
    return keras.Sequential([keras.Input((6,)), *layers])
