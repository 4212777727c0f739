"""How many batch normalisations took the batch's statistics in a step, and how many those that they have kept."""

from __future__ import annotations

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import pytest

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

from auditor_agent.integrations.keras import layers  # noqa: E402 -- after the framework it is for
from auditor_agent.integrations.tensorflow import forward  # noqa: E402


@pytest.mark.parametrize(
    ("training", "frozen", "expected"),
    [(True, False, [2, 0]), (True, True, [0, 2]), (False, False, [0, 2]), (None, False, [0, 2])],
)
def test_frozen_and_evaluated_ones_keep_to_theirs(training: bool | None, frozen: bool, expected: list[int]) -> None:
    """Of a model with another in it, called in a loop; of its layers as they ran in a ``fit``."""
    norm = keras.layers.BatchNormalization
    inner = keras.Sequential([keras.Input((4,)), norm(), keras.layers.Dense(3)])
    model = keras.Sequential([keras.Input((4,)), inner, norm()])
    model.trainable = not frozen
    assert forward.norms([forward.Call(model, [], [], training)]) == expected
    step = layers.Step()
    for layer in (inner.layers[0], model.layers[1], inner.layers[1]):
        step.calls[id(layer)] = layers.Call(layer, 0, None, bool(training))
    assert layers.norms(step) == expected


def test_what_has_none_has_none() -> None:
    """Nor does a function that is no model."""
    assert forward.norms([forward.Call(object(), [], [], True)]) == [0, 0]
    assert layers.norms(layers.Step()) == [0, 0]
