"""Sums with the raw input are counted otherwise by framework, and are the same sums."""

from __future__ import annotations

from dataclasses import replace

import pytest

from auditor.compare.recognise import forward
from auditor.compare.structure import Operation, Structure
from support.tiny import Tiny


def test_a_sum_with_the_raw_input_is_one_however_it_is_counted() -> None:
    """A layer ``Add`` of Keras; in PyTorch's graph a sum with what no weight has a part in."""
    run = Tiny(steps=1).profile()
    layers = (Operation("dense", "d", {"units": 4}),)
    counts = ({"add": 0, "shift": 2, "stop": 0}, {"add": 2, "shift": 0, "stop": 0}, {"add": 1, "shift": 0, "stop": 0})
    torch, keras, fewer = (
        replace(run, structure=Structure(layers, whole=True, ordered=True, sums=sums)) for sums in counts
    )
    assert not list(forward.causes(torch, keras))
    assert [one.parameter for one in forward.causes(torch, fewer)] == ["forward.sums", "forward.shift"]


@pytest.mark.parametrize(("further", "told"), [(["generator/kernel"], []), ([], ["backward.stopped"])])
def test_what_is_cut_off_between_two_optimizers_is_not_told(further: list[str], told: list[str]) -> None:
    """A critic is given what a generator made, detached in one loop: the generator's gradients are zeroed anyway."""
    run = Tiny(steps=1).profile()
    first = replace(run.evidence.steps[0], facts={"optimizers": {"1": further}})
    run = replace(run, evidence=replace(run.evidence, steps=(first,)))
    ours, theirs = (
        replace(run, structure=Structure(whole=True, ordered=True, sums={"add": 0, "shift": 0, "stop": many}))
        for many in (1, 0)
    )
    assert [one.parameter for one in forward.causes(ours, theirs)] == told


def test_a_sum_of_the_output_with_the_raw_input_may_be_a_constant_at_its_end() -> None:
    """``x + net(x)``: in PyTorch's graph the last thing that is added, which a loss may as well add."""
    run = Tiny(steps=1).profile()
    layers = (Operation("dense", "d", {"units": 4}),)
    counts = ({"add": 0, "shift": 0, "end": 1, "stop": 0}, {"add": 1, "shift": 0, "end": 0, "stop": 0})
    torch, keras, bare = (
        replace(run, structure=Structure(layers, whole=True, ordered=True, sums=sums))
        for sums in (*counts, {"add": 0, "shift": 0, "end": 0, "stop": 0})
    )
    assert not list(forward.causes(torch, keras))
    assert not list(forward.causes(keras, torch))
    assert [one.parameter for one in forward.causes(bare, keras)] == ["forward.sums"]
