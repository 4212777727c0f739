"""First steps far too large for a loss to leave its scale: a network that is good for nothing since."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.alerts.stories import ancestors
from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.course import CHANCE, LABELS, logits, noisy
from support.lanes import Sender, array

THROWN = np.array([1.1, 1.4, 2.2, 2.0, 1.5, 1.2, 1.1]) * CHANCE


def rates(losses: Any, stride: float) -> list[Finding]:
    """What is said of the rate of a classifier with such losses, whose steps are this part of its weights."""
    sender, rng = Sender(RunAuditor(RUN)), np.random.default_rng(1)
    sender.start(framework="torch")
    sender.manifest({"loss": {"class": "CrossEntropyLoss", "from_logits": True}})
    found: list[Finding] = []
    weight, tensors = rng.normal(size=(8, 8)), table()
    for step in (1, 2, 3, 4, 5, 50):
        after = weight + stride * rng.normal(size=(8, 8))
        arrays = [array("output", "output0", logits(float(losses[step - 1]))), array("target", "target0", LABELS)]
        arrays += [array(role, "fc0.weight", one) for role, one in (("weight", weight), ("updated", after))]
        arrays.append(array("gradient", "fc0.weight", weight - after))
        found += sender.record(Recording(step, arrays, {"loss": float(losses[step - 1])}, {"phase": "train"}))
    found += sender.steps(batch(0, tensors, first=1, steps=len(losses), loss=np.asarray(losses), lr=0.1), tensors)
    found += sender.auditor.ended(0, 0, "finished")
    return [one for one in found if one.rule == "learning_rate"]


def course(then: Any, steps: int = 300, thrown: Any = THROWN) -> np.ndarray:
    """The first losses, and then so many at this level."""
    return np.concatenate([thrown, noisy(then, 0.01, steps)])


@pytest.mark.parametrize(("stride", "steps"), [(0.8, 300), (0.15, 300), (0.8, 120)])
def test_a_network_that_its_first_steps_ruined(stride: float, steps: int) -> None:
    """The loss was thrown up, though not off its scale, and is that of guessing ever since; a short run at its end."""
    found = rates(course(1.005 * CHANCE, steps), stride)
    assert ["no better than guessing" in one.evidence["what"] for one in found] == [True]
    assert found[0].evidence["top_loss"] == pytest.approx(2.2 * CHANCE)


@pytest.mark.parametrize(
    ("losses", "stride"),
    [
        (course(1.005 * CHANCE), 0.02),
        (course(1.005 * CHANCE, thrown=THROWN[:1]), 0.8),
        (course(np.linspace(CHANCE, 0.5 * CHANCE, 300)), 0.8),
        (course(np.concatenate([np.full(150, 0.6), np.full(150, 1.005)]) * CHANCE), 0.8),
    ],
    ids=["small steps", "nothing thrown up", "a catapult", "learnt, and lost again"],
)
def test_what_else_ends_at_guessing_or_begins_with_a_leap(losses: Any, stride: float) -> None:
    """Data without a rule, first steps from weights of next to nothing, catapults."""
    assert rates(losses, stride) == []


@pytest.mark.parametrize("cause", ["learning_rate", "poor_init", "input_scale", "dead_units", "saturated_units"])
def test_a_gradient_that_vanished_may_follow_from_what_put_the_units_there(cause: str) -> None:
    """It is the root of none of them."""
    assert cause in ancestors("vanishing_gradient")
    assert "vanishing_gradient" not in ancestors(cause)
