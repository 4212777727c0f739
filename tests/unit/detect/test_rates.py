"""Learning rates that grow until what was learnt is lost."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.course import pooled
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.course import CHANCE, Course, noisy, of
from support.lanes import Sender, array

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


def online(level: float, stride: float, rows: int = 1) -> list[Any]:
    """What is said of 300 steps of ``rows`` samples, of such mean squared errors, after such strides."""
    rng, tensors, found = np.random.default_rng(6), table(), []
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"class": "squared_error", "reduction": "mean"}})
    targets = rng.normal(size=(300, rows, 1))
    off = np.sqrt(level) * rng.normal(size=(300, rows, 1))
    off[3:18] *= 9
    losses = (off**2).mean(axis=(1, 2))
    weight = rng.normal(size=(6, 4))
    for step in (*range(1, 21), 50, 100, 200):
        arrays = [
            array("batch", "input0", rng.normal(size=(rows, 6))),
            array("output", "output0", targets[step - 1] + off[step - 1]),
            array("target", "target0", targets[step - 1]),
            array("weight", "w", weight),
            array("gradient", "w", weight),
            array("updated", "w", weight * (1 - stride)),
        ]
        found += sender.record(Recording(step, arrays, {"loss": float(losses[step - 1])}, {"phase": "train"}))
    found += sender.steps(batch(0, tensors, first=1, steps=300, loss=losses), tensors)
    return of(found, "learning_rate")


@pytest.mark.parametrize(
    ("level", "stride", "told"), [(1.3, 0.9, 1), (0.05, 0.9, 0), (1.3, 0.01, 0)], ids=["lost", "learnt", "small"]
)
def test_single_samples_are_held_against_guessing_by_their_mean(level: float, stride: float, told: int) -> None:
    """Most squared errors lie below half of their mean: a run at the cost of guessing is lost all the same."""
    assert len(online(level, stride)) == told


def test_losses_of_few_samples_are_pooled() -> None:
    """Sixteen to a mean; what does not fill one is left out; larger batches are as they are."""
    losses = np.arange(40.0)
    assert pooled(losses, 1).tolist() == [7.5, 23.5]
    assert pooled(losses, 5).tolist() == [1.5 + 4 * block for block in range(10)]
    assert pooled(losses, 16) is losses
    assert pooled(losses[:3], 1).tolist() == [0.0, 1.0, 2.0]


@pytest.mark.parametrize(("steps", "told"), [(60, 1), (30, 0)])
def test_steps_that_promise_nothing_are_said_of_a_run_that_ends_early(steps: int, told: int) -> None:
    """Patience and tolerance end a fit before its hundredth step."""
    rng, tensors, found = np.random.default_rng(7), table(), []
    sender = Sender(RunAuditor(RUN))
    sender.start(framework="sklearn")
    sender.manifest({"loss": {"class": "squared_error", "reduction": "mean"}})
    weight, inputs, targets = rng.normal(size=(6, 4)), rng.normal(size=(200, 6)), rng.normal(size=(200, 1))
    loss = float(((targets - 1) ** 2).mean())
    for step in (*range(1, 21), 50):
        arrays = [
            array("batch", "input0", inputs),
            array("output", "output0", np.ones((200, 1))),
            array("target", "target0", targets),
            array("weight", "w", weight),
            array("gradient", "w", 1e-3 * weight),
            array("updated", "w", weight * (1 - 1e-6)),
        ]
        found += sender.record(Recording(step, arrays, {"loss": loss}, {"phase": "train"})) if step <= steps else []
    found += sender.steps(batch(0, tensors, first=1, steps=steps, loss=np.full(steps, loss)), tensors)
    found += sender.auditor.ended(0, 0, "finished")
    assert len(of(found, "learning_rate")) == told
