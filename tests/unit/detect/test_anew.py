"""Optimizers that are made anew at every step, and momentum that remembers too much."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.course import CHANCE, Course, noisy, of
from support.lanes import Sender, array

ADAM = {"class": "torch.optim.adam.Adam", "groups": [{"betas": [0.9, 0.999]}]}
SGD = {"class": "torch.optim.sgd.SGD", "groups": [{"momentum": 0.9}]}
KERAS = {"class": "Adam", "hyperparameters": {"beta_1": 0.9}}


def said(optimizer: Mapping[str, Any], role: str, *, left: float, share: float, turn: float = 1.0) -> list[int]:
    """Steps at which it is said of twelve whose state keeps ``left`` of itself and takes in ``share`` of the gradient.

    ``turn``: how much of each gradient is its own; the rest is the same in all.
    """
    rng, sender = np.random.default_rng(1), Sender(RunAuditor(RUN))
    sender.start(framework="torch")
    sender.manifest({"optimizer": optimizer})
    steady, state, found = rng.normal(size=(6, 5)), np.zeros((6, 5)), []
    for step in range(1, 13):
        gradient = turn * rng.normal(size=(6, 5)) + (1 - turn) * steady
        state = left * state + share * gradient
        arrays = [array("weight", "w", steady), array("gradient", "w", gradient), array("updated", "w", steady - 0.01)]
        arrays += [array(f"state.{role}", "w", state), array("state.step", "w", np.float32(1))]
        found += sender.record(Recording(step, arrays, {"lr": 0.01, "loss": 1.0}, {"phase": "train"}))
    return [one.step for one in of(found, "learning_rate")]


@pytest.mark.parametrize(
    ("optimizer", "role", "share"),
    [(ADAM, "exp_avg", 0.1), (SGD, "momentum_buffer", 1.0), (KERAS, "momentums", 0.1)],
    ids=["Adam", "SGD", "Keras"],
)
def test_a_state_that_holds_the_last_gradient_alone(optimizer: Mapping[str, Any], role: str, share: float) -> None:
    """At the eighth step in a row of which the one before had another gradient; not where the state goes on."""
    assert said(optimizer, role, left=0.0, share=share) == [9]
    assert said(optimizer, role, left=0.9, share=share) == []


def test_states_of_which_nothing_can_be_told() -> None:
    """Without momentum there is nothing to remember; gradients that are all alike say nothing of it."""
    plain = {"class": "torch.optim.adam.Adam", "groups": [{"betas": [0.0, 0.999]}]}
    assert said(plain, "exp_avg", left=0.0, share=1.0) == []
    assert said(ADAM, "exp_avg", left=0.9, share=0.1, turn=0.01) == []


LEARNT = np.linspace(CHANCE, 0.3, 100)
SWINGS = np.concatenate([noisy(LEARNT, 0.03, 100), noisy(1.6 * CHANCE, 0.03, 200)])


@pytest.mark.parametrize(
    ("momentum", "losses", "told"),
    [
        (0.999, SWINGS, True),
        (0.99, SWINGS, False),
        (0.999, noisy(np.concatenate([LEARNT, np.full(200, 0.3)]), 0.03, 300), False),
        (0.995, noisy(CHANCE, 0.03, 300), False),
    ],
    ids=["swings", "a momentum as usual", "learns", "never learnt"],
)
def test_momentum_that_swings_past_what_it_found(momentum: float, losses: Any, *, told: bool) -> None:
    """Only of a momentum that adds up hundreds of steps, and a loss that was better before."""
    optimizer = {"class": "torch.optim.sgd.SGD", "groups": [{"momentum": momentum}]}
    found = of(Course(optimizer=optimizer).tell(losses, lr=0.01), "learning_rate")
    assert [one.evidence.get("momentum") for one in found] == [momentum] * told
