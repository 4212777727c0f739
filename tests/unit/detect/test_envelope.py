from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from auditor.detect.envelope import MIN_RUNS, Binner, Envelope, bins
from auditor.detect.view import StepView
from benchmarks.sequential import LAWS, alarmed, cut, draw, rate
from support.batches import batch, table

TABLE = table()


@pytest.mark.parametrize("law", LAWS)
def test_false_alarms_stay_below_the_stated_rate(law: str) -> None:
    """A hundred healthy runs, looked at after every bin: no more alarms than chance allows at that rate."""
    hits = rate(law, 5, 0.05, 100, seed=7)
    assert stats.binomtest(hits, 100, 0.05, alternative="greater").pvalue > 0.01


@pytest.mark.parametrize("law", LAWS[:3])
def test_a_run_that_leaves_half_way_is_found(law: str) -> None:
    """The bound is no excuse: against ten runs a series that leaves by a factor of 50 is nearly always alarmed."""
    rng = np.random.default_rng(3)
    found = 0
    for _ in range(20):
        logs = draw(rng, law, 11)
        logs[-1, 1000:, 0] += np.log(50)
        found += alarmed(cut(logs), 0.01)
    assert found >= 16


def test_bins_are_quarter_octaves() -> None:
    """Four bins for each doubling, beyond the first; a dozen steps at least."""
    numbers = bins(np.arange(1 << 12, dtype=float))
    assert (numbers[0], numbers[64], numbers[64 * 63]) == (0, 4, 24)
    assert np.bincount(numbers)[0] == 13
    assert (np.diff(numbers) >= 0).all()


def test_the_cut_does_not_depend_on_how_steps_are_framed() -> None:
    """One frame or many: the same bins, the same means."""
    names = ["loss", "gradient fc1.weight"]
    loss = np.random.default_rng(0).uniform(1, 2, 120)
    whole = Binner().take(StepView(batch(0, TABLE, steps=120, loss=loss, l2=3.0), TABLE), names, 1.0)
    binner, parts = Binner(), []
    for first in range(0, 120, 8):
        view = StepView(batch(0, TABLE, first=first, steps=8, loss=loss[first : first + 8], l2=3.0), TABLE)
        parts += binner.take(view, names, 1.0)
    assert [(n, s) for n, s, _ in whole] == [(n, s) for n, s, _ in parts]
    assert np.allclose([v for _, _, v in whole], [v for _, _, v in parts])
    number, first, values = whole[-1]
    steps = np.flatnonzero(bins(np.arange(120.0)) == number)
    assert first == steps[0]
    assert values == pytest.approx([np.log(loss[steps]).mean(), np.log(3.0)])


def test_an_envelope_survives_a_trip_through_json() -> None:
    """Missing values and all."""
    values = np.random.default_rng(0).normal(size=(4, 6, 2))
    values[1, 3:] = np.nan
    envelope = Envelope("b", ("loss", "gradient w"), values, "samples", 32.0)
    again = Envelope.from_json("b", json.loads(json.dumps(envelope.as_json())))
    assert np.array_equal(again.values, values, equal_nan=True)
    assert (again.bound(0.05), again.axis, again.samples_per_step) == (envelope.bound(0.05), "samples", 32.0)
    with pytest.raises(ValueError, match=f"needs {MIN_RUNS} runs"):
        Envelope("b", ("loss",), values[:2])
