"""Evaluations of a model whose spectral norm has not begun: told to whoever trains it."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.keras import unready  # noqa: E402 -- after the framework it is for
from auditor_agent.keras import Audit  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402

RNG = np.random.default_rng(2)
X = RNG.standard_normal((48, 12)).astype("float32")
Y = X[:, :1] * X[:, 1:2]
unready.observe()


def critic(*, convolutional: bool = False) -> Any:
    """Two layers with spectral norm; kernels far larger than it leaves them."""
    keras.utils.set_random_seed(4)
    wide, norm = keras.initializers.RandomNormal(stddev=1.0), keras.layers.SpectralNormalization
    inner: list[Any] = [norm(keras.layers.Dense(20, "relu", kernel_initializer=wide), name="first")]
    if convolutional:
        inner = [keras.layers.Reshape((12, 1)), norm(keras.layers.Conv1D(6, 3, kernel_initializer=wide), name="first")]
        inner += [keras.layers.Flatten()]
    last = norm(keras.layers.Dense(1, kernel_initializer=keras.initializers.RandomNormal(stddev=0.1)), name="last")
    model = keras.Sequential([keras.Input((12,)), *inner, last])
    model.compile("sgd", "mse")
    return model


def told(model: Any) -> list[dict[str, Any]]:
    """The events of a run that trains ``model``."""
    run = MemoryRun("told")
    model.fit(X, Y, batch_size=16, epochs=1, verbose=0, callbacks=[Audit(run=run)], validation_data=(X, Y))
    return [event for event in run.events if event["type"] == "unready"]


@pytest.mark.parametrize("convolutional", [False, True])
@pytest.mark.parametrize("method", ["evaluate", "predict", "test_on_batch", "predict_on_batch"])
def test_an_evaluation_before_training_is_told_with_how_far_the_kernels_were_off(
    method: str, convolutional: bool
) -> None:
    """At the start of the run; the factor is the largest singular value, at most."""
    model = critic(convolutional=convolutional)
    kernel = model.get_layer("first").kernel.numpy()
    quiet = {"verbose": 0} if method in {"evaluate", "predict"} else {}
    for _ in range(2):
        getattr(model, method)(*((X, Y) if method in {"evaluate", "test_on_batch"} else (X,)), **quiet)
    (event,) = told(model)
    assert (event["step"], event["kind"], event["layers"]) == (0, "spectral_norm", ["first", "last"])
    assert (event["passes"], event["samples"]) == (2, 96)
    largest = np.linalg.norm(kernel.reshape(-1, kernel.shape[-1]), 2)
    assert 0.9 * largest <= event["factors"][0] <= largest * (1 + 1e-5)


def test_a_data_set_tells_its_samples() -> None:
    """Of known length, by its batches."""
    model = critic()
    model.evaluate(tf.data.Dataset.from_tensor_slices((X, Y)).batch(16, drop_remainder=True), verbose=0)
    assert [event["samples"] for event in told(model)] == [48]


def called_in_training(model: Any) -> None:
    """One forward pass in training mode begins the iteration."""
    model(X, training=True)
    model.evaluate(X, Y, verbose=0)


def plain(model: Any) -> None:
    """Nothing is evaluated before the fit."""
    del model


def afterwards(model: Any) -> None:
    """Trained, by a fit that nobody heard of, then evaluated."""
    model.fit(X, Y, verbose=0)
    model.evaluate(X, Y, verbose=0)


@pytest.mark.parametrize("before", [called_in_training, plain, afterwards])
def test_what_has_begun_is_ready(before: Any) -> None:
    """Nothing is told; nor of the evaluations within a fit."""
    model = critic()
    before(model)
    assert told(model) == []
