"""A softmax within a network, along an axis that no program named: over the samples of a batch."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.integrations.torch import shares
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

ROWS, POSITIONS, WIDE = 48, 10, 6


def run(framework: str, layers: list[dict[str, Any]], operations: list[dict[str, Any]]) -> Profile:
    """A run of which its layers and what ran are known, on sequences."""
    x = np.random.default_rng(len(framework)).standard_normal((ROWS, POSITIONS, WIDE)).astype(np.float32)
    one = Recording(1, [array("batch", "input0", x)], {}, {"operations": operations, "operations_whole": True})
    return profile(framework, framework, assembled([one]), Beside({"model": {"class": "Model", "layers": layers}}))


def of_torch(over: int) -> Profile:
    """Products, their softmax, and a head."""
    layers = [{"name": name, "class": "Linear", "in_features": 6, "out_features": 3} for name in ("a", "b")]
    return run("torch", layers, [{"layer": "a"}, {"op": "softmax", "over": over}, {"layer": "b", "end": True}])


def of_keras(config: dict[str, Any], shape: list[int | None] | None) -> Profile:
    """The same, its softmax a layer."""
    dense = [{"name": name, "class": "Dense", "config": {"units": 3, "use_bias": True}} for name in ("a", "b")]
    layer = {"name": "softmax", "class": "Softmax", "config": config, "output_shape": shape}
    told = [{"layer": name} for name in ("a", "softmax")]
    return run("keras", [dense[0], layer, dense[1]], [*told, {"layer": "b", "end": True}])


@pytest.mark.parametrize(("summed", "entries"), [(False, ["FWD-22"]), (True, [])])
def test_heads_that_are_worked_out_one_by_one_are_those_of_a_layer(summed: bool, entries: list[str]) -> None:
    """Three shares in a row of which the same is told, against one of a layer that has three heads."""
    head = {"op": "softmax", "over": POSITIONS, "scale": 0.5, "summed": summed}
    torch_ = [{"layer": "a"}, *[dict(head) for _ in range(3)], {"layer": "b", "end": True}]
    layers = [{"name": name, "class": "Linear", "in_features": 12, "out_features": 12} for name in ("a", "b")]
    attention = {"name": "mha", "class": "MultiHeadAttention", "config": {"num_heads": 3, "key_dim": 4}}
    keras = run("keras", [attention], [{"layer": "mha"}, {"op": "arithmetic"}])
    found = diagnose(run("torch", layers, torch_), keras).causes
    assert [one.id for one in found if one.parameter.startswith("softmax.")] == entries


@pytest.mark.parametrize(
    ("over", "axis", "shape", "told"),
    [
        (ROWS, 1, [None, POSITIONS, 1], True),
        (POSITIONS, 1, [None, POSITIONS, 1], False),
        (ROWS, -1, None, True),
        (POSITIONS, -1, None, False),
        (ROWS, 0, None, False),
    ],
)
def test_a_softmax_over_the_samples_is_told_against_a_layer_of_keras(
    over: int, axis: int, shape: list[int | None] | None, told: bool
) -> None:
    """By the sizes where they are known, else by the axis; nothing where both are the batch's."""
    for pair in ((of_torch(over), of_keras({"axis": axis}, shape)), (of_keras({"axis": axis}, shape), of_torch(over))):
        found = [(one.id, one.mend) for one in diagnose(*pair).causes if one.parameter == "softmax.over"]
        assert found == ([("FWD-22", "a" if pair[0].framework == "torch" else "b")] if told else [])


@pytest.mark.parametrize(("dim", "over"), [(None, ROWS), (0, ROWS), (-1, POSITIONS), (2, POSITIONS)])
def test_autograd_says_what_a_softmax_is_over(dim: int | None, over: int) -> None:
    """``nn.Softmax()`` takes the samples for three axes; that is no attention over positions."""
    scores = nn.Linear(POSITIONS, POSITIONS)(torch.randn(ROWS, POSITIONS, POSITIONS))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        node = nn.Softmax(dim)(scores).grad_fn
    assert shares.settings(node)["over"] == over
    assert shares.extents([node]) == ({} if over == ROWS else {"over": POSITIONS, "of": ROWS})


@pytest.mark.parametrize(
    ("left", "right", "mend"),
    [(True, False, "b"), (False, True, "a"), (False, False, None), (True, None, None), (None, False, None)],
)
def test_shares_along_another_axis_than_is_summed_are_told(
    left: bool | None, right: bool | None, mend: str | None
) -> None:
    """Of as many queries as keys no size shows it. Nothing where one side does not say what it sums."""
    layers = [{"name": name, "class": "Linear", "in_features": 6, "out_features": 3} for name in ("a", "b")]
    told = [{"op": "softmax", "over": POSITIONS, **({} if one is None else {"summed": one})} for one in (left, right)]
    pair = [run("torch", layers, [{"layer": "a"}, one, {"layer": "b", "end": True}]) for one in told]
    found = [(one.id, one.mend) for one in diagnose(*pair).causes if one.parameter == "softmax.summed"]
    assert found == ([] if mend is None else [("FWD-22", mend)])


@pytest.mark.parametrize(
    ("left", "right", "mend"), [(True, False, "a"), (False, True, "b"), (True, True, None), (True, None, None)]
)
def test_heads_of_several_positions_are_told(left: bool | None, right: bool | None, mend: str | None) -> None:
    """Rows that were reshaped where an axis was to be moved; nothing where one side does not say."""
    layers = [{"name": name, "class": "Linear", "in_features": 6, "out_features": 3} for name in ("a", "b")]
    told = [{"op": "softmax", "over": POSITIONS, **({} if one is None else {"mixed": one})} for one in (left, right)]
    pair = [run("torch", layers, [{"layer": "a"}, one, {"layer": "b", "end": True}]) for one in told]
    found = [(one.id, one.mend) for one in diagnose(*pair).causes if one.parameter == "attention.mixed"]
    assert found == ([] if mend is None else [("FWD-20", mend)])
