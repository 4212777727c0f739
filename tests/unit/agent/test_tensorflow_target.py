"""Loops in which a network that is not trained gives what another is to learn."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from support.record_run import MemoryRun  # noqa: E402 -- after the framework it is for
from support.recordings import assembled  # noqa: E402
from support.tensorflow_loops import SIZE, WRAPS, X, Y, epochs, listening, model  # noqa: E402


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Iterator[MemoryRun]:
    """What the loops of this process record into, unasked."""
    with listening(monkeypatch) as told:
        yield told


def learner(learns: Any, teaches: Any, wrap: Any, *, stops: bool = True) -> Any:
    """A step towards what ``teaches`` gives for other inputs, which it is asked first.

    Unless it ``stops`` the gradient there, before its tape begins.
    """
    optimizer = keras.optimizers.SGD(0.01)

    def step(x: Any, y: Any) -> Any:
        before = y + 0.9 * teaches(tf.reverse(x, [1])) if not stops else None
        with tf.GradientTape() as tape:
            wanted = tf.stop_gradient(y + 0.9 * teaches(tf.reverse(x, [1]))) if stops else before
            loss = tf.reduce_mean((learns(x, training=True) - wanted) ** 2)
        optimizer.apply_gradients(
            zip(tape.gradient(loss, learns.trainable_variables), learns.trainable_variables, strict=True)
        )
        return loss

    return wrap(step)


@pytest.mark.parametrize(
    ("wrap", "stops", "taught"),
    [(lambda f: f, True, True), (lambda f: f, False, False), (tf.function, True, True), (tf.function, False, True)],
    ids=["eager", "eager before", "graph", "graph before"],
)
def test_a_target_network_is_no_part_of_the_step(run: MemoryRun, wrap: Any, stops: bool, taught: bool) -> None:
    """The batch is what the learner was given, the target what it was to give; this is told to be of a network.

    But where an eager loop asks that before its tape, where nobody listens.
    """
    learns, teaches = model(), model()
    epochs(learner(learns, teaches, wrap, stops=stops), Y[:, None], 1)
    run.finish()
    steps = assembled(run.recordings)
    assert len(steps) == len(X) // SIZE
    for at, step in enumerate(steps):
        assert [*step.of("batch")] == ["input0"]
        np.testing.assert_array_equal(step.of("batch")["input0"].whole(), X[at * SIZE : (at + 1) * SIZE])
        assert step.of("target")["target0"].shape == (SIZE, 1)
        assert step.facts["loss"].get("taught", False) is taught
        made = teaches(X[at * SIZE : (at + 1) * SIZE, ::-1].copy()).numpy()
        wanted = Y[at * SIZE : (at + 1) * SIZE, None] + 0.9 * made
        np.testing.assert_allclose(step.of("target")["target0"].whole(), wanted, rtol=1e-4, atol=1e-5)
    ran = [one["layer"] for one in steps[0].facts["operations"] if "layer" in one]
    assert not {layer.path for layer in teaches.layers} & set(ran)
    assert {layer.path for layer in learns.layers if layer.weights} <= set(ran)


@pytest.mark.parametrize("wrap", WRAPS)
def test_a_frozen_part_that_the_learner_takes_stays(run: MemoryRun, wrap: Any) -> None:
    """What it is given is the batch, and its layers run first."""
    base, head, adam = model(), keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)]), keras.optimizers.Adam()

    def step(x: Any, y: Any) -> Any:
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((head(base(x, training=False), training=True) - y) ** 2)
        gradients = tape.gradient(loss, head.trainable_variables)
        adam.apply_gradients(zip(gradients, head.trainable_variables, strict=True))
        return loss

    epochs(wrap(step), Y[:, None], 1)
    run.finish()
    steps = assembled(run.recordings)
    for at, step_ in enumerate(steps):
        np.testing.assert_array_equal(step_.of("batch")["input0"].whole(), X[at * SIZE : (at + 1) * SIZE])
        assert "taught" not in step_.facts["loss"]
    ran = [one["layer"] for one in steps[0].facts["operations"] if "layer" in one]
    assert {layer.path for layer in (*base.layers, *head.layers) if layer.weights} <= set(ran)
