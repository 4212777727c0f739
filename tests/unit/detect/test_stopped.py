"""Fits of scikit-learn that end before anything is learnt."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.evidence.stopped import Stopped
from auditor.detect.facts import RunFacts
from auditor.detect.view import StepView
from support.batches import batch, table
from support.course import CHANCE, Course, noisy, of

STEADY = CHANCE * (1 - 0.005 * np.arange(12))
SLOWING = CHANCE * (0.8 + 0.2 * 0.6 ** np.arange(12))


def stopped(losses: Any, *, asked: int, framework: str = "sklearn", solver: str = "adam", penalty: float = 0.0) -> Any:
    """What is told of a fit of as many epochs, of ten steps each."""
    settings = {"max_iter": asked, "tol": 1e-2, "solver": solver}
    view = batch(0, table(), first=1, steps=10 * len(losses))
    at = np.arange(9, 10 * len(losses), 10)
    view.scalars["epoch"], view.scalars["epoch_loss"] = (at, np.arange(1.0, len(losses) + 1)), (at, np.asarray(losses))
    view.scalars["loss/penalty"] = (np.arange(10 * len(losses)), np.full(10 * len(losses), penalty))
    seen, facts = Stopped(), RunFacts(framework, manifest={"estimator": {"parameters": settings}})
    seen.observe(StepView(view, table(), facts))
    return seen.early(CHANCE)


@pytest.mark.parametrize(("asked", "why"), [(200, "tol=0.01"), (12, None)])
def test_a_tolerance_that_ends_a_fit_which_still_falls(asked: int, why: str | None) -> None:
    """At half a percent an epoch 188 more would take all of the loss, 12 more a twentieth."""
    told = stopped(STEADY, asked=asked)
    assert (told is None) is (why is None)
    assert told is None or why in told["proof_text"]


@pytest.mark.parametrize("penalty", [0.0, 0.4 * CHANCE])
def test_a_penalty_is_no_part_of_what_is_learnt(penalty: float) -> None:
    """Of a loss of which two fifths are penalty the rest is below that of guessing by as much."""
    assert (stopped(STEADY, asked=200, penalty=penalty) is None) is (penalty > 0)


def test_too_few_epochs_by_request() -> None:
    """Three of them, a tenth of the loss in each; what there is to learn shows."""
    told = stopped(CHANCE * np.array([1.0, 0.9, 0.8]), asked=3)
    assert "max_iter=3" in told["proof_text"]


@pytest.mark.parametrize(
    ("losses", "more"),
    [
        (SLOWING, {"asked": 200}),
        (CHANCE * (1 + 0.01 * np.cos(np.arange(12) * 3)), {"asked": 200}),
        (0.5 * STEADY, {"asked": 200}),
        (STEADY[:2], {"asked": 200}),
        (STEADY, {"asked": 5}),
        (STEADY, {"asked": 200, "framework": "keras"}),
        (STEADY, {"asked": 200, "solver": "lbfgs"}),
    ],
    ids=["slowing down", "up and down", "learnt", "two epochs", "fitted again and again", "Keras", "L-BFGS"],
)
def test_fits_that_ended_as_they_should(losses: Any, more: dict[str, Any]) -> None:
    """Little is left to gain, or much was learnt; of a loop of fits the epochs are not those asked for."""
    assert stopped(losses, **more) is None


@pytest.mark.parametrize(("framework", "said"), [("sklearn", 1), ("keras", 0)])
def test_it_is_said_at_the_end_of_the_run(framework: str, said: int) -> None:
    """As a loss that has not decreased: little as it may be."""
    course = Course()
    course.sender.start(framework=framework)
    loss = {"class": "SparseCategoricalCrossentropy", "from_logits": True}
    settings = {"max_iter": 300, "tol": 0.1, "solver": "sgd"}
    course.sender.manifest({"loss": loss, "estimator": {"parameters": settings}})
    places = range(10, 121, 10)
    scalars = {
        "epoch": {step: step / 10 for step in places},
        "epoch_loss": dict(zip(places, STEADY.tolist(), strict=True)),
    }
    losses = noisy(np.repeat(STEADY, 10), 0.001, 120)
    found = [*course.tell(losses, scalars=scalars), *course.end()]
    assert [one.evidence["proof"] for one in of(found, "loss_not_decreasing")] == ["stopped"] * said
