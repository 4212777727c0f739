"""What Keras' rows are made of: the graph's statistics and the host's, losses from running means, times."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


import numpy as np
import pytest

from auditor_agent.capture.arrays import words as host_words
from auditor_agent.integrations.keras import native as keras_native
from auditor_agent.integrations.keras import ring as keras_ring
from auditor_agent.integrations.keras import update as keras_update
from auditor_agent.integrations.keras.logs import LogWatch
from support.keras_models import Array, MemoryRun, tf


@pytest.mark.parametrize("content", ["normal", "nan", "empty", "huge", "half", "denormal"])
def test_the_graph_and_the_host_count_alike(content: str) -> None:
    """The ring's statistics are those of NumPy, word for word up to rounding."""
    rng = np.random.default_rng(5)
    array: Array = rng.standard_normal((90, 70)).astype("float32")
    if content == "nan":
        array[3, :5], array[4, :7], array[5] = np.nan, -np.inf, 0
    elif content == "empty":
        array = np.full((3, 3), np.nan, "float32")
    elif content == "huge":
        array = array.astype("float64") * 1e200
    elif content == "half":
        array = array.astype("float16")
    elif content == "denormal":
        array[7, :30] = 1e-41  # TensorFlow's own threads take these for zeros
    host = host_words([array])
    assert_alike(keras_ring.RingStore(1, 2).statistics([tf.constant(array)]), host)
    if keras_native.operation() is not None:
        assert_alike(keras_native.NativeStore(2, 1, jit=False).statistics([tf.constant(array)]), host)


def assert_alike(graph: Array, host: Array) -> None:
    """Counts are equal, moments up to rounding in float32."""
    assert np.array_equal(graph[:4], host[:4])
    tops = host[8].view(np.float32) * np.array([1, 1, 1, 1, 1, 1, host[0, 0], 1])[:, None]
    close = np.abs(graph[4:].view(np.float32).astype(float) - host[4:].view(np.float32)) <= 1e-6 * np.maximum(
        tops, np.abs(host[4:].view(np.float32).astype(float))
    )
    assert close.all()


@pytest.mark.parametrize("how", ["eager", "graph", "jit"])
@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_values_read_in_place_stay_as_they_were(how: str, dtype: str) -> None:
    """A variable that moves on leaves what the host holds of it alone."""
    variable = tf.Variable(tf.ones([200, 300], dtype))

    def move() -> None:
        variable.assign_add(tf.ones([200, 300], dtype))

    act = move if how == "eager" else tf.function(move, jit_compile=how == "jit")
    act()
    before = keras_ring.host(variable)
    act()
    assert before.shape == (200, 300)
    assert (before == 2).all()
    assert (keras_ring.host(variable) == 3).all()
    assert np.shares_memory(keras_ring.host(variable), keras_ring.host(variable)) == (dtype != "bfloat16")


def test_without_gradients_the_running_mean_gives_the_loss_of_each_batch() -> None:
    """The fallback undoes the mean that fit reports, and starts anew with each epoch."""
    run = MemoryRun()
    watch = LogWatch(run)
    losses = [4.0, 2.0, 6.0, 1.0]
    for k in range(1, 5):
        watch.batch_end(1, {"loss": sum(losses[:k]) / k})
    watch.read()
    watch.batch_end(1, {"loss": 9.0})
    assert run.scalar("loss") == pytest.approx([*losses, 9.0])
    assert run.steps == [1, 2, 3, 4, 5]


def test_times_of_steps_run_together_are_spread_between_batches() -> None:
    """Where batches and steps do not match, the times of the steps rise evenly to the last."""
    assert keras_update.times([1.0, 2.0], 2, 9.0) == [1.0, 2.0]
    assert keras_update.times([1.0, 3.0], 3, 9.0) == [1.0, 2.0, 3.0]
    assert keras_update.times([], 2, 9.0) == [9.0, 9.0]
    assert keras_update.times([5.0], 2, 9.0) == [5.0, 5.0]
