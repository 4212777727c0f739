"""Transposed convolutions whose output the program cuts to size itself."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.compare.structure import Structure, differences, structure


def conv(name: str, kind: str, **more: Any) -> dict[str, Any]:
    """A module of PyTorch with a kernel of three."""
    return {"name": name, "class": kind, "out_channels": 8, "kernel_size": [3, 3], "groups": 1, **more}


UP = conv("up", "ConvTranspose2d", stride=[2, 2], padding=[0, 0], output_padding=[0, 0], dilation=[1, 1])
OUT = conv("out", "Conv2d", stride=[1, 1], padding=[1, 1], dilation=[1, 1])


def torch(over: int, **more: Any) -> Structure:
    """One that makes nine of four rows, and a convolution over so many."""
    graph = [{"layer": "up", "from": [4, 4]}, {"op": "tanh"}, {"layer": "out", "from": [over, over]}]
    return structure("torch", {"model": {"layers": [{**UP, **more}, OUT]}}, [{"operations": graph}])


def keras() -> Structure:
    """The same with ``padding="same"``."""
    given = {"filters": 8, "kernel_size": [3, 3], "padding": "same"}
    layers = [
        {"name": "up", "class": "Conv2DTranspose", "config": {**given, "strides": [2, 2], "activation": "tanh"}},
        {"name": "out", "class": "Conv2D", "config": {**given, "strides": [1, 1]}, "input_shape": [None, 8, 8, 8]},
    ]
    return structure("keras", {"model": {"layers": layers}}, [{"operations": [{"layer": "up"}, {"layer": "out"}]}])


@pytest.mark.parametrize(
    ("over", "more", "told"),
    [
        (8, {}, []),  # cut by hand: at which end nobody saw
        (8, {"padding": [1, 1], "output_padding": [1, 1]}, ["padding"]),  # as many, but from the other end
        (9, {}, ["padding"]),
    ],
)
def test_what_is_cut_by_hand_may_be_what_the_other_layer_cuts(over: int, more: dict[str, Any], told: list[str]) -> None:
    """Where its own numbers say what it gives, and the next window is over that, they count."""
    assert [one.setting for one in differences(torch(over, **more), keras()) if one.setting == "padding"] == told
