"""Activations are known by what they make of a layer's sums, whatever the program calls them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.identify.activations import SEEN
from auditor.compare.identify.fact import Facts
from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import activations
from auditor.compare.structure import Operation, Structure, structure
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

WIDTHS = (7, 20, 12, 3)
Pointwise = Callable[[Tensor], Tensor]


def keras_2(x: Tensor) -> Tensor:
    """Its hard sigmoid."""
    return torch.clamp(0.2 * x + 0.5, 0, 1)


def run(function: Pointwise, framework: str = "keras", *, between: bool = False, seed: int = 0) -> Profile:
    """Three dense layers with a function behind the first two.

    ``between``: their outputs are recorded without it, as of a function that nobody knows the name of.
    """
    draw = torch.Generator().manual_seed(seed)
    given = [torch.randn(40, WIDTHS[0], generator=draw)]
    arrays, value = [], given[0]
    for at in range(3):
        kernel = torch.randn(WIDTHS[at], WIDTHS[at + 1], generator=draw) / WIDTHS[at] ** 0.5
        bias = torch.randn(WIDTHS[at + 1], generator=draw) / 2
        laid = kernel.T if framework == "torch" else kernel
        arrays += [array("weight", f"layer{at}.kernel", laid.numpy()), array("weight", f"layer{at}.bias", bias.numpy())]
        made = value @ kernel + bias
        value = function(made) if at < 2 else made
        if at < 2:
            arrays.append(array("activation", f"layer{at}", (made if between else value).numpy()))
    arrays += [array("batch", "input0", given[0].numpy()), array("output", "output0", value.numpy())]
    manifest: dict[str, Any] = {"model": {"layers": [{"name": f"layer{at}", "class": "Dense"} for at in range(3)]}}
    return profile("a", framework, assembled([Recording(1, arrays)]), Beside(manifest))


def names(found: Profile) -> list[set[str]]:
    """Names of the functions that may stand behind each layer."""
    return [{name for name, _ in functions} for *_, functions in found.value(SEEN, ())]


FUNCTIONS: dict[str, Pointwise] = {
    "relu": torch.relu, "tanh": torch.tanh, "sigmoid": torch.sigmoid, "silu": functional.silu, "mish": functional.mish,
    "softplus": functional.softplus, "selu": torch.selu, "elu": functional.elu, "softsign": functional.softsign,
    "gelu": functional.gelu, "leakyrelu": functional.leaky_relu, "hardsigmoid": functional.hardsigmoid,
    "hardsilu": functional.hardswish,
}  # fmt: skip


@pytest.mark.parametrize("framework", ["keras", "torch"])
@pytest.mark.parametrize("between", [False, True])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_known_by_its_numbers(name: str, between: bool, framework: str) -> None:
    """Within its layer or between two of them; nothing is said of the last, behind which nothing stands."""
    found = names(run(FUNCTIONS[name], framework, between=between))
    assert len(found) == 3
    assert all(name in one and len(one) <= 2 for one in found[:2])
    assert not found[2]


@pytest.mark.parametrize(
    ("mine", "theirs", "entry"),
    [
        (functional.hardsigmoid, keras_2, "FWD-10"),
        (torch.relu, torch.tanh, "FWD-10"),
        (functional.gelu, lambda x: functional.gelu(x, approximate="tanh"), "FWD-08"),
        (functional.leaky_relu, lambda x: functional.leaky_relu(x, 0.2), "FWD-09"),
    ],
)
@pytest.mark.parametrize("between", [False, True])
def test_two_functions_that_no_manifest_tells_apart_are(
    mine: Pointwise, theirs: Pointwise, entry: str, between: bool
) -> None:
    """Of independent draws, recorded in either way."""
    found = diagnose(run(mine), run(theirs, "torch", between=between, seed=1)).causes
    assert [one.id for one in found if one.id.startswith("FWD")] == [entry]
    assert found[0].how == "measured"


@pytest.mark.parametrize("theirs", [torch.relu, lambda x: torch.clamp(x, min=0), functional.relu6, torch.abs])
def test_what_may_be_one_function_is_no_difference(theirs: Pointwise) -> None:
    """One that is written otherwise, one that differs where no number was, one that nobody knows."""
    found = diagnose(run(torch.relu), run(theirs, "torch", seed=1)).causes
    assert not [one for one in found if one.id.startswith("FWD")]


def test_layers_of_other_sizes_are_not_held_against_each_other() -> None:
    """Nor layers of which nothing was recorded."""
    assert not names(profile("a", "keras", assembled([Recording(1, [])]), Beside({})))
    arrays = [array("weight", "layer0.kernel", np.ones((7, 20), np.float32)),
              array("activation", "layer0", np.ones((4, 20), np.float32))]  # fmt: skip
    other = profile("b", "keras", assembled([Recording(1, arrays)]), Beside({}))
    found = diagnose(run(torch.tanh), other).causes
    assert not [one for one in found if one.id in {"FWD-08", "FWD-09", "FWD-10"}]


@pytest.mark.parametrize(("function", "told"), [(keras_2, ["FWD-10"]), (functional.hardsigmoid, [])])
def test_a_function_of_the_programs_own_is_held_against_the_librarys_of_that_name(
    function: Pointwise, told: list[str]
) -> None:
    """Of Keras 2's hard sigmoid in Keras, where PyTorch's stands in a gate, so that nothing was seen behind it."""
    op = Operation("activation", "a", {"function": "hardsigmoid"})
    network = Structure(operations=(op,))
    mine = replace(run(function), structure=network)
    theirs = replace(run(functional.hardsigmoid, "torch"), structure=network, facts=Facts())
    assert [one.id for one in activations.causes(mine, theirs)] == told
    assert [one.id for one in activations.causes(theirs, mine)] == told


def test_an_activation_that_the_program_wrote_is_the_one_that_was_seen() -> None:
    """``Dense(8, activation=lambda x: gelu(x, approximate=True))``: the graph tells what it does."""
    manifest = {"model": {"layers": [{"name": "a", "class": "Dense", "units": 8, "activation": "<lambda>"}]}}
    acts = {"op": "gelu", "approximate": True}
    found = structure("keras", manifest, [{"operations": [{"layer": "a", "acts": acts}], "operations_whole": True}])
    assert found.operations[1].settings == {"function": "gelu", "approximate": True}
