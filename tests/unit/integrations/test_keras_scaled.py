"""Numbers by which a functional model scales its input before its first layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from auditor_agent.integrations.keras.manifest import describe_model
from auditor_agent.integrations.keras.scaled import scalings

PIXELS = np.arange(2 * 3, dtype=np.float32).reshape(2, 3)


def model(way: Callable[[Any], Any]) -> Any:
    """An input, something, and a layer."""
    given = keras.Input((3,))
    return keras.Model(given, keras.layers.Dense(2, name="first")(way(given)))


def through(found: list[dict[str, Any]]) -> np.ndarray:
    """The pixels as the layers of the manifest make them."""
    made = PIXELS
    for one in found:
        made = made * one["config"]["scale"] + one["config"]["offset"]
    return made


@pytest.mark.parametrize(
    ("way", "expected", "many"),
    [
        (lambda x: x / 255.0, PIXELS / 255, 1),
        (lambda x: (x - 3) * 2 / 5.0, (PIXELS - 3) * 2 / 5, 3),
        (lambda x: 0.5 * x + 1, 0.5 * PIXELS + 1, 2),
        (lambda x: x, PIXELS, 0),
        (lambda x: 1.0 / (x + 1), PIXELS + 1, 1),
        (lambda x: 2 - x, PIXELS, 0),
        (lambda x: x * np.ones(3, np.float32), PIXELS, 0),
        (lambda x: x * x, PIXELS, 0),
        (lambda x: keras.ops.relu(x) / 2, PIXELS, 0),
    ],
)
def test_what_a_number_does_to_the_input_is_told_as_a_layer_that_does_it(
    way: Callable[[Any], Any], expected: np.ndarray, many: int
) -> None:
    """Up to the first thing that is no product with, or sum with, one number."""
    found = list(scalings(model(way)))
    assert len(found) == many
    np.testing.assert_allclose(through(found), expected, rtol=1e-6)


def test_it_stands_before_the_layers_in_the_manifest() -> None:
    """Which take what it made."""
    told = describe_model(model(lambda x: x / 255.0))["layers"]
    assert [one["class"] for one in told] == ["Rescaling", "Dense"]


def test_of_several_inputs_and_of_other_models_nothing_is_told() -> None:
    """Nobody would know whose input it is."""
    two = [keras.Input((3,)), keras.Input((3,))]
    joined = keras.Model(two, keras.layers.Dense(2)(two[0] / 255.0 + two[1]))
    assert list(scalings(joined)) == []
    assert list(scalings(keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)]))) == []
    assert list(scalings(object())) == []
