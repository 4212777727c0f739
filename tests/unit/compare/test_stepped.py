"""Cells that a loop steps: of those each side tells some steps, of layers that run once all."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.compare.profile import Profile
from auditor.compare.recognise import forward
from auditor.compare.structure import Structure
from support.networks import NORM, dense, network, relu
from support.tiny import Tiny, sgd


def run(structure: Structure) -> Profile:
    """A run of two kernels."""
    return replace(Tiny(stepper=sgd).profile(), structure=structure)


@pytest.mark.parametrize("norms", [[], [NORM], [NORM, NORM, NORM]], ids=len)
def test_an_activation_that_one_of_several_layers_lacks_is_told(norms: list[Any]) -> None:
    """Normalisations have no kernels: a network of many is not stepped."""
    whole = run(network(dense(24), *norms, relu(), dense(1), relu()))
    lacks = run(network(dense(24), *norms, relu(), dense(1)))
    assert [one.id for one in forward.causes(whole, lacks)] == ["FWD-10"]
    assert [one.id for one in forward.causes(lacks, whole)] == ["FWD-10"]


def test_of_a_cell_that_runs_again_and_again_nothing_is_missing() -> None:
    """Six steps here, two there, of the same two kernels."""
    steps = [dense(24), relu()]
    long, short = (run(network(*steps * count, dense(1))) for count in (6, 2))
    assert not [*forward.causes(long, short), *forward.causes(short, long)]
    other = run(network(*steps * 2, dense(1), ("activation", {"function": "tanh"})))
    assert [one.id for one in forward.causes(other, long)] == ["FWD-10"]
