"""Histograms of gradients from Keras on TensorFlow and from custom loops, by the C kernel within the graph."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.capture.array_histogram import histograms, shifted  # noqa: E402 -- after the framework
from auditor_agent.capture.native.tensorflow import Ring, operation  # noqa: E402
from auditor_agent.integrations.tensorflow.audit import Loop  # noqa: E402
from auditor_agent.keras import Audit  # noqa: E402
from support.keras_models import data, mlp  # noqa: E402
from support.record_run import MemoryRun  # noqa: E402
from support.reference import histogram  # noqa: E402

pytestmark = pytest.mark.skipif(operation() is None, reason="the operation was not built")


@pytest.fixture(autouse=True)
def clean_keras() -> Iterator[None]:
    """Names and policies start anew."""
    keras.utils.clear_session()
    keras.config.set_dtype_policy("float32")
    yield
    keras.config.set_dtype_policy("float32")


def plausible(run: MemoryRun, step: int) -> None:
    """A step's histograms hold all its elements, the largest in the bin of absmax."""
    table = next(record["table"] for record in run.records if record["step"] == step)
    gradients = {key: row for key, row in table.items() if key[0] == "gradient"}
    assert run.counted[step].keys() == gradients.keys()
    for key, row in gradients.items():
        counters = run.counted[step][key]
        assert sum(counters) == row["count"] - row["nan"]
        top = max((bin_ for bin_, count in enumerate(counters) if count), default=0)
        assert top == (max(0, math.floor(math.log2(row["absmax"])) + 40) if row["absmax"] else 0)


@pytest.mark.parametrize("mode", [None, {}, {"jit_compile": True}], ids=["eager", "graph", "jit"])
def test_every_gradient_of_a_loop_is_counted(mode: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """At each third step and the first, exactly."""
    monkeypatch.setenv("AUDITOR_HISTOGRAMS", "3")
    run = MemoryRun(f"loop {np.random.default_rng().integers(2**60)}")
    loop = Loop(run)  # type: ignore[arg-type]  # it has what a run has
    keras.utils.set_random_seed(1)
    model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(40, "relu"), keras.layers.Dense(1)])
    optimizer = keras.optimizers.SGD(0.01)

    def step(x: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(model(x)))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        loop.step(loss, gradients, model.trainable_variables)
        return gradients

    traced = step if mode is None else tf.function(step, **mode)
    batches = np.random.default_rng(0).standard_normal((10, 16, 6)).astype("float32")
    seen = [[gradient.numpy() for gradient in traced(tf.constant(batch))] for batch in batches]
    loop.close()
    run.finished = True
    assert list(run.counted) == [1, 3, 6, 9]
    for number, counted in run.counted.items():
        assert list(counted.values()) == [histogram(gradient) for gradient in seen[number - 1]]


@pytest.mark.parametrize(("steps_per_execution", "jit"), [(1, False), (8, False), (1, True)])
def test_every_gradient_of_fit_is_counted(steps_per_execution: int, jit: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """At every step, also of several in one execution, also compiled."""
    monkeypatch.setenv("AUDITOR_HISTOGRAMS", "1")
    x, y = data(320)
    model, run = mlp(), MemoryRun()
    model.compile("adam", "mse", jit_compile=jit, steps_per_execution=steps_per_execution)
    model.fit(x, y, batch_size=32, epochs=2, verbose=0, callbacks=[Audit(run=run)])
    assert list(run.counted) == run.steps == list(range(1, 21))
    for step in run.steps:
        plausible(run, step)


def test_scaled_gradients_are_counted_as_if_unscaled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Mixed precision with a loss scale."""
    monkeypatch.setenv("AUDITOR_HISTOGRAMS", "1")
    keras.config.set_dtype_policy("mixed_float16")
    x, y = data(64)
    model, run = mlp(), MemoryRun()
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.01), initial_scale=1024.0), "mse")
    model.fit(x, y, batch_size=32, epochs=2, verbose=0, callbacks=[Audit(run=run)])
    assert run.counted
    for step in run.counted:
        plausible(run, step)


def test_none_unless_asked_for() -> None:
    """The rows are what they were."""
    x, y = data(64)
    model, run = mlp(), MemoryRun()
    model.compile("adam", "mse")
    model.fit(x, y, batch_size=32, verbose=0, callbacks=[Audit(run=run)])
    assert run.steps
    assert run.counted == {}


def test_a_ring_with_histograms_keeps_within_its_memory() -> None:
    """Fewer rows for many tensors; where too few would be left, it stays as it was."""
    ring = Ring(1024, 2000)
    ring.count(1, 16)
    assert 16 <= ring.rows < 64
    other = Ring(1024, 2000)
    other.count(1, 500)
    assert other.rows == 1024


def test_a_shifted_histogram_is_that_of_the_scaled_array() -> None:
    """The ends stay; what is not finite shifts nothing."""
    values = np.array([1.0, 3.0, 2.0**-10, 0.0, np.inf])
    made = shifted(histograms([values]), 2.0**-7)
    assert made.tolist() == histograms([values * 2.0**-7]).tolist()
    assert shifted(made, math.inf) is made
    assert shifted(made, 0.0) is made
