"""A train_step of one's own that calls the model several times: the batch is what the step was given."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.keras.heads import answers  # noqa: E402 -- after the framework it is for
from auditor_agent.keras import Audit  # noqa: E402 -- after the framework it is for
from support.keras_models import MemoryRun  # noqa: E402
from support.recordings import assembled  # noqa: E402

X = np.random.default_rng(1).uniform(-2, 2, (48, 3)).astype("float32")


class Anchored(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A net that is to vanish at the origin: asked there again at every step."""

    def __init__(self) -> None:
        super().__init__()
        self.hidden, self.end = keras.layers.Dense(5, "tanh"), keras.layers.Dense(1)

    def call(self, x: Any) -> Any:
        """The net."""
        return self.end(self.hidden(x))

    def train_step(self, data: Any) -> Any:
        """Fit the product of the inputs, and zero at the origin."""
        x, y = data if isinstance(data, tuple) else (data, tf.reduce_prod(data, axis=1, keepdims=True))
        with tf.GradientTape() as tape:
            off = tf.reduce_mean((self(x, training=True) - y) ** 2)
            loss = off + tf.reduce_mean(self(tf.zeros((1, 3)), training=True) ** 2)
        weights = self.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("labelled", [False, True])
@pytest.mark.parametrize("eager", [False, True])
def test_the_batch_is_what_the_step_was_given(labelled: bool, eager: bool) -> None:
    """Not the origin, with which the model was called last; and no two batches of an epoch look the same."""
    keras.utils.set_random_seed(0)
    model, run = Anchored(), MemoryRun()
    model.compile(optimizer="sgd", run_eagerly=eager, jit_compile=False)
    given = (X, X[:, :1]) if labelled else (X,)
    model.fit(*given, batch_size=12, epochs=2, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    steps = assembled(run.recordings)
    assert len(steps) == 8
    for at, step in enumerate(steps):
        first = 12 * (at % 4)
        np.testing.assert_array_equal(step.of("batch")["input0"].whole(), X[first : first + 12])
        told = step.of("target").get("target0")
        assert (told is not None) == labelled
        if told is not None:  # of a loss written by hand nothing else says what the outputs were to be
            np.testing.assert_array_equal(told.whole(), X[first : first + 12, :1])
    digests = [record["scalars"].get("batch_digest") for record in run.records]
    assert digests == digests[:4] * 2
    assert len(set(digests)) == (1 if eager else 4)  # run eagerly, Keras' batches have none


class Judged(keras.Sequential):  # type: ignore[misc]  # Keras has no types
    """Evaluated in the mode that it is told at its making."""

    mode = False

    def test_step(self, data: Any) -> Any:
        """As Keras', but for the mode."""
        x, y = data
        loss = self.compute_loss(y=y, y_pred=self(x, training=self.mode), training=False)
        return {"loss": loss}


@pytest.mark.parametrize("training", [True, False])
def test_what_an_evaluation_asked_for_is_told(training: bool) -> None:
    """The mode that the model itself was called with stands beside that of its layers."""
    model, run = Judged([keras.layers.Dense(4), keras.layers.Dropout(0.4), keras.layers.Dense(1)]), MemoryRun()
    model.mode = training
    model.compile("sgd", "mse", jit_compile=False)
    data = (X, X[:, :1])
    model.fit(*data, batch_size=12, validation_data=data, verbose=0, callbacks=[Audit(run=run)])
    [told] = [one for one in run.events if one["type"] == "mode" and one["phase"] == "eval"]
    assert (told["asked"], told["training"]) == (training, "true" if training else "false")


@pytest.mark.parametrize(
    ("asked", "taken"),
    [((8, 3), True), ((8,), True), ((8, 1), True), ((8, 3, 1), True), ((8, 4), False), ((8, 2, 3), False)],
)
def test_targets_are_those_that_answer_the_output(asked: tuple[int, ...], taken: bool) -> None:
    """As many numbers for each sample, or a class for each row; of classes in rows of their own likewise."""
    output = np.zeros((8, 3), "float32")
    assert answers(output, np.zeros(asked, "float32")) is taken
    assert answers([output, output], np.zeros(asked)) is False
    assert answers(output[:, :, None], np.zeros((8, 3))) is True
    assert answers(np.zeros((8, 5, 3)), np.zeros((8, 5))) is True
    assert answers(output, None) is False


class Coded(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A variational autoencoder of two models that are called one by one, as in Keras' own examples."""

    def __init__(self, *, made: bool) -> None:
        super().__init__()
        self.code = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        self.back = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, "sigmoid")])
        self.made = made

    def train_step(self, data: Any) -> Any:
        """Give back what came in, or labels that are made here."""
        wanted = keras.ops.ones_like(data) if self.made else data
        with tf.GradientTape() as tape:
            code = self.code(data)
            each = keras.losses.binary_crossentropy(wanted, self.back(code))
            loss = keras.ops.mean(keras.ops.sum(each)) + keras.ops.mean(keras.ops.square(code))
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("made", [False, True])
def test_the_cross_entropy_of_models_within_is_told_of_targets_that_were_given(made: bool) -> None:
    """The logits that Keras takes, which do not end in the model's sigmoid; of labels made in the step nothing."""
    keras.utils.set_random_seed(0)
    model, run = Coded(made=made), MemoryRun()
    model.compile(optimizer="sgd", jit_compile=False)
    model.fit(X, batch_size=12, epochs=1, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    first = assembled(run.recordings)[0]
    np.testing.assert_array_equal(first.of("batch")["input0"].whole(), X[:12])
    assert ("target0" in first.of("target")) is not made
    if not made:
        np.testing.assert_array_equal(first.of("target")["target0"].whole(), X[:12])
        assert (first.facts["loss"]["operation"], first.facts["loss"]["from_logits"]) == ("binary_crossentropy", True)
        assert first.facts["output_activation"] == "linear"
        assert first.of("output")["output0"].whole().min() < 0  # no probabilities


class Masked(keras.Model):  # type: ignore[misc]  # Keras has no types
    """A step of one's own whose loss leaves rows out."""

    def __init__(self) -> None:
        super().__init__()
        self.net = keras.layers.Dense(3)

    def call(self, x: Any) -> Any:
        """Logits."""
        return self.net(x)

    def train_step(self, data: Any) -> Any:
        """The mean over the rows that count."""
        x, y, counts = data
        with tf.GradientTape() as tape:
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=self(x, training=True))
            loss = tf.reduce_sum(each * counts) / tf.reduce_sum(counts)
        weights = self.trainable_weights
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def test_the_mask_of_a_steps_own_loss_is_recorded_as_weights() -> None:
    """Beside the targets, as ``fit`` has its own ``sample_weight``."""
    model, run = Masked(), MemoryRun()
    model.compile(optimizer="sgd", jit_compile=False)
    y, counts = (np.arange(len(X)) % 3).astype(np.int64), (np.arange(len(X)) % 2).astype(np.float32)
    data = tf.data.Dataset.from_tensor_slices((X, y, counts)).batch(12)
    model.fit(data, epochs=1, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    first = assembled(run.recordings)[0]
    np.testing.assert_array_equal(first.of("target")["target0"].whole().ravel(), y[:12])
    np.testing.assert_array_equal(first.of("batch")["sample_weight0"].whole().ravel(), counts[:12])


class Denoiser(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Tells the noise that the step adds to what it is given, if it adds any."""

    def __init__(self, noise: float) -> None:
        super().__init__()
        self.noise, self.net = noise, keras.Sequential([keras.layers.Dense(8, "tanh"), keras.layers.Dense(3)])

    def train_step(self, data: Any) -> Any:
        """The model itself is never called."""
        noise = tf.random.normal(tf.shape(data))
        given = data + self.noise * noise if self.noise else tf.reshape(data, (-1, 3))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self.net(given, training=True) - noise) ** 2)
        weights = self.net.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


@pytest.mark.parametrize("noise", [0.5, 0.0])
def test_a_step_that_makes_other_inputs_of_its_batch_is_told(noise: float) -> None:
    """What `fit` was given is not what the network was; by another shape it is."""
    model, run = Denoiser(noise), MemoryRun()
    model.net.build((None, 3))
    model.compile(optimizer="sgd", jit_compile=False)
    model.fit(X, batch_size=12, epochs=1, shuffle=False, verbose=0, callbacks=[Audit(run=run)])
    told = [recording.facts for recording in run.recordings]
    assert [one.get("fed") for one in told] == [False if noise else None] * 4


class Follower(keras.Model):  # type: ignore[misc]  # Keras has no types
    """Learns what an average of its own weights gives, through a frozen layer that both share."""

    def __init__(self) -> None:
        super().__init__()
        self.base = keras.layers.Dense(4, trainable=False, name="base")
        self.online, self.average = (keras.layers.Dense(2, name=name) for name in ("online", "average"))

    def train_step(self, data: Any) -> Any:
        """The model itself is never called."""
        with tf.GradientTape() as tape:
            wanted = tf.stop_gradient(self.average(self.base(data)))
            loss = tf.reduce_mean((tf.nn.tanh(self.online(self.base(data))) - wanted) ** 2)
        weights = self.online.trainable_variables
        self.optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        return {"loss": loss}


def test_layers_beside_what_a_step_trains_are_none_of_its_network() -> None:
    """What it is held against is left out; what it is made of stays, trained or not."""
    model, run = Follower(), MemoryRun()
    model.base.build((None, 3))
    for layer in (model.online, model.average):
        layer.build((None, 4))
    model.compile(optimizer="sgd", jit_compile=False)
    model.fit(X, batch_size=12, epochs=1, verbose=0, callbacks=[Audit(run=run)])
    told = [one["layer"].rpartition("/")[2] for one in run.recordings[0].facts["operations"] if "layer" in one]
    assert "average" not in told
    assert {"base", "online"} <= set(told)
