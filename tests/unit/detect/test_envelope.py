from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats
from scipy.special import polygamma

from auditor.detect.envelope import MIN_RUNS, Binner, Envelope, bins
from auditor.detect.spread import directions, trigamma_inverse
from auditor.detect.view import StepView
from benchmarks.sequential import LAWS, alarmed, cut, draw, rate
from support.batches import batch, table

TABLE = table()


@pytest.mark.parametrize("law", LAWS[:-1])
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


@pytest.mark.parametrize("runs", [3, 4])
@pytest.mark.parametrize("law", ["all at once", "shared level", "unequal scales"])
def test_few_runs_keep_the_stated_rate(law: str, runs: int) -> None:
    """What three or four runs borrow from each other's series makes no more false alarms than are stated."""
    hits = rate(law, runs, 0.05, 60, seed=11)
    assert stats.binomtest(hits, 60, 0.05, alternative="greater").pvalue > 0.01


def test_few_runs_make_a_bound_that_finds_something() -> None:
    """Six times the series, and a bound of less than half of what one series alone would have."""
    values = cut(draw(np.random.default_rng(5), "autocorrelated", 3))
    alone = Envelope("b", ("loss",), values[:, :, :1])
    together = Envelope("b", tuple(map(str, range(6))), values)
    assert together.bound(0.01) < 0.5 * alone.bound(0.01)
    assert together.bound(0.01) < 20


def test_directions_count_what_is_independent() -> None:
    """One factor behind all cells is one direction, of cells by themselves there are as many as cells."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(40, 8, 1)) * rng.normal(size=(1, 1, 30))
    many = rng.normal(size=(40, 8, 30))
    grams = [np.einsum("wnc,wmc->wnm", x - x.mean(1, keepdims=True), x - x.mean(1, keepdims=True)) for x in (one, many)]
    assert directions(grams[0]) == pytest.approx(1.0, abs=0.01)
    assert 20 < directions(grams[1]) < 45


@pytest.mark.parametrize("value", [0.01, 0.5, 1.6, 30.0])
def test_the_inverse_of_trigamma(value: float) -> None:
    """Newton's method arrives from either side."""
    assert float(polygamma(1, trigamma_inverse(value))) == pytest.approx(value, rel=1e-6)


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
