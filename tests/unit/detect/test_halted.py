"""A loss that was falling until a scheduler cut the rate is told from one that had come to its end."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.detect.evidence.halted import Halt

STEPS = 800


def run(falls: int, cut: int, *, factor: float = 0.1, every: int = 60, noise: float = 0.05) -> Halt:
    """A loss that falls to a tenth with time constant ``falls`` of full steps; the rate is cut at ``cut`` and on.

    A step at a thousandth of the rate brings a thousandth of a step.
    """
    steps = np.arange(STEPS)
    cuts = np.where(steps < cut, 0, 1 + (steps - cut) // every)
    rates = 0.05 * factor**cuts
    clean = 0.1 + 0.9 * np.exp(-np.cumsum(rates / 0.05) / falls)
    losses = clean * np.exp(np.random.default_rng(5).normal(0, noise, STEPS))
    low = int((rates < 1e-3 * rates[0]).sum())
    return Halt(losses, rates, float(np.median(losses[-50:])), low, 40, 4.0, 0.2)


@pytest.mark.parametrize(
    ("falls", "cut", "factor", "expected"),
    [
        (200, 120, 0.1, True),
        (400, 200, 0.1, True),
        (200, 120, 0.02, True),
        (30, 240, 0.1, False),  # it had come to its end
        (20, 120, 0.1, False),
        (200, 40, 0.1, False),  # too few steps to tell
        (200, 120, 0.9, False),  # no cut, but a decay: each epoch a tenth less
    ],
)
def test_a_cut_in_the_middle_of_a_fall_is_told(falls: int, cut: int, factor: float, expected: bool) -> None:
    """By the course before the first cut, and what became of it."""
    assert run(falls, cut, factor=factor).cut_short(deep=False) is expected


def test_a_rate_that_was_raised_before_is_cut_from_its_top() -> None:
    """A warm-up is no cut, and a cut that follows a restart is not the first one's."""
    halt = run(200, 120)
    warm = np.concatenate([np.linspace(0.001, 0.05, 20), halt.rates[20:]])
    assert Halt(halt.losses, warm, halt.now, halt.low, 40, 4.0, 0.2).cut_short(deep=False)
    small = np.concatenate([np.full(60, 0.5), np.full(60, 0.001), halt.rates[120:]])
    assert not Halt(halt.losses, small, halt.now, halt.low, 40, 4.0, 0.2).cut_short(deep=False)


def test_a_fall_that_goes_on_after_the_cut_was_not_stopped() -> None:
    """A step decay that makes the loss fall once more is what step decays are for."""
    halt = run(200, 120)
    on = np.concatenate([halt.losses[:120], halt.losses[120:] * np.linspace(1.0, 0.3, STEPS - 120)])
    assert not Halt(on, halt.rates, float(np.median(on[-50:])), halt.low, 40, 4.0, 0.2).cut_short(deep=False)
