"""The flight recorder where several optimizers make up a step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.audit import install
from support.recordings import assembled


def game(*, critics: int = 1, steps: int = 6, watched: bool = True) -> list[Tensor]:
    """Two models in one unmodified script, the first trained ``critics`` times as often; the final weights."""
    torch.manual_seed(0)
    critic, actor = nn.Linear(4, 1), nn.Linear(3, 4)
    optimizers = torch.optim.SGD(critic.parameters(), lr=0.1), torch.optim.SGD(actor.parameters(), lr=0.01)
    if watched:
        install()
    for _ in range(steps):
        for _ in range(critics):
            optimizers[0].zero_grad()
            critic(torch.randn(5, 4)).square().mean().backward()
            optimizers[0].step()
        optimizers[1].zero_grad()
        critic(actor(torch.randn(5, 3))).mean().backward()
        optimizers[1].step()
    return [*critic.parameters(), *actor.parameters()]


@pytest.mark.parametrize("critics", [1, 3])
def test_each_of_several_optimizers_is_recorded_with_its_own_model(run: Any, critics: int) -> None:
    """One recording a step: of each model what it was, its gradient and what became of it, at its own rate."""
    game(critics=critics)
    run.finish()
    steps = assembled(run.recordings)
    assert [step.step for step in steps] == list(range(1, 6 * critics + 1))
    both = [step for step in steps if step.facts.get("optimizers")]
    # An optimizer that turns up when the step before it is complete begins the next one.
    assert [step.step for step in both] == ([1, 2, 3, 4, 5, 6] if critics == 1 else [4, 6, 9, 12, 15, 18])
    for step in steps:
        names = list(step.of("updated"))
        theirs = step.facts.get("optimizers", {}).get("1", [])
        assert len(names) == 2 + len(theirs)
        for name in names:
            rate = step.scalars["lr/1" if name in theirs else "lr"]
            weight, gradient, updated = (step.arrays[role, name].whole() for role in ("weight", "gradient", "updated"))
            np.testing.assert_allclose(updated, weight - np.float32(rate) * gradient, rtol=1e-6, atol=1e-9)
            assert np.abs(updated - weight).max() > 0
    for step in both:
        assert step.scalars["loss/1"] != step.scalars["loss"]
        assert step.facts["loss/1"]["reduction"] == "mean"
        assert len(step.of("batch")) == (critics == 1)  # the critic's own, not the actor's for it


def test_g5_with_several_optimizers_training_is_bit_identical(run: Any) -> None:
    """Recorded or not."""
    watched, plain = game(critics=2), game(critics=2, watched=False)
    assert all(torch.equal(a, b) for a, b in zip(watched, plain, strict=True))


def test_an_evaluation_between_the_first_two_steps_finds_the_first_recorded(run: Any) -> None:
    """Though the first step's recording waits for further optimizers."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    install()
    for _ in range(2):
        optimizer.zero_grad()
        model(torch.randn(4, 3)).square().mean().backward()
        optimizer.step()
        with torch.no_grad():
            model(torch.randn(4, 3))
    run.finish()
    assert [(one.step, one.phase) for one in run.recordings] == [(1, "train"), (1, "eval"), (2, "train"), (2, "eval")]
