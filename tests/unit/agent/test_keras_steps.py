"""Train steps that go their own way: without ``compute_loss``, under a distribution strategy."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from auditor_agent import guard
from auditor_agent.capture.native import tensorflow as native
from auditor_agent.keras import Audit
from support.keras_models import MemoryRun, by_tape, data, keras, mlp, tf
from support.recordings import assembled


class OwnStep(keras.Sequential):  # type: ignore[misc]  # Keras has no types
    """Computes its loss by hand and tells it to nobody."""

    def train_step(self, batch: Any) -> dict[str, Any]:
        """One step."""
        x, y = batch
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(self(x, training=True) - y))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"targets": tf.reduce_mean(y)}


@pytest.mark.parametrize("jit", [False, True])
def test_a_step_that_never_calls_compute_loss_has_its_loss(jit: bool) -> None:
    """What its tape differentiated is the loss."""
    x, y = data(160)
    twin = mlp()
    twin.compile("sgd", "mse")
    expected = [loss for loss, _ in by_tape(twin, x, y, 16, 1)]
    model, run = OwnStep(mlp().layers), MemoryRun()
    model.compile("sgd", jit_compile=jit)
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    assert run.scalar("loss") == pytest.approx(expected, rel=1e-5)
    assert all("loss/penalty" not in record["scalars"] for record in run.records)


class OwnLoss(keras.Sequential):  # type: ignore[misc]  # Keras has no types
    """Its loss is its own affair: no compiled one is called."""

    def compute_loss(self, _x: Any, y: Any, y_pred: Any, _weights: Any, training: bool = True) -> Any:  # noqa: ARG002 -- as Keras calls it
        """The squared error, of what the targets of a batch are."""
        return tf.reduce_mean(tf.square(y_pred - y))


@pytest.mark.parametrize("jit", [False, True])
def test_a_loss_of_the_models_own_has_no_part_that_is_not_a_number(jit: bool) -> None:
    """What of it is a penalty nobody knows: nothing is said, and no NaN."""
    x, y = data(160)
    model, run = OwnLoss(mlp().layers), MemoryRun()
    model.compile("sgd", jit_compile=jit)
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    steps = assembled(run.recordings)
    assert steps
    assert all(np.isfinite(list(step.scalars.values())).all() and "loss" in step.scalars for step in steps)


class Flattened(keras.Sequential):  # type: ignore[misc]  # Keras has no types
    """Its loss is written by hand, and its targets have lost an axis."""

    def train_step(self, batch: Any) -> dict[str, Any]:
        """One step."""
        x, y = batch
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(tf.square(tf.reshape(y, [-1]) - self(x, training=True)))
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_variables, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("kind", [Flattened, OwnStep])
def test_a_loss_by_hand_tells_its_shapes_where_they_expand(kind: Any) -> None:
    """Of other losses that are written by hand the targets are those of the batch."""
    model, run = kind([keras.Input((4,)), keras.layers.Dense(1)]), MemoryRun()
    model.compile("sgd")
    x = np.random.default_rng(0).standard_normal((64, 4)).astype("float32")
    model.fit(x, x[:, :1], batch_size=16, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    told = assembled(run.recordings)[0].facts["loss"]
    assert told.get("broadcast", False) is (kind is Flattened)
    assert told.get("target_shape") == ([16] if kind is Flattened else [16, 1])


def test_what_add_loss_adds_is_the_loss_where_there_is_no_other() -> None:
    """Nothing is split off then: a data loss of zero would be no data loss."""
    x = np.random.default_rng(0).standard_normal((64, 4)).astype("float32")
    model, run = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activity_regularizer="l2")]), MemoryRun()
    model.compile("sgd")
    model.fit(x, batch_size=16, verbose=0, callbacks=[Audit(run=run)])
    assert all(value > 0 for value in run.scalar("loss"))
    assert all("loss/data" not in record["scalars"] for record in run.records)


STRATEGY = """
import sys
from auditor_agent import guard
from auditor_agent.capture.native import tensorflow as native
from auditor_agent.keras import Audit
from support.keras_models import MemoryRun, data, keras, mlp, tf

tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
run = MemoryRun()
with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
    model = mlp()
    model.compile("adam", "mse")
model.fit(*data(160), batch_size=16, epochs=2, verbose=0, callbacks=[Audit(run=run)])
assert run.steps == list(range(1, 21)), run.steps
assert all(record["scalars"]["loss"] > 0 for record in run.records)
assert "2 replicas" in run.observed["capture"]["gradients"], run.observed
assert run.manifests[-1]["optimizer"]["hyperparameters"]["epsilon"] == 1e-7, run.manifests[-1]["optimizer"]
print("told")
"""


def test_under_a_strategy_steps_and_losses_are_told_and_what_is_missing() -> None:
    """Two replicas: every step and its loss; the manifest says that gradients are not there."""
    env = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", STRATEGY]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert done.stdout == "told\n", done.stderr


def test_a_library_of_another_version_counts_as_absent_and_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its rows would be read amiss: every step is recorded another way instead."""
    if native.operation() is None:
        pytest.skip("the C library was not built")
    native.loaded.cache_clear()
    monkeypatch.setattr(native, "_ABI", -1)
    guard.TALLY.reset()
    try:
        assert native.operation() is None
        assert native.custom_call() is None
        assert any("another version" in cause for cause in guard.TALLY.counts())
        model, run = mlp(), MemoryRun()
        model.compile("sgd", "mse")
        model.fit(*data(160), batch_size=16, verbose=0, callbacks=[Audit(run=run)])
    finally:
        native.loaded.cache_clear()
    assert run.steps == list(range(1, 11))
    assert len(run.scalar("loss")) == len(run.steps)


class LateBuilt(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Has a weight from the start, and layers that come into being when it is first called."""

    def __init__(self) -> None:
        super().__init__()
        self.gain = self.add_weight(shape=(4,), initializer="ones", name="gain")
        self.head = keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        """One layer, of scaled inputs."""
        return self.head(x * self.gain)


def test_a_model_that_is_built_late_is_recorded_whole_from_the_first_step() -> None:
    """Also where some of its weights are there before."""
    x, y = np.random.default_rng(0).normal(size=(64, 4)).astype("float32"), np.zeros((64, 1), "float32")
    model, run = LateBuilt(), MemoryRun()
    model.compile("sgd", "mse")
    model.fit(x, y, batch_size=16, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    first = assembled(run.recordings)[0]
    assert first.step == 1
    assert set(first.of("weight")) == set(first.of("updated"))
    assert len(first.of("weight")) == len(model.trainable_variables)


def test_layers_of_a_model_that_was_trained_before_are_heard_in_the_next() -> None:
    """A base with a head of its own: normalisation in its own mode, activations by name, one after the other."""
    x = np.random.default_rng(0).normal(size=(64, 4)).astype("float32")
    layers = keras.layers
    base = keras.Sequential([keras.Input((4,)), layers.Dense(8), layers.BatchNormalization(), layers.ReLU()])
    run = MemoryRun()
    seen = []
    for training in (True, False):
        given = keras.Input((4,))
        model = keras.Model(given, layers.Dense(1)(base(given, training=training or None)))
        model.compile("sgd", "mse")
        before = len(run.recordings)
        model.fit(x, x[:, :1], batch_size=16, verbose=0, callbacks=[Audit(run=run)])
        seen.append(assembled(run.recordings[before:])[0].facts)
        base.trainable = False
    assert [one["norms"] for one in seen] == [[1, 0], [0, 1]]
    assert [[layer["kind"] for layer in one["layers"]] for one in seen] == [["ReLU"]] * 2
