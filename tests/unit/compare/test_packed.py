"""Dense layers that give three times what they take: packed projections of attention, or just so wide."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.structure import structure

SOFTMAX = {"op": "softmax", "over": 5, "scale": 0.5}


def units(framework: str, layers: list[dict[str, Any]], graph: list[dict[str, Any]]) -> list[int]:
    """Of every dense layer as the structure has them."""
    made = structure(framework, {"model": {"layers": layers}}, [{"operations": graph}])
    return [one.settings["units"] for one in made.operations if one.kind == "dense"]


LINEAR = [
    {"name": "a", "class": "Linear", "in_features": 8, "out_features": 24},
    {"name": "b", "class": "Linear", "in_features": 24, "out_features": 2},
]
DENSE = [
    {"name": name, "class": "Dense", "units": given, "weights": [{"name": f"{name}/kernel", "shape": [taken, given]}]}
    for name, taken, given in (("a", 8, 24), ("b", 24, 2))
]


@pytest.mark.parametrize(("framework", "layers"), [("torch", LINEAR), ("keras", DENSE)])
def test_a_layer_three_times_as_wide_as_its_input_is_one(framework: str, layers: list[dict[str, Any]]) -> None:
    """As it is in a loop that says nothing of what a product takes; beside a softmax it is three projections."""
    plain = [{"layer": "a"}, {"op": "relu"}, {"layer": "b"}]
    by_hand = [{"op": "dense", "units": 24}, {"op": "relu"}, {"op": "dense", "units": 2}]
    assert units(framework, layers, plain) == units("torch", [], by_hand) == [24, 2]
    assert units(framework, layers, [{"layer": "a"}, SOFTMAX, {"layer": "b"}]) == [8, 8, 8, 2]


@pytest.mark.parametrize(("framework", "layers"), [("torch", LINEAR), ("keras", DENSE)])
def test_a_layer_with_an_activation_behind_it_is_no_projection(framework: str, layers: list[dict[str, Any]]) -> None:
    """Though attention runs in the network: the states that it weighs are made by such a layer."""
    told = [{"layer": "a"}, {"op": "tanh"}, SOFTMAX, {"layer": "b"}]
    assert units(framework, layers, told) == [24, 2]


def test_a_query_beside_a_key_and_a_value_is_no_projection_of_three() -> None:
    """Each three times as wide as what it takes: what lies packed in one stands alone."""
    several = [{**LINEAR[0], "name": name} for name in "qkv"]
    told = [*({"layer": name} for name in "qkv"), SOFTMAX, {"layer": "b"}]
    assert units("torch", [*several, LINEAR[1]], told) == [24, 24, 24, 2]
