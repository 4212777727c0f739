"""Learning rates that grow until what was learnt is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.course import CHANCE, Course, noisy, of

LEARNT = noisy(np.linspace(CHANCE, 0.3, 200), 0.05, 200)
LOST = noisy(1.3 * CHANCE, 0.05, 200)


def said(losses: Any, rates: Any) -> list[Any]:
    """What is said of the learning rate of such a run."""
    return of(Course().tell(losses, lr=rates), "learning_rate")


@pytest.mark.parametrize("growth", [12.0, 300.0])
def test_a_rate_that_grows_until_the_run_is_lost(growth: float) -> None:
    """With the rate at which the loss was best, and the one it has come to."""
    rates = 0.01 * np.concatenate([np.ones(200), np.geomspace(growth, growth, 200)])
    found = said(np.concatenate([LEARNT, LOST]), rates)
    assert found[0].step in {300, 400}
    assert found[0].evidence["rate_now"] == pytest.approx(growth * found[0].evidence["rate_then"])


@pytest.mark.parametrize(
    ("losses", "growth"),
    [
        (np.concatenate([LEARNT, noisy(0.3, 0.05, 200)]), 300.0),
        (np.concatenate([LEARNT, LOST]), 3.0),
        (noisy(CHANCE, 0.05, 400), 300.0),
        (np.concatenate([LEARNT, LOST[:20], noisy(0.4, 0.05, 180)]), 300.0),
    ],
    ids=["nothing lost", "grown little", "nothing learnt", "a restart that comes back"],
)
def test_a_rate_that_grows_and_does_no_such_harm(losses: Any, growth: float) -> None:
    """Warm-ups, restarts, and runs that are lost for another reason."""
    assert said(losses, 0.01 * np.concatenate([np.ones(200), np.full(200, growth)])) == []


@pytest.mark.parametrize(
    ("level", "halves", "told"), [(0.3, 6, True), (0.8, 3, True), (0.05, 6, False), (0.3, 60, False)]
)
def test_a_schedule_that_is_over_before_the_data_is_learnt(level: float, halves: int, told: bool) -> None:
    """The rate halves every few steps; not where nothing is left to learn, nor where it lasts."""
    losses = noisy(np.maximum(CHANCE * np.exp(-np.arange(400) / 15), level * CHANCE), 0.02, 400)
    found = said(losses, 0.01 * 0.5 ** (np.arange(400) // halves))
    assert ["schedule" in one.evidence["what"] for one in found] == [True] * told


@pytest.mark.parametrize(
    ("worth", "pace", "told"),
    [(100, 200.0, True), (100, 15.0, False), (300, 200.0, False)],
    ids=["cut", "done", "late"],
)
def test_a_schedule_that_ends_while_the_loss_still_falls(worth: int, pace: float, told: bool) -> None:
    """After 100 full steps nothing is given any more; not where the loss had settled before, nor in the last third."""
    course = np.minimum(np.arange(400), worth)
    losses = noisy(0.6 * CHANCE + 0.4 * CHANCE * np.exp(-course / pace), 0.01, 400)
    found = said(losses, np.where(np.arange(400) < worth, 0.01, 1e-7))
    assert ["schedule" in one.evidence["what"] for one in found] == [True] * told


@pytest.mark.parametrize(
    ("worth", "steps", "told"), [(60, 800, True), (60, 150, False), (400, 1600, False)], ids=["waste", "short", "long"]
)
def test_a_schedule_that_leaves_most_of_a_run_without_a_rate(worth: int, steps: int, told: bool) -> None:
    """Sixty full steps of 800 are next to nothing, flat as the loss is; of 150 they are not, nor are 400 of 1,600."""
    losses = noisy(0.3 * CHANCE + 0.7 * CHANCE * np.exp(-np.arange(steps) / 8), 0.05, steps)
    found = said(losses, np.where(np.arange(steps) < worth, 0.02, 1e-8))
    assert ["schedule" in one.evidence["what"] for one in found] == [True] * told


@pytest.mark.parametrize(("pace", "told"), [(35.0, True), (12.0, False)], ids=["cut", "settled"])
def test_a_loss_that_was_falling_when_most_of_a_run_lost_its_rate(pace: float, told: bool) -> None:
    """Below a tenth of guessing, where it was on its way further down; not where it had come to its floor."""
    course = np.minimum(np.arange(1200), 96)
    losses = noisy(0.03 * CHANCE + CHANCE * np.exp(-course / pace), 0.005, 1200)
    found = said(losses, np.where(np.arange(1200) < 96, 0.02, 1e-8))
    assert ["schedule" in one.evidence["what"] for one in found] == [True] * told
