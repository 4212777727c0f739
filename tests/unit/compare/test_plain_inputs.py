"""What a network does to its inputs before any weight has a part in it, of which autograd keeps nothing."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.structure import Structure, differences, structure
from auditor_agent.integrations.torch.arithmetic import OWN

DENSE = {"name": "first", "class": "Linear", "out_features": 8}
MODULES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "dropout": ({"class": "Dropout", "p": 0.2}, {"class": "Dropout", "config": {"rate": 0.2}}),
    "pool": (
        {"class": "AvgPool2d", "kernel_size": 2, "stride": 2, "padding": 0, "count_include_pad": True},
        {"class": "AveragePooling2D", "config": {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid"}},
    ),
    "activation": ({"class": "Tanh"}, {"class": "Activation", "config": {"activation": "tanh"}}),
    "upsample": (
        {"class": "Upsample", "mode": "bilinear", "align_corners": False},
        {"class": "UpSampling2D", "config": {"interpolation": "bilinear"}},
    ),
}


def torch(*nodes: Any, **module: Any) -> Structure:
    """A network of PyTorch, as it ran."""
    layers = [{"name": "before", **module}, DENSE] if module else [DENSE]
    return structure("torch", {"model": {"layers": layers}}, [{"operations": [*nodes, {"layer": "first"}]}])


def keras(**layer: Any) -> Structure:
    """One of Keras."""
    layers = [*([{"name": "before", **layer}] if layer else []), {"name": "first", "class": "Dense", "units": 8}]
    graph = [{"layer": one["name"]} for one in layers]
    return structure("keras", {"model": {"layers": layers}}, [{"operations": graph}])


def test_a_padding_of_plain_inputs_is_part_of_the_window_after_it() -> None:
    """One row below and one column to the right, as Keras pads at a stride of two."""
    conv = {"class": "Conv2d", "out_channels": 4, "in_channels": 1, "kernel_size": [3, 3], "stride": [2, 2],
            "padding": [0, 0], "dilation": [1, 1], "groups": 1, "name": "first"}  # fmt: skip
    windows = {"kernel_size": [3, 3], "strides": [2, 2], "padding": "same", "dilation_rate": [1, 1]}
    own = {"class": "Conv2D", "input_shape": [None, 8, 8, 1], "config": {"filters": 4, **windows}}

    def padded(*by: int) -> Structure:
        layers = [{"name": "before", "class": "ZeroPad2d", "padding": list(by)}, conv]
        graph = [PLAIN, {"op": "conv", "layer": "first", "from": [8 + by[2] + by[3], 8 + by[0] + by[1]]}]
        return structure("torch", {"model": {"layers": layers}}, [{"operations": graph}], [1, 8, 8])

    same = structure("keras", {"model": {"layers": [{"name": "first", **own}]}}, [{"operations": [{"layer": "first"}]}])
    assert [one.setting for one in differences(padded(0, 1, 0, 1), same)] == []
    assert [one.setting for one in differences(padded(1, 0, 1, 0), same)] == ["pads"]


PLAIN = {"layer": "before", "plain": True}


@pytest.mark.parametrize("kind", MODULES)
def test_a_module_on_plain_inputs_is_the_layer_that_the_other_side_has(kind: str) -> None:
    """What has neither is another network."""
    module, layer = MODULES[kind]
    ours, theirs = torch(PLAIN, **module), keras(**layer)
    assert [one.kind for one in ours.operations] == [one.kind for one in theirs.operations] != ["dense"]
    assert differences(ours, theirs) == differences(theirs, ours) == []
    assert [one.setting for one in differences(torch(), theirs)] == [""]
    assert [one.setting for one in differences(ours, keras())] == [""]


def test_its_settings_are_held_against_the_others() -> None:
    """Corners of an image that is made larger (FWD-19)."""
    module, layer = MODULES["upsample"]
    found = differences(torch(PLAIN, **{**module, "align_corners": True}), keras(**layer))
    assert [(one.setting, one.values) for one in found] == [("corners", (True, False))]


@pytest.mark.parametrize("kind", MODULES)
def test_what_a_program_may_do_to_them_itself_is_not_missing(kind: str) -> None:
    """``F.dropout(x)`` before the first layer, or a module of its own making."""
    layer = MODULES[kind][1]
    assert differences(torch({"op": OWN}), keras(**layer)) == []
    assert differences(torch(PLAIN, **{"class": "Whatever"}), keras(**layer)) == []


def test_extents_that_the_batch_has_not_are_padded_by_whom_nobody_saw() -> None:
    """Behind arithmetic of the program's own as where nothing is told; not behind a module that is."""
    conv = {"name": "first", "class": "Conv2d", "out_channels": 4, "kernel_size": [3, 3], "padding": [0, 0]}
    pad = {"name": "before", "class": "ZeroPad2d", "padding": [1, 1, 1, 1]}
    taken = {"layer": "first", "op": "conv", "from": [10, 10]}
    for before, unseen in (([], True), ([{"op": OWN}], True), ([PLAIN], False)):
        told = structure("torch", {"model": {"layers": [pad, conv]}}, [{"operations": [*before, taken]}], [1, 8, 8])
        assert ("pads" not in told.operations[-1].settings) == unseen
