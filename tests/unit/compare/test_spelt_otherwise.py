"""Honest ports that count or name otherwise what is the same: calls of a step, rows of an image, tapes without data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from auditor.compare.identify.fact import Fact, Facts
from auditor.compare.identify.loss_parts import Part
from auditor.compare.profile import Profile
from auditor.compare.recognise import conduct, data, loss_parts
from auditor.compare.structure import Operation, structure
from auditor.compare.structure.geometry import of_rank
from auditor.ingest.records import StepRecording
from support.tiny import Tiny


def side(framework: str, forwards: int = 0, **known: Any) -> Profile:
    """A run of which only this is known."""
    facts = Facts()
    for name, value in known.items():
        facts.add(Fact(name.replace("__", "."), value))
    one = Tiny(steps=1).profile()
    steps = (StepRecording(0, 0, 2, facts={"forwards": forwards} if forwards else {}),)
    return replace(one, framework=framework, facts=facts, evidence=replace(one.evidence, steps=steps))


@pytest.mark.parametrize(("forwards", "told"), [(3, []), (2, ["DATA-03"]), (0, ["DATA-03"])])
def test_samples_of_several_calls_are_counted_once(forwards: int, told: list[str]) -> None:
    """A triplet is three calls of one step: three times the samples, of as many rows."""
    torch = side("torch", forwards, data__samples_per_epoch=1536, data__batch_size=32)
    tape = side("tensorflow", data__samples_per_epoch=512, data__batch_size=32)
    for pair in ((torch, tape), (tape, torch)):
        assert [one.id for one in data.causes(*pair) if one.parameter == "data.samples_per_epoch"] == told


@pytest.mark.parametrize(("known", "told"), [({}, []), ({"data__batch_size": 64}, ["OPT-21"])])
def test_gradients_of_a_tape_without_its_data_may_be_of_several_batches(known: dict[str, Any], told: list[str]) -> None:
    """Added up by hand outside of the tape: nobody saw of how many."""
    torch = side("torch", update__batches_per_step=4, data__batch_size=16)
    found = [one.id for one in conduct.causes(torch, side("tensorflow", **known)) if one.id == "OPT-21"]
    assert found == told


@pytest.mark.parametrize(("weight", "told"), [(1.0, []), (3.0, ["LOSS-00"])])
def test_a_class_that_is_picked_and_one_among_ones_and_zeros_are_one_part(weight: float, told: list[str]) -> None:
    """A focal loss by ``gather``, and by a product over three classes that is summed."""
    picked = side("torch", loss__parts=(Part("entropy", 1.0, 1.0),))
    whole = side("tensorflow", loss__parts=(Part("entropy", 3.0, weight),))
    for pair in ((picked, whole), (whole, picked)):
        assert [one.id for one in loss_parts.causes(*pair)] == told


@pytest.mark.parametrize(("linear", "told"), [((1, 0), []), ((0, 0), ["LOSS-00"]), ((0, 1), ["LOSS-00"])])
def test_a_part_that_a_model_gives_may_be_what_the_other_side_writes_out(
    linear: tuple[int, int], told: list[str]
) -> None:
    """A penalty as a second output, against its squares in the loop."""
    fit = Part("square", 1.0, 1.0)
    gives = side("torch", loss__parts=(fit,), loss__parts__linear=linear[0])
    writes = side("torch", loss__parts=(fit, Part("square", 12.0, 0.02)), loss__parts__linear=linear[1])
    for pair in ((gives, writes), (writes, gives)):
        assert [one.id for one in loss_parts.causes(*pair)] == told


POOL = {"kernel": [1, 2], "stride": [1, 2], "dilation": [1, 1], "pads": [[0, 0], [0, 0]], "_slack": [0, 0]}


@pytest.mark.parametrize(("kernel", "told"), [([3], [2]), ([3, 3], [1, 2])])
def test_a_pool_of_sequences_is_none_of_images(kernel: list[int], told: list[int]) -> None:
    """``F.max_pool1d`` is told as a pool of one row; of images such a pool is what it is."""
    found = of_rank([Operation("conv", "a", {"kernel": kernel}), Operation("max_pool", "b", dict(POOL))])
    assert found[1].settings["kernel"] == told
    assert len(found[1].settings["pads"]) == len(told)
    assert structure("torch", None, []).operations == ()
