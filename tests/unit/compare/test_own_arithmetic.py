"""Layers that one of two programs spells by hand: nobody can say that they are missing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify import activations
from auditor.compare.profile import Profile
from auditor.compare.recognise import forward, sums
from auditor.compare.structure import Structure, differences, of_one_stock, seen_graph, structure
from support.tiny import Tiny

OWN = {"op": "arithmetic"}
DENSE = [{"name": name, "class": "Linear", "out_features": width} for name, width in (("a", 8), ("b", 4), ("c", 1))]


def network(*nodes: Any, layers: Any = ()) -> Structure:
    """A network of three dense layers, and what runs between them."""
    graph = [{"layer": node} if isinstance(node, str) else node for node in nodes]
    return structure("torch", {"model": {"layers": [*DENSE, *layers]}}, [{"operations": graph}])


RELU, DROP, POOL = {"op": "relu"}, {"op": "dropout", "rate": 0.3}, {"op": "global_average_pool"}
HAND = network("a", OWN, "b", RELU, "c")


@pytest.mark.parametrize("node", [RELU, DROP, POOL], ids=["activation", "dropout", "pool"])
def test_what_may_be_spelt_by_hand_between_the_same_layers_is_not_missing(node: dict[str, Any]) -> None:
    """Whichever side is which."""
    module = network("a", node, "b", RELU, "c")
    assert differences(module, HAND) == differences(HAND, module) == []


def test_what_is_missing_elsewhere_is_missing() -> None:
    """Arithmetic between the first two layers is no activation behind the second; nor does it take one away."""
    for module, hand in (
        (network("a", "b", RELU, "c"), network("a", OWN, "b", "c")),
        (network("a", RELU, "b", RELU, "c"), network("a", "b", RELU, "c")),
    ):
        found = differences(module, hand)
        assert [(one.a is None, one.b is None) for one in found] == [(False, True)]
    assert [one.b.kind for one in differences(network("a", "b", "c"), network("a", OWN, RELU, "b", "c")) if one.b]


@pytest.mark.parametrize("kind", ["Swish2", "Lambda", "Flatten"])
def test_layers_of_the_programs_own_may_compute_anything(kind: str) -> None:
    """A layer that turns axes computes nothing."""
    layers = [{"name": "own", "class": kind}]
    hand = network("a", "own", "b", RELU, "c", layers=layers)
    assert (differences(network("a", RELU, "b", RELU, "c"), hand) == []) == (kind != "Flatten")
    keras = [{"name": name, "class": "Dense", "units": width} for name, width in (("a", 8), ("b", 4), ("c", 1))]
    graph = [{"layer": name} for name in ("a", "own", "b", "c")]
    told = structure("keras", {"model": {"layers": [*keras, *layers]}}, [{"operations": graph}])
    assert bool(told.own) == (kind != "Flatten")


def test_towers_in_another_order_are_of_one_stock_whatever_is_spelt_between() -> None:
    """Those of an activation by hand have its arithmetic in its place."""
    module, hand = network("a", RELU, "b", "c"), network("a", OWN, "c", "b")
    assert of_one_stock(module, hand)
    assert not of_one_stock(module, network("a", "c", "b"))


def side(**counts: int) -> Profile:
    """A run whose network has so many sums."""
    told = {"add": 0, "own": 0, "shift": 0, "own_shift": 0, "stop": 0, **counts}
    return replace(Tiny(steps=1).profile(), structure=Structure(sums=told))


@pytest.mark.parametrize(("own", "told"), [(0, 2), (1, 1), (2, 0), (3, 0)])
def test_sums_within_arithmetic_may_be_residual_connections(own: int, told: int) -> None:
    """A block whose dropout is a mask adds it to what it was given."""
    found = list(sums.causes(side(add=2), side(own=own)))
    assert [one.effect[0] for one in found] == [str(told)] * bool(told)


BESIDE = [
    (["shift"], (1, 0)),
    (["shift", "arithmetic"], (0, 1)),
    (["arithmetic", "shift"], (0, 1)),
    (["shift", "add"], (1, 0)),
]


@pytest.mark.parametrize(("graph", "counts"), BESIDE)
def test_a_number_added_beside_arithmetic_may_be_part_of_it(graph: list[str], counts: tuple[int, int]) -> None:
    """What keeps a distance from zero is within the library's function, or stands beside the root."""
    found = seen_graph.sums("torch", [{"op": word} for word in graph], [])
    assert found is not None
    assert (found["shift"], found["own_shift"]) == counts
    told = [one.parameter for one in sums.causes(side(**found), side(add=found["add"]))]
    assert told == ["forward.shift"] * counts[0]
    assert not list(sums.causes(side(own_shift=1), side(shift=1)))


def test_two_towers_of_bare_weights_are_not_one_that_is_called_twice() -> None:
    """As many kernels as products; with half as many the step goes through them twice."""
    graph = [{"op": "Dense", "units": 4}, {"op": "relu"}, {"op": "Dense", "units": 2}, {"op": "arithmetic"}] * 2
    weights = [{"shape": [3, 4]}, {"shape": [4]}, {"shape": [4, 2]}, {"shape": [2]}]
    assert seen_graph.once(graph, weights * 2) == graph
    assert seen_graph.once(graph, weights) == seen_graph.once(graph) == graph[:4]
    manifest = {"model": {"class": None, "weights": weights * 2, "layers": []}}
    found = structure("tensorflow", manifest, [{"operations": graph}])
    assert [one.kind for one in found.operations].count("activation") == 2


@pytest.mark.parametrize(("graph", "units"), [
    ([{"op": "dense", "units": 96}, {"op": "softmax"}, {"layer": "out"}], [32, 32, 32, 32]),
    ([{"op": "dense", "units": 96}, {"op": "gelu"}, {"op": "softmax"}, {"layer": "out"}], [96, 32]),
    ([{"op": "dense", "units": 64}, {"op": "softmax"}, {"layer": "out"}], [64, 32]),
    ([{"op": "softmax"}, {"layer": "out"}, {"op": "dense", "units": 30}, {"op": "softmax"}], [32, 30]),
])  # fmt: skip
def test_a_packed_projection_of_bare_weights_is_three(graph: list[dict[str, Any]], units: list[int]) -> None:
    """Straight before the softmax of attention; classes before the one at the end are what they are."""
    layers = [{"name": "out", "class": "Linear", "in_features": 32, "out_features": 32}]
    found = structure("torch", {"model": {"layers": layers}}, [{"operations": graph}])
    assert [one.settings["units"] for one in found.operations if one.kind == "dense"] == units


def test_what_a_lambda_does_may_be_a_sum() -> None:
    """A table of positions that Keras adds in one: of what is within it nothing is told."""
    layers = [{"name": "dense", "class": "Dense"}, {"name": "lambda", "class": "Lambda"}]
    found = seen_graph.sums("keras", [{"layer": "dense"}, {"layer": "lambda"}], layers)
    assert found is not None
    assert (found["add"], found["own"], found["shift"], found["own_shift"]) == (0, 1, 0, 1)
    assert not list(sums.causes(side(**found), side(shift=1)))
    assert not list(sums.causes(side(**found), side(add=1)))
    assert [one.parameter for one in sums.causes(side(**found), side(shift=2))] == ["forward.shift"]


def test_a_layer_of_the_programs_own_that_is_called_dense_has_its_function() -> None:
    """Its class has the name of a product; the node that made its output is an activation's."""
    layers = [{"name": name, "class": "Dense"} for name in ("one", "two")]
    graph = [{"layer": "one", "op": "elu", "alpha": 1.0}, {"layer": "two", "end": True}]
    found = structure("torch", {"model": {"layers": layers}}, [{"operations": graph}])
    assert [one.kind for one in found.operations] == ["dense", "activation", "dense"]


def test_a_bias_that_is_added_behind_a_connection_is_one() -> None:
    """Weights of the same sizes: x + z W + b."""
    a, b = (replace(Tiny(steps=1).profile(), structure=network("a", {**node, "op": "dense", "units": 4}))
            for node in ({"bias": True}, {"bias": False}))  # fmt: skip
    assert differences(a.structure, b.structure)
    assert "dense.bias" not in [one.parameter for one in forward.causes(a, b)]


def test_a_share_that_only_multiplies_is_no_activation() -> None:
    """``h * sigmoid(h)``: the sigmoid was seen, and no layer takes it."""
    rng = np.random.default_rng(3)
    first, last = (activations.Dense(rng.normal(size=(4, 4)), np.zeros(4)) for _ in range(2))
    x = rng.normal(size=(6, 4))
    made = x @ first.kernel
    sigmoid = 1 / (1 + np.exp(-made))
    for taken, told in ((sigmoid, {"sigmoid"}), (made * sigmoid, set())):
        seen = activations.Seen([sigmoid, taken @ last.kernel], part=False)
        found = activations._behind([first, last], [x, sigmoid], seen)
        assert {name for name, _ in found[0]} == told
    gate = activations._behind([first], [x], activations.Seen([sigmoid], part=True))
    assert "sigmoid" in {name for name, _ in gate[0]}, "a layer of Keras has it within"


@pytest.mark.parametrize(
    ("graph", "own"),
    [(["add", "add", "arithmetic"], 2), (["shift", "add", "relu", "add", "arithmetic"], 1), (["add"], 0)],
)
def test_sums_that_stand_together_with_arithmetic_may_be_part_of_it(graph: list[str], own: int) -> None:
    """A convolution written as a sum of products, before the normalisation that is written out behind it."""
    found = seen_graph.sums("torch", [{"op": word} for word in graph], [])
    assert found is not None
    assert (found["own"], found["add"]) == (own, graph.count("add") - own)
