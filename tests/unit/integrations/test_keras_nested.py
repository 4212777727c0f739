"""Layers of models within models are told in the order in which the model has them."""

from __future__ import annotations

import keras

from auditor_agent.integrations.keras.manifest import describe_model
from auditor_agent.integrations.keras.nested import layers_of

L = keras.layers


def test_layers_within_a_model_are_listed_first_to_last() -> None:
    """Keras's own walk gives those of the inner model last first."""
    inner = keras.Sequential([keras.Input((6,)), L.Dense(5, name="a"), L.Dense(4, name="b"), L.Dense(3, name="c")])
    model = keras.Sequential([keras.Input((6,)), inner, L.Dense(2, name="d")])
    assert [one["name"] for one in describe_model(model)["layers"]] == ["a", "b", "c", "d"]


def test_a_layer_that_is_used_twice_is_listed_once() -> None:
    """And a layer before what lies within it."""
    shared = L.Dense(4, name="shared")
    inner = keras.Sequential([keras.Input((4,)), shared], name="inner")
    given = keras.Input((4,))
    model = keras.Model(given, L.TimeDistributed(inner, name="each")(L.Reshape((1, 4))(shared(given))))
    names = [layer.name for layer in layers_of(model)]
    assert names.count("shared") == 1
    assert names.index("each") < names.index("inner")
