"""What the Keras callback tells beside the statistics: dead and saturated units, modes, batches."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from auditor_agent.capture.batches import batch_digest
from auditor_agent.integrations.keras.manifest import describe_model
from auditor_agent.keras import Audit
from support.keras_models import MemoryRun, data, keras, tf

JIT = pytest.mark.parametrize("jit", [False, True])


@pytest.fixture(autouse=True)
def clean_keras() -> Iterator[None]:
    """Names start anew; what a test left is collected."""
    keras.utils.clear_session()
    yield
    gc.collect()


def fitted(layers: list[Any], *, jit: bool, epochs: int = 1, samples: int = 200, **fit: Any) -> MemoryRun:
    """The run of a small regression's fit, 16 samples to a batch, not shuffled."""
    keras.utils.set_random_seed(1)
    model, run = keras.Sequential([keras.Input((6,)), *layers]), MemoryRun(f"signals {jit}")
    model.compile(keras.optimizers.SGD(1e-4), "mse", jit_compile=jit)
    x, y = data(samples)
    arguments = {"batch_size": 16, "epochs": epochs, "verbose": 0, "shuffle": False, **fit}
    model.fit(x, y, callbacks=[Audit(run=run)], **arguments)
    return run


def values(run: MemoryRun, name: str) -> dict[int, float]:
    """One scalar by step; of a layer's, by the end of its path."""
    return {
        record["step"]: value
        for record in run.records
        for told, value in record["scalars"].items()
        if told in {name, _path(name, told)}
    }


def _path(name: str, told: str) -> str:
    signal, _, layer = name.partition("/")
    return told if layer and told.startswith(signal + "/") and told.endswith("/" + layer) else name


@JIT
def test_dead_and_saturated_units_are_told_at_sampled_steps(jit: bool) -> None:
    """A quarter of the units never fires; a wide tanh is at its ends, a softmax is never called saturated."""

    def biased(shape: Any, dtype: Any = None) -> Any:
        del dtype
        return np.where(np.arange(shape[0]) < 2, -100.0, 5.0).astype("float32")

    layers = [
        keras.layers.Dense(8, "relu", name="r", bias_initializer=biased),
        keras.layers.Dense(5, name="wide", kernel_initializer=keras.initializers.RandomNormal(0, 50)),
        keras.layers.Activation("tanh", name="t"),
        keras.layers.Dense(3, "softmax", name="s"),
        keras.layers.Dense(1),
    ]
    run = fitted(layers, jit=jit, epochs=5)
    dead = values(run, "dead_units/r")
    assert {1, 2, 3, 4, 5, 50} <= set(dead) <= {*range(1, 21), 50}  # the recorder's steps besides
    assert set(dead.values()) == {0.25}
    assert min(values(run, "saturated/t").values()) > 0.8
    assert not [name for record in run.records for name in record["scalars"] if name.endswith("/s")]


@JIT
def test_every_batch_has_its_size_and_the_digest_of_its_inputs(jit: bool) -> None:
    """As any integration would digest the arrays; the second epoch sees the first one's batches again."""
    run = fitted([keras.layers.Dense(1)], jit=jit, epochs=2)
    x, _ = data(200)
    expected = [batch_digest([x[start : start + 16]]) for start in range(0, 200, 16)]
    assert list(values(run, "batch_digest").values()) == [float(digest) for digest in expected * 2]
    assert list(values(run, "samples").values()) == [16.0] * 12 + [8.0] + [16.0] * 12 + [8.0]


@JIT
def test_a_large_batch_is_digested_as_everywhere(jit: bool) -> None:
    """More than the digest reads: the same evenly spread elements as of an array in memory."""
    run = fitted([keras.layers.Dense(1)], jit=jit, samples=999, batch_size=333)
    x, _ = data(999)
    expected = [batch_digest([x[start : start + 333]]) for start in range(0, 999, 333)]
    assert list(values(run, "batch_digest").values()) == [float(digest) for digest in expected]


@JIT
def test_the_mode_is_told_once_and_what_runs_in_the_other(jit: bool) -> None:
    """A train step that calls its model for inference; a frozen normalization may be."""

    class Wrong(keras.Sequential):  # type: ignore[misc]  # Keras has no types
        def call(self, inputs: Any, training: Any = None, mask: Any = None) -> Any:
            del training
            return super().call(inputs, training=False, mask=mask)

    frozen = keras.layers.BatchNormalization(name="frozen", trainable=False)
    norm, drop = keras.layers.BatchNormalization(name="norm"), keras.layers.Dropout(0.5, name="drop")
    model = Wrong([keras.Input((6,)), keras.layers.Dense(4), frozen, norm, drop, keras.layers.Dense(1)])
    model.compile("sgd", "mse", jit_compile=jit)
    run, (x, y) = MemoryRun(f"mode {jit}"), data(64)
    model.fit(x, y, batch_size=16, epochs=2, verbose=0, validation_data=(x, y), callbacks=[Audit(run=run)])
    told = {event["phase"]: event for event in run.events if event["type"] == "mode"}
    assert len([event for event in run.events if event["type"] == "mode"]) == 2
    assert told["train"]["training"] == "false"
    assert [name.rpartition("/")[2] for name in told["train"]["modules"]] == ["norm", "drop"]
    assert told["train"]["kinds"] == ["BatchNormalization", "Dropout"]
    assert (told["eval"]["training"], told["eval"]["modules"]) == ("false", [])


@JIT
def test_a_healthy_fit_trains_in_training_mode(jit: bool) -> None:
    """Nothing runs in the other mode."""
    run = fitted([keras.layers.Dense(4, "relu"), keras.layers.Dropout(0.1), keras.layers.Dense(1)], jit=jit)
    told = [event for event in run.events if event["type"] == "mode"]
    assert [(event["step"], event["training"], event["modules"]) for event in told] == [(1, "true", [])]


@JIT
def test_epochs_over_the_same_data_have_one_content_and_shuffled_ones_another_order(jit: bool) -> None:
    """Unshuffled: order and content are equal. Whole batches of equal rows, shuffled: steps and samples are told."""
    run = fitted([keras.layers.Dense(1)], jit=jit, epochs=2)
    first, second = ({**event} for event in run.events if event["type"] == "epoch")
    assert [first.pop(key) for key in ("epoch", "step", "steps", "samples")] == [1, 13, 13, 200]
    assert [second.pop(key) for key in ("epoch", "step", "steps", "samples")] == [2, 26, 13, 200]
    assert first == second
    shuffled = fitted([keras.layers.Dense(1)], jit=jit, epochs=1, shuffle=True)
    (third,) = (event for event in shuffled.events if event["type"] == "epoch")
    assert third["order"] != first["order"]


@JIT
def test_weights_have_digests_that_change_as_they_do(jit: bool) -> None:
    """At step 1 and each 50th; of a frozen layer's tensors they stay."""
    still = keras.layers.Dense(4, name="still", trainable=False)
    run = fitted([still, keras.layers.Dense(1, name="moves")], jit=jit, epochs=5)
    told = [event for event in run.events if event["type"] == "weights"]
    assert [event["step"] for event in told] == [1, 50]
    for name, digest in told[0]["digests"].items():
        assert (told[1]["digests"][name] == digest) == ("still" in name), name


def test_of_a_square_that_is_not_trained_the_first_rows_and_columns_are_told() -> None:
    """What is trained is recorded, and what is no square cannot be taken over as it lies."""
    square = keras.layers.Dense(9, use_bias=False, trainable=False)
    model = keras.Sequential([keras.Input((9,)), square, keras.layers.Dense(4, trainable=False), keras.layers.Dense(4)])
    told = [weight for layer in describe_model(model)["layers"] for weight in layer["weights"]]
    assert [weight["shape"] for weight in told if "corner" in weight] == [[9, 9]]
    assert np.array_equal(told[0]["corner"], square.kernel.numpy()[:8, :8])


@JIT
def test_a_step_that_computes_its_own_loss_shows_its_batch_and_its_tape_s_loss(jit: bool) -> None:
    """A subclassed model, built as it is traced, whose loss nobody but the tape is told."""

    class Own(keras.Model):  # type: ignore[misc]  # Keras has no types
        def __init__(self) -> None:
            super().__init__()
            self.hidden, self.last = keras.layers.Dense(4, "relu"), keras.layers.Dense(1)

        def call(self, inputs: Any) -> Any:
            return self.last(self.hidden(inputs))

        def train_step(self, data: Any) -> dict[str, Any]:
            x, y = data
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.square(self(x) - y))
            self.optimizer.apply(tape.gradient(loss, self.trainable_variables), self.trainable_variables)
            return {"loss": loss}

    model, run, (x, y) = Own(), Recorded(f"own {jit}"), data(64)
    model.compile("sgd", jit_compile=jit)
    told: list[float] = []

    def hear(batch: int, logs: dict[str, float]) -> None:
        del batch
        told.append(logs["loss"])

    callbacks = [Audit(run=run), keras.callbacks.LambdaCallback(on_train_batch_end=hear)]
    model.fit(x, y, batch_size=16, epochs=1, verbose=0, shuffle=False, callbacks=callbacks)
    assert list(values(run, "loss").values()) == pytest.approx(told)
    assert not any(record["urgent"] for record in run.records)
    expected = [float(batch_digest([x[at : at + 16]])) for at in range(0, 64, 16)]
    assert list(values(run, "batch_digest").values()) == expected
    first = {array.role for array in run.recordings[0].arrays}
    assert {"weight", "gradient", "updated", "batch", "output", "activation"} <= first


class Recorded(MemoryRun):
    """Keeps recordings too."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.recordings: list[Any] = []

    def recording(self, recording: Any) -> None:
        """As ``Run.recording``."""
        self.recordings.append(recording)

    def observe(self, **_: Any) -> None:
        """As ``Run.observe``."""
