"""What stands beside what: branches that are joined, blocks that add up, where a model ends and its loss begins."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.compare.profile import Profile
from auditor.compare.recognise import forward
from support.networks import NORM, dense, network, relu
from support.tiny import Tiny


@pytest.mark.parametrize("joined", ["two inputs", "two outputs", "a layer", ""])
def test_branches_that_are_joined_have_no_order(joined: str) -> None:
    """Told by several inputs or outputs, or by Keras's layer that joins them; in a row an order is a difference."""
    more = {"two inputs": ("batch", "input1"), "two outputs": ("output", "output1")}.get(joined)
    run = Tiny(steps=1, extra={more: np.ones((16, 2))} if more else {}).profile()
    conv, table = ("conv", {"units": 16}), dense(32)
    ours, theirs = (
        replace(run, structure=replace(network(*both, dense(8)), ordered=True, ran=True))
        for both in ((table, relu(), conv, relu()), (conv, relu(), table, relu()))
    )
    if joined == "a layer":
        theirs = replace(theirs, manifest={"model": {"layers": [{"class": "Concatenate", "name": "both"}]}})
    told = [one.parameter.rpartition(".")[2] for one in forward.causes(ours, theirs)]
    assert ("order" in told) is (joined == "")


@pytest.mark.parametrize(("added", "told"), [(2, ["layernorm.order"]), (0, [])])
def test_a_normalisation_within_a_block_that_adds_up_has_its_place(added: int, told: list[str]) -> None:
    """Before attention or after it, in an encoder and a decoder of an input each."""
    run = Tiny(steps=1, extra={("batch", "input1"): np.ones((16, 2))}).profile()
    sums = {"add": added, "shift": 0, "stop": 0}
    ours, theirs = (
        replace(run, structure=replace(network(*both, dense(8)), ordered=True, ran=True, sums=sums))
        for both in ((NORM, dense(32), relu()), (dense(32), relu(), NORM))
    )
    assert [one.parameter for one in forward.causes(ours, theirs)] == told


@pytest.mark.parametrize("turned", [False, True])
def test_a_softmax_along_the_batch_is_the_side_to_mend(turned: bool) -> None:
    """As many numbers add up to one as a batch has samples: nobody means that."""
    run = Tiny(steps=1).profile()
    rows, wide = run.value("data.batch_size"), 5
    right, wrong = (replace(run, structure=replace(network(dense(4)), shares=({"over": n},))) for n in (wide, rows))
    found = next(iter(forward.causes(*((wrong, right) if turned else (right, wrong)))))
    assert (found.id, found.mend) == ("FWD-22", "a" if turned else "b")


def ended(function: str, *, within: bool, shift: int = 0) -> Profile:
    """A network that ends in this function, or whose loss begins with it; and adds a little before or after."""
    nodes = [
        {"op": "Mean", "inputs": [1]},
        {"op": "Add", "inputs": [2, None]},
        {"op": "Softplus", "inputs": ["output0"]},
    ]
    run = Tiny(steps=1, facts={"loss": {"graph": nodes[:1] if within else nodes}}).profile()
    last = [("activation", {"function": function})] if within else []
    sums = {"add": 0, "shift": shift, "stop": 0}
    return replace(run, structure=replace(network(dense(8), relu(), dense(2), *last), ran=True, sums=sums))


def test_a_function_that_the_other_sides_loss_begins_with_is_none_of_the_network() -> None:
    """A softplus of a variance and the least that it is: in the model, or in a likelihood written by hand."""
    inside, outside = ended("softplus", within=True, shift=1), ended("softplus", within=False)
    assert list(forward.causes(inside, outside)) == list(forward.causes(outside, inside)) == []
    assert [one.id for one in forward.causes(ended("tanh", within=True, shift=1), outside)] == ["FWD-10"]
    bare = replace(outside, evidence=Tiny(steps=1).profile().evidence)
    assert [one.id for one in forward.causes(inside, bare)] == ["FWD-10"]
