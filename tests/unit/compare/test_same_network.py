"""One network in two spellings, and what sets it apart from another: paddings, packed weights, passes, attention."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import forward
from auditor.compare.structure import Operation, Structure, differences, structure
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array


def network(*operations: tuple[str, dict[str, Any]], name: str = "") -> Structure:
    """A network of (kind, settings)."""
    made = tuple(Operation(kind, name or str(at), settings) for at, (kind, settings) in enumerate(operations))
    return Structure(made, whole=True, ordered=True, ran=True)


def holding(sizes: dict[str, int], layers: list[dict[str, Any]], of: Structure) -> Profile:
    """A run with weights of these sizes, all of which move."""
    ones = {name: np.ones(size, np.float32) for name, size in sizes.items()}
    arrays = [array(role, name, w) for name, w in ones.items() for role in ("weight", "gradient")]
    manifest = {"model": {"layers": layers, "parameters": sum(sizes.values())}}
    run = profile("a", "torch", assembled([Recording(1, arrays)]), Beside(manifest=manifest))
    return replace(run, structure=of)


def told(a: Profile, b: Profile) -> list[str]:
    """The parameters of what the networks differ in."""
    return [one.parameter for one in forward.causes(a, b)]


GRU: dict[str, Any] = {"units": 24, "both": False, "bias": True, "activation": "tanh", "gates": "sigmoid"}
GATES = [("dense", {"units": 72, "bias": True}), ("dense", {"units": 72, "bias": True}),
         ("activation", {"function": "sigmoid"}), ("activation", {"function": "tanh"})]  # fmt: skip
HEAD = ("dense", {"units": 1, "bias": True})


@pytest.mark.parametrize(
    ("steps", "ends", "told_of"),
    [
        (15, [HEAD], []),
        (15, [("dense", {"units": 2, "bias": True})], ["dense.units"]),
        (15, [HEAD, ("activation", {"function": "exponential"})], ["forward.activation"]),
        (1, [HEAD], ["gru.kind"]),
    ],
)
def test_a_cell_that_is_written_out_step_by_step_is_no_difference(
    steps: int, ends: list[tuple[str, dict[str, Any]]], told_of: list[str]
) -> None:
    """What is around it is compared all the same. Biases in one tensor or in two."""
    layers = [{"name": "gru", "class": "GRU"}, {"name": "head", "class": "Dense"}]
    layered = holding({"gru.kernel": 288, "gru.bias": 144}, layers, network(("gru", GRU), HEAD))
    own = frozenset(range(1, 4 * steps))
    by_hand = replace(network(*GATES * steps, *ends), own=own)
    spelt = holding({"wx": 288, "bx": 72, "bh": 72}, [], by_hand)
    for pair in ((layered, spelt), (spelt, layered)):
        found = told(*pair)
        assert bool(found) is bool(told_of)
        assert steps == 1 or found == told_of


@pytest.mark.parametrize(
    ("cell", "kinds"),
    [
        ({"class": "GRUCell", "config": {"units": 4}}, ["gru"]),
        ([{"class": "LSTMCell", "config": {"units": 4}}] * 2, ["lstm", "lstm"]),
        ({"class": "StackedRNNCells", "config": {"cells": [{"class": "SimpleRNNCell"}] * 3}}, ["rnn"] * 3),
        ({"class": "Mine", "config": {"units": 4}}, []),
    ],
)
def test_what_a_layer_of_cells_is_told_by_its_cells(cell: Any, kinds: list[str]) -> None:
    """Keras's ``RNN`` is any of them; one of the program's own is arithmetic of its own."""
    layer = {"name": "rnn", "class": "RNN", "config": {"cell": cell}}
    found = structure("keras", {"model": {"layers": [layer]}}, [{}, {"operations": [{"layer": "rnn"}]}])
    assert [one.kind for one in found.operations] == kinds
    assert bool(found.own) is (not kinds)


@pytest.mark.parametrize("joined", [True, False])
def test_windows_of_several_widths_side_by_side_have_no_order(joined: bool) -> None:
    """Keras tells the last of them first; in a row another order is another network."""
    ways = [("conv", {"units": 6, "kernel": [width]}) for width in (2, 3, 4)]
    layers = [{"name": "both", "class": "Concatenate"}] if joined else []
    sizes = {"2": 96, "3": 144, "4": 192}
    sides = [holding(sizes, layers, network(*some, HEAD)) for some in (ways, ways[::-1])]
    assert bool(told(*sides)) is (not joined)


@pytest.mark.parametrize("bias", [True, False])
def test_a_separable_convolution_is_two(bias: bool) -> None:
    """Keras's one layer holds a kernel for each channel and one of a single point; PyTorch spells two modules."""
    window = {"kernel_size": [3, 3], "strides": [2, 2], "padding": "valid", "dilation_rate": [1, 1]}
    config = {**window, "filters": 16, "depth_multiplier": 1, "use_bias": bias, "activation": "relu"}
    separable = {"name": "s", "class": "SeparableConv2D", "input_shape": [None, 9, 9, 8], "config": config}
    keras = structure("keras", {"model": {"layers": [separable]}}, [{}, {"operations": [{"layer": "s"}]}])
    point = {"units": 16, "bias": bias, "kernel": [1, 1], "stride": [1, 1], "dilation": [1, 1], "pads": [[0, 0]] * 2}
    within = {"bias": False, "kernel": [3, 3], "stride": [2, 2], "dilation": [1, 1], "pads": [[0, 0]] * 2}
    spelt = network(("depthwise", within), ("conv", point), ("activation", {"function": "relu"}))
    assert [one.kind for one in keras.operations] == [one.kind for one in spelt.operations]
    assert not differences(keras, spelt)
    wider = network(("depthwise", within), ("conv", point | {"units": 8}), ("activation", {"function": "relu"}))
    assert differences(keras, wider)


@pytest.mark.parametrize(
    ("extent", "stride", "pads", "same"),
    [(8, 2, [1, 1], True), (7, 2, [1, 1], True), (8, 1, [1, 1], True), (8, 2, [0, 1], False), (9, 3, [2, 2], False)],
)
def test_a_layer_of_zeros_before_a_convolution_is_a_padding_as_far_as_its_windows_reach(
    extent: int, stride: int, pads: list[int], same: bool
) -> None:
    """``ZeroPadding2D(1)`` before a window of 3 with a stride of 2 is PyTorch's ``padding=1``."""
    window = {"kernel_size": [3, 3], "stride": [stride] * 2, "padding": [1, 1], "dilation": [1, 1]}
    layers = [{"name": "conv", "class": "Conv2d", "in_channels": 1, "out_channels": 2, **window}]
    torch = structure(
        "torch", {"model": {"layers": layers}}, [{"operations": [{"layer": "conv", "from": [extent] * 2}]}]
    )
    shape, padded = [None, extent, extent, 1], extent + sum(pads)
    keras = structure("keras", {"model": {"class": "Sequential", "layers": [
        {"name": "pad", "class": "ZeroPadding2D", "input_shape": shape, "config": {"padding": [pads, pads]}},
        {"name": "conv", "class": "Conv2D", "input_shape": [None, padded, padded, 1], "config": {
            "filters": 2, "kernel_size": [3, 3], "strides": [stride] * 2, "padding": "valid", "dilation_rate": [1, 1]}},
    ]}}, [{}])  # fmt: skip
    assert ([one.setting for one in differences(torch, keras)] == []) is same


@pytest.mark.parametrize(("times", "whole"), [(1, 2), (2, 2), (3, 2), (2, 3)])
def test_a_model_that_is_called_several_times_in_a_step_is_one_model(times: int, whole: int) -> None:
    """Two views of one batch, say; a block that is used twice within one pass is there twice."""
    layers = [{"name": name, "class": "Dense", "config": {"units": 3}} for name in ("a", "b", "c")[:whole]]
    graph = [{"layer": one["name"]} for one in layers]
    body = {"model": {"layers": layers}}
    one = structure("tensorflow", body, [{"operations": graph}])
    several = structure(
        "tensorflow", body, [{"operations": [{**graph[0], "calls": times}, *graph[1:], *graph * (times - 1)]}]
    )
    assert several.operations == one.operations
    block = structure("tensorflow", body, [{"operations": [*graph, graph[0]]}])
    assert len(block.operations) == whole + 1


TABLE = {"name": "pos", "class": "Embedding", "num_embeddings": 6, "embedding_dim": 4}
DENSE = {"name": "out", "class": "Linear", "in_features": 4, "out_features": 3}
CALLED = network(("embedding", {"units": 4}), ("dense", {"units": 3}))
BARE = network(("dense", {"units": 3}))


@pytest.mark.parametrize(("layers", "missing"), [([TABLE, DENSE], []), ([DENSE], ["forward.embedding"])])
def test_a_table_whose_weight_is_taken_by_hand_is_not_missing(layers: list[dict[str, Any]], missing: list[str]) -> None:
    """``self.positions.weight`` on one side, a call of the layer on the other; else it is."""
    ours = holding({"pos.weight": 24, "out.weight": 12}, [TABLE, DENSE], CALLED)
    theirs = holding({"pos.weight": 24, "out.weight": 13}, layers, BARE)
    assert told(ours, theirs) == missing


def test_projections_that_lie_in_one_tensor_are_three() -> None:
    """PyTorch's attention against three layers; a table that one side has besides is told."""
    packed = {"at.in_proj_weight": 12, "at.in_proj_bias": 6, "out.weight": 8}
    apart = {
        **{f"{name}.{kind}": size for name in "qkv" for kind, size in (("weight", 4), ("bias", 2))},
        "out.weight": 8,
    }
    body = network(("dense", {"units": 2}))
    assert told(holding(packed, [], body), holding(apart, [], body)) == []
    assert told(holding({**packed, "positions": 10}, [], body), holding(apart, [], body)) == ["forward.weights"]
    assert told(holding(packed, [], body), holding({**apart, "q2.weight": 4}, [], body)) == ["forward.weights"]


def test_projections_that_lie_in_one_tensor_on_both_sides_are_the_same() -> None:
    """PyTorch's attention against a program's own: its table of positions is a layer there and a bare weight here."""
    packed = {"at.in_proj_weight": 12, "at.in_proj_bias": 6, "positions": 24, "out.weight": 8}
    own = {"qkv.weight": 12, "qkv.bias": 6, "table.weight": 24, "out.weight": 8}
    bare, called = network(("dense", {"units": 2})), network(("embedding", {"units": 4}), ("dense", {"units": 2}))
    assert told(holding(packed, [], bare), holding(own, [], called)) == []
    assert told(holding({**packed, "positions": 20}, [], bare), holding(own, [], called)) == ["forward.embedding"]


@pytest.mark.parametrize(("scale", "causes"), [(0.5, []), (1.0, ["attention.scale"])])
@pytest.mark.parametrize(
    "layer", [{"class": "MultiHeadAttention", "config": {"key_dim": 4, "num_heads": 2}},
              {"class": "torch.nn.MultiheadAttention", "embed_dim": 8, "num_heads": 2}],
)  # fmt: skip
def test_a_layer_of_attention_scales_by_the_root_of_a_heads_width(
    layer: dict[str, Any], scale: float, causes: list[str]
) -> None:
    """Against one that a program writes out, with or without."""
    body = network(("dense", {"units": 8}))
    by_hand = holding({"w": 4}, [], replace(body, shares=({"over": 5, "scale": scale},)))
    assert told(holding({"w": 4}, [{"name": "at", **layer}], body), by_hand) == causes


@pytest.mark.parametrize("first", [True, False])
def test_another_models_operations_are_none_of_this_ones(first: bool) -> None:
    """A generator before its judge, or behind: in PyTorch products of no layer, where all weights are layers'."""
    layers = [{"name": name, "class": "Linear", "in_features": 4, "out_features": 4} for name in ("in", "out")]
    judge = [{"layer": "in"}, {"op": "relu"}, {"layer": "out"}]
    other = [{"op": "dense", "units": 9}, {"op": "tanh"}]
    graph = [*other, *judge] if first else [*judge, *other]
    tensors = {f"{name}.weight": {"shape": [4, 4]} for name in ("in", "out")}
    body = {"model": {"layers": layers, "tensors": tensors}}
    found = structure("torch", body, [{"operations": graph}])
    assert [one.word for one in found.operations] == ["dense(4)", "relu", "dense(4)"]
    own = structure("torch", {"model": {"layers": layers, "tensors": {**tensors, "w": {}}}}, [{"operations": graph}])
    assert len(own.operations) == len(graph), "a weight of its own, that is no layer's"


def test_a_traced_judge_with_a_generator_between_its_calls_is_one_pass() -> None:
    """Of right samples and of made ones."""
    layers = [
        {"name": name, "path": f"judge/{name}", "class": "Dense", "config": {"units": 4}} for name in ("in", "out")
    ]
    calls = [{"layer": f"judge/{name}"} for name in ("in", "out")]
    graph = [*calls, {"layer": "maker/in"}, *calls]
    found = structure("tensorflow", {"model": {"layers": layers}}, [{"operations": graph}])
    assert [one.word for one in found.operations] == ["dense(4)", "dense(4)"]


@pytest.mark.parametrize(("rate", "kinds"), [(0.1, ["gru", "dropout", "gru", "dropout", "gru"]), (0.0, ["gru"] * 3)])
def test_a_dropout_between_stacked_recurrent_layers_is_one(rate: float, kinds: list[str]) -> None:
    """PyTorch has it within the layer, Keras between two of them."""
    given = {"class": "GRU", "name": "gru", "hidden_size": 8, "num_layers": 3, "dropout": rate, "batch_first": True}
    body = {"model": {"layers": [given]}}
    found = structure("torch", body, [{"operations": [{"layer": "gru", "input_shape": [4, 6, 2]}]}])
    assert [one.kind for one in found.operations] == kinds
    assert all(one.settings["rate"] == rate for one in found.operations if one.kind == "dropout")
