"""Gradients that a loop changes between its tape and its optimizer."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from collections.abc import Callable
from typing import Any

import pytest

keras = pytest.importorskip("keras")
tf = pytest.importorskip("tensorflow")

from auditor_agent.integrations.tensorflow import tape  # noqa: E402
from auditor_agent.integrations.tensorflow.audit import _Unasked  # noqa: E402
from auditor_agent.integrations.tensorflow.seen import Known, Seen  # noqa: E402

#: What a loop makes of its gradients and weights.
Change = Callable[[list[Any], list[Any]], list[Any]]


class Sightings(_Unasked):
    """Keeps whether gradients were seen to be others."""

    def __init__(self) -> None:
        super().__init__()
        self.altered: list[bool | None] = []

    def see(self, seen: Seen, known: Known) -> None:
        """As a run is told."""
        del known
        self.altered.append(seen.altered)

    def done(self) -> None:
        """Nothing is recorded."""


def decayed(gradients: list[Any], weights: list[Any]) -> list[Any]:
    """By hand, through the gradient."""
    return [g + 0.01 * v for g, v in zip(gradients, weights, strict=True)]


@pytest.mark.parametrize(
    ("change", "eager", "graph"),
    [
        (lambda g, _: g, False, False),
        (decayed, True, True),
        (lambda g, v: [one if at else decayed(g, v)[0] for at, one in enumerate(g)], True, True),
        (lambda g, _: tf.clip_by_global_norm(g, 0.1)[0], True, False),
        (lambda g, _: [tf.clip_by_value(one, -0.1, 0.1) / 2 for one in g], True, False),
    ],
)
@pytest.mark.parametrize("mode", ["eager", "graph", "jit"])
def test_what_a_loop_adds_of_its_weights_is_told(
    change: Change, eager: bool, graph: bool, mode: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cutting is no such thing; an eager loop leaves no trace of which of the two it was."""
    sightings = Sightings()
    monkeypatch.setattr(tape, "_sinks", [])
    monkeypatch.setattr(tape, "_scene", type(tape._scene)())
    tape.observe(sightings)
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2)])
    optimizer, weights = keras.optimizers.SGD(0.1), model.trainable_variables
    optimizer.build(weights)

    def step(x: Any) -> None:
        with tf.GradientTape() as watching:
            loss = tf.reduce_mean(model(x, training=True) ** 2)
        gradients = watching.gradient(loss, weights)
        optimizer.apply_gradients(zip(change(gradients, weights), weights, strict=True))

    act = step if mode == "eager" else tf.function(step, jit_compile=mode == "jit")
    for _ in range(2):
        act(tf.random.normal([8, 3]))
    assert set(sightings.altered) == {eager if mode == "eager" else graph}


def test_of_gradients_that_no_tape_gave_nothing_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    """They came from elsewhere."""
    sightings = Sightings()
    monkeypatch.setattr(tape, "_sinks", [])
    monkeypatch.setattr(tape, "_scene", type(tape._scene)())
    tape.observe(sightings)
    variable = keras.Variable(tf.ones(3))
    optimizer = keras.optimizers.SGD(0.1)
    optimizer.build([variable])
    optimizer.apply_gradients([(tf.ones(3), variable)])
    assert sightings.altered == [None]
