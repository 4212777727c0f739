"""How many samples a step is of, where a model is given several rows for each."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import diagnose
from auditor.compare.identify.fact import Fact, Facts
from auditor.compare.profile import Profile
from auditor.compare.recognise import content
from auditor.compare.recognise.step_rows import step_rows
from auditor.compare.trajectories import Curve
from support.tiny import Tiny, event, inputs, sgd, targets


def side(batch: int, samples: float = 0.0, name: str = "a") -> Profile:
    """A run whose batches have so many rows, and that takes so many samples of its data at each step."""
    curves: dict[str, Any] = {"samples": Curve(np.arange(1, 5), np.full(4, samples))} if samples else {}
    return Tiny(batch=batch).profile(name, curves=curves)


@pytest.mark.parametrize(
    ("of_loss", "samples", "expected"),
    [
        (0, 0.0, {32}),
        (16, 0.0, {16, 32}),
        (0, 16.0, {16, 32}),
        (12, 0.0, {32}),
        (64, 0.0, {32}),
        (16, 8.0, {8, 16, 32}),
    ],
)
def test_rows_that_go_into_a_batch_without_a_rest_may_be_its_samples(
    of_loss: int, samples: float, expected: set[int]
) -> None:
    """Anchors and positives in one call; not the words of a sequence, of which there are more."""
    facts = Facts()
    for name, value in (("data.batch_size", 32), ("data.of_loss", of_loss)):
        facts.add(Fact(name, value))
    assert step_rows(replace(side(32, samples), facts=facts)) == expected


def test_pairs_that_are_given_in_one_call_are_no_larger_batch() -> None:
    """Of one that is twice as large and of which nothing tells that, it is said."""
    plain = side(16, 16.0)
    assert "data.batch_size" not in [one.parameter for one in diagnose(side(32, 16.0), plain).claims]
    assert "data.batch_size" in [one.parameter for one in diagnose(side(32, 32.0), plain).claims]


@pytest.mark.parametrize(("samples", "told"), [(16.0, False), (0.0, True)])
def test_an_epoch_has_as_many_steps_as_its_samples_make(samples: float, told: bool) -> None:
    """Each row in two batches of an epoch, beside another: of steps that were half as many all would come again."""
    x = inputs(192)
    rows = np.random.default_rng(3).permutation(96)

    def order(at: int) -> np.ndarray:
        here = rows[16 * (at % 6) :][:16]
        return np.concatenate([here, here + 96])

    curves: dict[str, Any] = {"samples": Curve(np.arange(1, 13), np.full(12, samples))} if samples else {}
    events = [event(6, "epoch", epoch=1, steps=6, samples=96, order="a", content="a")]
    both = Tiny(stepper=sgd, x=x, y=targets(x), steps=12, order=order).profile(curves=curves, events=events)
    plain = Tiny(steps=12).profile("b", events=events)
    again = content._again(both, plain)
    assert again is not None
    assert (again.part < 0.9) is told
