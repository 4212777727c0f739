"""Several inputs: which of them stands for the batch, whatever their names and places are."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.compare.identify import leading
from auditor.ingest.records import Recorded, StepRecording

RNG = np.random.default_rng(0)
USERS, ITEMS = (RNG.integers(0, most, 64) for most in (200, 50))
NUMBERS, WORDS = RNG.normal(size=(64, 4)), RNG.integers(0, 30, (64, 12))


def step(*inputs: np.ndarray, number: int = 1) -> StepRecording:
    """A step that was given these."""
    arrays = {}
    for at, values in enumerate(inputs):
        one = Recorded("batch", f"input{at}", str(values.dtype), values.shape, values.size, values.ravel())
        arrays["batch", one.name] = one
    target = Recorded("target", "target0", "float32", (64,), 64, np.zeros(64, np.float32))
    return StepRecording(0, 0, number, {("target", "target0"): target, **arrays})


@pytest.mark.parametrize(
    ("given", "leads"),
    [
        ((USERS, ITEMS), USERS),
        ((USERS, ITEMS, NUMBERS), NUMBERS),
        ((WORDS, NUMBERS), WORDS),
        ((ITEMS.astype(np.float32), NUMBERS[:, 0]), NUMBERS[:, 0]),
        ((ITEMS,), ITEMS),
    ],
)
def test_of_several_inputs_the_same_one_leads_in_whatever_order_they_come(
    given: tuple[np.ndarray, ...], leads: np.ndarray
) -> None:
    """The most numbers a sample, then what is no code, then the largest values."""
    for order in (given, given[::-1]):
        steps = [step(*order), step(*order, number=2)]
        evaluation = step(*(each[:8] for each in order))
        for one in leading.first(steps, steps):
            first = next(iter(one.of("batch").values()))
            assert first.dtype == str(leads.dtype)
            np.testing.assert_array_equal(first.whole(), leads)
            assert len(one.of("batch")) == len(order)
        (judged,) = leading.first([evaluation], steps)
        np.testing.assert_array_equal(next(iter(judged.of("batch").values())).whole(), leads[:8])


def test_where_nothing_was_recorded_nothing_is_put_first() -> None:
    """No step, no input."""
    bare = StepRecording(0, 0, 1)
    assert leading.first([bare], []) == [bare]
    assert leading.first([bare], [step(ITEMS, USERS)]) == [bare]
