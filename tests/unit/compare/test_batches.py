"""What batches tell: of a model's first shape of input, of the samples that the loss is of."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.compare.identify import order
from auditor.compare.identify.evidence import evidence
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Beside, Facts, Profile, profile
from auditor.compare.recognise import data
from auditor.ingest.records import Recorded, StepRecording


def step(number: int, batch: np.ndarray, target: np.ndarray) -> StepRecording:
    """A step with its batch and its target."""
    made = StepRecording(0, 0, number)
    for role, name, values in (("batch", "input0", batch), ("target", "target0", target)):
        made.arrays[role, name] = Recorded(role, name, str(values.dtype), values.shape, values.size, values.ravel())
    return made


def test_what_a_later_model_is_fed_is_none_of_the_data() -> None:
    """Pictures of a base that is trained first, then what the base makes of others."""
    rng = np.random.default_rng(0)
    first = [step(at, rng.uniform(0, 1, (20, 1, 8, 8)), np.zeros(20)) for at in range(1, 6)]
    later = [step(at, rng.uniform(0, 9, (20, 128)), np.zeros(20)) for at in range(6, 9)]
    told = [
        {fact.parameter: fact.value for fact in order.facts(evidence("torch", steps), {}, [])}
        for steps in (first, [*first, *later])
    ]
    assert told[1]["data.input.range"] == told[0]["data.input.range"]
    assert told[1]["data.input.range"][1] <= 1


@pytest.mark.parametrize(
    ("rows", "of_loss", "told"),
    [
        ((100, 400), (100, 100), []),
        ((100, 400), (100, 400), ["data.batch_size"]),
        ((100, 100), (100, 100), []),
        ((100, 400), (None, None), ["data.batch_size"]),
    ],
)
def test_a_loss_of_some_of_a_batch_is_of_a_batch_of_those(
    rows: tuple[int, int], of_loss: tuple[int | None, int | None], told: list[str]
) -> None:
    """The labelled nodes of a graph, which one program picks before the model and the other behind it."""

    def side(size: int, of: int | None) -> Profile:
        found = Facts()
        found.add(Fact("data.batch_size", size))
        if of is not None:
            found.add(Fact("data.of_loss", of))
        return replace(profile("a", "torch", [], Beside()), facts=found)

    sides = [side(*pair) for pair in zip(rows, of_loss, strict=True)]
    assert [one.parameter for one in data.causes(*sides) if one.parameter == "data.batch_size"] == told


def test_what_a_later_model_learns_is_none_of_the_first_one_s() -> None:
    """A student behind its teacher, whose weights have the same names and other shapes."""
    steps = [step(at, np.zeros((20, 4)), np.zeros(20)) for at in range(1, 7)]
    for one in steps:
        wide = 48 if one.step < 5 else 8
        for role in ("weight", "gradient", "updated"):
            values = np.full((wide, 4), float(one.step))
            one.arrays[role, "0.weight"] = Recorded(role, "0.weight", "float64", values.shape, 4 * wide, values.ravel())
    found = evidence("torch", steps)
    assert [one.step for one in found.steps] == [1, 2, 3, 4]
    assert found.tracks[0].weight.shape == (4, 48 * 4)
