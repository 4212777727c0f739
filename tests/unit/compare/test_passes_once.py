"""Layers that several inputs go through, blocks with a way around, and where a model ends: the same network."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.compare.recognise import forward
from auditor.compare.structure import Structure, differences, structure
from support.networks import dense, network, relu
from support.tiny import Tiny

Layers = list[dict[str, Any]]
ENCODER: Layers = [
    {"name": "first", "class": "Dense", "config": {"units": 4, "activation": "relu"}},
    {"name": "pool", "class": "MaxPooling1D", "config": {"pool_size": [2], "strides": [2], "padding": "valid"}},
    {"name": "second", "class": "Dense", "config": {"units": 2}},
]
DISTANCE: Layers = [{"name": "distance", "class": "Lambda", "config": {}}]


def of_keras(layers: Layers, ran: list[str]) -> Structure:
    """A functional model whose layers ran in this order."""
    body = {"model": {"class": "Functional", "layers": layers}}
    return structure("keras", body, [{"operations": [{"layer": name} for name in ran]}])


def kinds(found: Structure) -> list[str]:
    """The kinds of its operations, in order."""
    return [one.kind for one in found.operations]


def test_two_towers_of_shared_weights_are_one() -> None:
    """A siamese network calls its encoder once for each input, or once for both as one batch."""
    names = [one["name"] for one in ENCODER]
    twice = of_keras(ENCODER + DISTANCE, [*names, *names, "distance"])
    assert twice.operations == of_keras(ENCODER + DISTANCE, [*names, "distance"]).operations
    assert kinds(twice)[0] == "dense"


@pytest.mark.parametrize(("ran", "dense_"), [(["first", "second", "first"], 3), (["first", "first"], 1)])
def test_a_layer_that_stands_elsewhere_again_is_there_twice(ran: list[str], dense_: int) -> None:
    """What comes between makes it another place."""
    assert kinds(of_keras(ENCODER, ran)).count("dense") == dense_


def test_a_pool_that_is_used_twice_in_a_row_is_two() -> None:
    """It has no weights: each time it halves."""
    assert kinds(of_keras(ENCODER, ["first", "pool", "pool", "second"])).count("max_pool") == 2


def window(name: str, kernel: int, stride: int, extent: int) -> dict[str, Any]:
    """A convolution without padding over images of this extent."""
    config = {"filters": 2, "kernel_size": [kernel] * 2, "strides": [stride] * 2, "padding": "valid"}
    given = [None, extent, extent, 1]
    return {"name": name, "class": "Conv2D", "input_shape": given, "config": {**config, "dilation_rate": [1, 1]}}


@pytest.mark.parametrize("order", [["pad", "around", "main"], ["pad", "main", "around"], ["around", "pad", "main"]])
def test_a_padding_is_that_of_the_window_that_takes_it(order: list[str]) -> None:
    """Keras runs a model by its depth: the layer on the way around may come between the two."""
    pad = {"name": "pad", "class": "ZeroPadding2D", "input_shape": [None, 8, 8, 1]}
    layers = [pad | {"config": {"padding": [[1, 1], [1, 1]]}}, window("main", 3, 1, 10), window("around", 1, 2, 12)]
    found = {one.name: one.settings["pads"] for one in of_keras(layers, order).operations}
    assert found == {"main": [[1, 1], [1, 1]], "around": [[0, 0], [0, 0]]}


def test_a_padding_is_that_of_all_windows_that_take_it() -> None:
    """A gate beside what it lets pass; up to the next padding, and not of a window over other extents."""
    window_ = {"kernel_size": [2], "stride": [1], "padding": [0], "dilation": [1]}
    names = {"value": 9, "gate": 9, "mix": 8, "last": 9}
    layers = [{"name": name, "class": "Conv1d", "out_channels": 2, **window_} for name in names]
    pad = {"op": "pad", "pads": [[1, 0]]}
    ran = [{"layer": name, "op": "conv", "from": [extent]} for name, extent in names.items()]
    found = structure("torch", {"model": {"layers": layers}}, [{"operations": [pad, *ran[:3], pad, ran[3]]}])
    pads = {one.name: one.settings["pads"] for one in found.operations}
    assert pads == {"value": [[1, 0]], "gate": [[1, 0]], "mix": [[0, 0]], "last": [[1, 0]]}


@pytest.mark.parametrize(("added", "told"), [(1, []), (0, ["depthwise.order"])])
def test_the_layer_on_the_way_around_a_block_has_no_place(added: int, told: list[str]) -> None:
    """A projection runs before the block or after it; in a row the order is the network's."""
    run = Tiny(steps=1).profile()
    conv, wide = ("conv", {"units": 8, "kernel": [1, 1]}), ("depthwise", {"kernel": [3, 3]})
    sums = {"add": added, "shift": 0, "stop": 0}
    ours, theirs = (
        replace(run, structure=replace(network(*both, dense(2)), sums=sums))
        for both in ((conv, wide, relu()), (wide, conv, relu()))
    )
    assert [one.parameter for one in forward.causes(ours, theirs) if one.parameter.endswith("order")] == told


@pytest.mark.parametrize(("top", "same"), [(6.0, True), (6, True), (None, False), (4.0, False)])
def test_a_rectifier_of_keras_with_a_largest_value_of_six_is_relu6(top: float | None, same: bool) -> None:
    """``ReLU(max_value=6)`` is ``nn.ReLU6``."""
    ours = of_keras([{"name": "act", "class": "ReLU", "config": {"max_value": top, "negative_slope": 0.0}}], ["act"])
    theirs = structure("torch", {"model": {"layers": []}}, [{"operations": [{"op": "relu6"}]}])
    assert (not differences(ours, theirs)) is same


@pytest.mark.parametrize(("end", "count"), [(True, 0), (False, 1)])
def test_what_is_added_at_an_end_is_no_constant_within(end: bool, count: int) -> None:
    """The least that a variance has: the model adds it on one side, the loss on the other."""
    layers = [{"name": "out", "class": "Linear", "out_features": 1}]
    graph = [{"layer": "out"}, {"op": "softplus"}, {"op": "shift"} | ({"end": True} if end else {})]
    found = structure("torch", {"model": {"layers": layers}}, [{"operations": graph}])
    assert found.sums is not None
    assert found.sums["shift"] == count


@pytest.mark.parametrize(("units", "count"), [(9, 2), (5, 1)])
def test_a_product_with_the_table_is_the_models_own(units: int, count: int) -> None:
    """``h @ table.weight.T``; a product of another width behind all layers is another model's: a judge's."""
    layers = [
        {"name": "table", "class": "Embedding", "num_embeddings": 9, "embedding_dim": 4},
        {"name": "body", "class": "Linear", "in_features": 4, "out_features": 4},
    ]
    graph = [{"layer": "table"}, {"layer": "body"}, {"op": "dense", "units": units}]
    body = {"model": {"layers": layers, "tensors": {"table.weight": {}, "body.weight": {}}}}
    found = structure("torch", body, [{"operations": graph}])
    assert kinds(found).count("dense") == count


@pytest.mark.parametrize(("trainable", "count"), [(False, 1), (True, 2)])
def test_a_teacher_that_the_loss_asks_is_not_the_network(trainable: bool, count: int) -> None:
    """Its layers are the model's, run behind its output, and are not trained."""
    layers: Layers = [
        {"name": "student", "class": "Dense", "config": {"units": 3}},
        {"name": "teacher", "class": "Dense", "config": {"units": 3, "trainable": trainable}},
    ]
    graph = [{"layer": "student", "end": True}, {"layer": "teacher"}]
    found = structure("keras", {"model": {"class": "Distiller", "layers": layers}}, [{"operations": graph}])
    assert len(found.operations) == count
