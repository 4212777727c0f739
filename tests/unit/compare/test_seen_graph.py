"""What a graph says beside its layers: shares, what is cut off, the axis of time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.compare.recognise import forward
from auditor.compare.structure import differences, seen_graph, structure
from auditor.compare.structure.operations import Structure
from support.tiny import Tiny

RNN = {"name": "rnn", "class": "GRU", "hidden_size": 4}


def recurrent(shape: list[int], *, batch_first: bool = False) -> Structure:
    """A network of one recurrent layer that was given ``shape``; eight rows met their targets."""
    facts = {"loss": {"target_shape": [8]}, "operations": [{"layer": "rnn", "input_shape": shape}]}
    return structure("torch", {"model": {"layers": [{**RNN, "batch_first": batch_first}]}}, [facts])


@pytest.mark.parametrize(
    ("shape", "batch_first", "along"),
    [([8, 5, 3], False, False), ([5, 8, 3], False, True), ([8, 5, 3], True, True), ([8, 8, 3], False, None)],
)
def test_a_layer_that_takes_samples_for_times_is_known_by_its_input(
    shape: list[int], batch_first: bool, along: bool | None
) -> None:
    """A program that turns its batches round is right without ``batch_first``."""
    found = recurrent(shape, batch_first=batch_first).operations[0].settings
    assert found.get("along_time") is along
    assert "first" not in found


def test_the_softmax_at_the_end_is_no_share_within() -> None:
    """It is the loss's matter."""
    within: dict[str, Any] = {"op": "softmax", "over": 5, "scale": 0.5}
    assert seen_graph.shares([within, {"op": "dense"}, {"op": "softmax", "over": 3}]) == ({"over": 5, "scale": 0.5},)


def test_layers_before_a_detach_are_not_missed() -> None:
    """They ran, and are not in the graph: then the graph is not the network."""
    layers = [{"name": name, "class": "Linear", "out_features": 4} for name in ("enc", "head")]
    seen = [{"name": "enc"}, {"name": "head"}]
    facts = {"operations": [{"layer": "head"}], "layers": seen}
    found = structure("torch", {"model": {"layers": layers}}, [facts])
    assert [one.name for one in found.operations] == ["enc", "head"]
    assert not found.whole


@pytest.mark.parametrize(
    ("framework", "kind", "count"),
    [("torch", "Flatten", 2), ("torch", "Sampling", None), ("keras", "Sampling", 2), ("keras", "Add", 3)],
)
def test_sums_are_counted_where_none_can_hide(framework: str, kind: str, count: int | None) -> None:
    """A module of the program's own making that PyTorch tells as one may hold more."""
    layers = [{"name": "own", "class": kind}, {"name": "out", "class": "Linear"}]
    graph = [{"op": "add"}, {"layer": "own"}, {"layer": "out"}, {"op": "add"}]
    found = seen_graph.sums(framework, graph, layers)
    assert (found if found is None else found["add"]) == count
    assert seen_graph.sums(framework, graph * 128, layers) is None, "it may go on"


@pytest.mark.parametrize(("inputs", "added"), [(2, 1), (4, 3)])
def test_a_layer_that_adds_several_inputs_is_as_many_sums_of_two(inputs: int, added: int) -> None:
    """PyTorch adds two at a time."""
    layers = [{"name": "sum", "class": "Add", "input_shape": [[None, 5]] * inputs}]
    found = seen_graph.sums("keras", [{"layer": "sum"}], layers)
    assert found is not None
    assert found["add"] == added


@pytest.mark.parametrize(("first", "stops"), [("Flatten", 0), ("Linear", 1)])
def test_no_gradient_is_stopped_before_there_is_any(first: str, stops: int) -> None:
    """What a layer without weights makes of the input has no gradient to lose."""
    layers = [{"name": "first", "class": first}, {"name": "then", "class": "Linear"}]
    found = seen_graph.sums("torch", [{"layer": "first"}, {"op": "stop"}, {"layer": "then"}], layers)
    assert found is not None
    assert found["stop"] == stops


ATTENTION = {"name": "att", "class": "MultiheadAttention", "embed_dim": 6, "num_heads": 2}


@pytest.mark.parametrize(
    ("over", "of", "batch_first", "along"),
    [(8, 10, False, False), (5, 16, False, True), (5, 16, True, True), (8, 16, False, None), (7, 4, False, True)],
)
def test_attention_along_the_samples_is_known_by_its_shares(
    over: int, of: int, batch_first: bool, along: bool | None
) -> None:
    """Eight rows met their targets: of eight shares each is of a sample, unless there are as many positions."""
    node = {"layer": "att", "causal": False, "over": over, "of": of}
    facts = {"loss": {"target_shape": [8]}, "operations": [node]}
    layers = [{**ATTENTION, "batch_first": batch_first}]
    ours = structure("torch", {"model": {"layers": layers}}, [facts])
    assert ours.operations[0].settings.get("along_time") is along
    told = {
        "name": "att",
        "class": "MultiHeadAttention",
        "num_heads": 2,
        "attention_axes": [1],
        "weights": [{"shape": [6, 2, 3]}],
    }
    keras = structure("keras", {"model": {"layers": [{**told, "output_shape": [None, 5, 6]}]}}, [{}])
    assert [one.setting for one in differences(keras, ours)] == (["along_time"] if along is False else [])


@pytest.mark.parametrize("both", [False, True])
def test_samples_that_a_view_mixes_on_one_side_are_a_difference(both: bool) -> None:
    """Where both do it they compute one thing."""
    run = Tiny(steps=1).profile()
    mixing, plain = (replace(run, structure=Structure(mixes=count)) for count in (1, 0))
    told = [one.parameter for one in forward.causes(mixing, mixing if both else plain)]
    assert told == ([] if both else ["forward.mixed"])
    graph = [{"layer": "rnn"}, {"op": "mix"}, {"layer": "out"}]
    assert structure("torch", {"model": {"layers": [RNN]}}, [{"operations": graph}]).mixes == 1


@pytest.mark.parametrize("width", [3, 6])
def test_heads_of_another_width_are_told(width: int) -> None:
    """Keras is given the width of each head, PyTorch that of all: ``key_dim=embed_dim`` is another network."""
    told = {
        "name": "att",
        "class": "MultiHeadAttention",
        "num_heads": 2,
        "key_dim": width,
        "output_shape": [None, 5, 6],
    }
    keras = structure("keras", {"model": {"layers": [{**told, "weights": [{"shape": [6, 2, width]}]}]}}, [{}])
    torch = structure("torch", {"model": {"layers": [{**ATTENTION, "head_dim": 3}]}}, [{}])
    assert [one.setting for one in differences(keras, torch)] == ([] if width == 3 else ["head_units"])


@pytest.mark.parametrize(("over", "known"), [([24], True), ([26], False)])
def test_padding_of_plain_inputs_is_not_known(over: list[int], known: bool) -> None:
    """What is done to them has no gradient: the first convolution runs on more than the batch has."""
    layers = [{"name": "first", "class": "Conv1d", "in_channels": 1, "out_channels": 4, "kernel_size": [3]}]
    graph = [{"op": "conv", "from": over, "layer": "first"}]
    found = structure("torch", {"model": {"layers": layers}}, [{"operations": graph}], [24, 1])
    assert ("pads" in found.operations[0].settings) is known


@pytest.mark.parametrize("end", [False, True])
def test_a_sigmoid_at_the_end_of_one_of_several_outputs_is_the_losss_matter(end: bool) -> None:
    """Whichever output comes last; one in the middle of the network is the network's."""
    flag = {"end": True} if end else {}
    graph = [{"layer": "a"}, {"op": "sigmoid", **flag}, {"layer": "b", "end": True}]
    layers = [{"name": name, "class": "Linear", "out_features": 1} for name in "ab"]
    torch = structure("torch", {"model": {"layers": layers}}, [{"operations": graph}])
    told = [{"name": name, "class": "Dense", "config": {"units": 1, "activation": "sigmoid"}} for name in "ab"]
    keras = structure(
        "keras", {"model": {"layers": told}}, [{"operations": [{"layer": "a", **flag}, {"layer": "b", "end": True}]}]
    )
    for found in (torch, keras):
        assert [one.word for one in found.operations].count("sigmoid") == (0 if end else 1)


@pytest.mark.parametrize("again", [1, 2, 3])
def test_a_model_that_is_called_again_in_its_own_loss_is_one_pass(again: int) -> None:
    """A physics-informed network: its output is at the end of the last call alone."""
    layers = [{"name": name, "class": "Dense", "units": 4, "activation": "tanh"} for name in ("first", "last")]
    within = [{"layer": "first", "calls": again}, {"layer": "last", "calls": again}]
    graph = [*within * (again - 1), within[0], {**within[1], "end": True}]
    facts = {"operations": graph, "operations_whole": True}
    found = structure("tensorflow", {"model": {"layers": layers}}, [facts])
    assert [one.kind for one in found.operations] == ["dense", "activation", "dense", "activation"]
    assert seen_graph.once(graph)[-1].get("end"), "which the loss takes"


TABLE = {"name": "e", "class": "Embedding", "num_embeddings": 50, "embedding_dim": 16}
LAST = {"name": "o", "class": "Linear", "in_features": 16, "out_features": 2}
HELD = {f"{name}.weight": {"shape": [2, 16]} for name in ("e", "o")}


@pytest.mark.parametrize(("units", "kept"), [(16, True), (8, False)])
def test_a_table_that_rows_of_ones_are_multiplied_with_is_of_the_network(units: int, kept: bool) -> None:
    """Its layer is never called; a product of another width is another network's."""
    graph = [{"op": "dense", "units": units}, {"op": "global_average_pool"}, {"layer": "o"}]
    assert (len(seen_graph.own(graph, [TABLE, LAST], HELD)) == len(graph)) is kept


@pytest.mark.parametrize(
    ("tensors", "whole"),
    [
        ({"group0.param2": {"shape": [8]}}, False),
        ({"group0.param2": {"shape": [1]}, "group1.param0": {"shape": []}}, True),
        ({}, True),
    ],
)
def test_of_a_network_beside_tensors_of_no_module_more_may_be_there(tensors: dict[str, Any], whole: bool) -> None:
    """What a loop computes with them stands in no model; a temperature is a number."""
    manifest = {"model": {"layers": [LAST], "tensors": {"o.weight": {"shape": [2, 16]}, **tensors}}}
    assert structure("torch", manifest, [{"operations": [{"layer": "o"}]}]).whole is whole
