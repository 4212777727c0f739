"""Loops around ``tf.GradientTape`` as people write them, and what is recorded of them unasked."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import pytest
import tensorflow as tf

from auditor_agent.integrations.tensorflow import audit as loops
from auditor_agent.integrations.tensorflow import epochs as tensorflow_epochs
from auditor_agent.integrations.tensorflow import tape as tensorflow_tape
from auditor_agent.integrations.tensorflow.seen import Known
from support.record_run import MemoryRun

RNG = np.random.default_rng(0)
X = RNG.standard_normal((130, 6)).astype("float32")
Y = (X[:, 0] - X[:, 1] ** 2).astype("float32")
SIZE, PER_EPOCH = 26, 5

Step = Callable[[Any, Any], Any]


@contextlib.contextmanager
def listening(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    told, unasked = MemoryRun(f"loop {id(monkeypatch)}"), loops._Unasked()
    monkeypatch.setattr(loops, "open_run", lambda *_, **__: told)
    monkeypatch.setattr(tensorflow_tape, "_sinks", [])
    tensorflow_tape.observe(unasked)
    tensorflow_epochs.observe()
    keras.utils.clear_session()
    keras.utils.set_random_seed(3)
    yield told
    told.finish()
    tensorflow_tape._scene.known = Known()


def model(*, regularizer: Any = None) -> Any:
    """A small network with a layer that has modes."""
    return keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(8, "tanh", kernel_regularizer=regularizer),
            keras.layers.BatchNormalization(),
            keras.layers.Dense(1),
        ]
    )


def loop(net: Any, optimizer: Any, criterion: Any, wrap: Any, *, training: bool | None = True) -> Step:
    """One step of a loop as people write it."""

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = criterion(net, y, net(x) if training is None else net(x, training=training))
        gradients = tape.gradient(loss, net.trainable_variables)
        optimizer.apply_gradients(zip(gradients, net.trainable_variables, strict=True))
        return loss

    return wrap(step)  # type: ignore[no-any-return]


def epochs(step: Step, y: Any, count: int = 5) -> None:
    """Slices of the data, always in the same order."""
    for _ in range(count):
        for at in range(0, len(X), SIZE):
            step(tf.constant(X[at : at + SIZE]), tf.constant(y[at : at + SIZE]))


WRAPS = [pytest.param(lambda f: f, id="eager"), pytest.param(tf.function, id="graph")]
JIT = pytest.param(tf.function(jit_compile=True), id="jit")
ALL = [*WRAPS, JIT]
