"""A PyTorch loop that runs backward and never steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn import functional

from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch.audit import install, watch
from auditor_agent.integrations.torch.unstepped import leaves

Do = Callable[[int, nn.Module, torch.optim.Optimizer], object]


def loop(steps: int, each: Do, *, begin: Callable[[nn.Module, torch.optim.Optimizer], object]) -> None:
    """Backward passes on noise; ``each`` comes after each of them."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    begin(model, optimizer)
    for step in range(1, steps + 1):
        functional.cross_entropy(model(torch.randn(4, 6)), torch.randint(3, (4,))).backward()
        each(step, model, optimizer)


def zero(_: int, __: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Only sets the gradients back."""
    optimizer.zero_grad()


def missing(run: Any) -> list[dict[str, Any]]:
    """The events that say so."""
    return [event for event in run.events if event["type"] == "step_missing"]


@pytest.mark.parametrize(
    "begin",
    [
        lambda model, _: watch(model),
        watch,
        lambda *_: install(),
    ],
    ids=["the model alone", "model and optimizer", "auditor run"],
)
def test_a_step_that_never_comes_is_told_once(run: Any, begin: Any) -> None:
    """At the hundredth backward pass, with the optimizer, under a step number of its own."""
    loop(250, zero, begin=begin)
    assert missing(run) == [
        {
            "step": 100,
            "type": "step_missing",
            "backwards": 100,
            "optimizer": "SGD",
            "parameters": ["(8, 6)", "(8,)", "(3, 8)", "(3,)"],
        }
    ]
    assert [step for step, *_ in run.steps] == [100]


def by_hand(_: int, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Updates as a tutorial does."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.grad is not None:
                parameter.data -= 0.01 * parameter.grad
    optimizer.zero_grad()


def now_and_then(step: int, _: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """Accumulates over many passes."""
    if step % 200 == 0:
        optimizer.step()
        optimizer.zero_grad()


def stepping(_: int, __: nn.Module, optimizer: torch.optim.Optimizer) -> None:
    """A loop as it should be."""
    optimizer.step()
    optimizer.zero_grad()


@pytest.mark.parametrize("each", [by_hand, now_and_then, stepping])
def test_other_ways_to_train_are_left_alone(run: Any, each: Do) -> None:
    """Updates by hand, gradients that are accumulated for long, plain steps."""
    loop(250, each, begin=lambda *_: install())
    assert missing(run) == []


def test_passes_without_an_optimizer_are_somebody_elses(run: Any) -> None:
    """Saliency and the like: backward passes, and no optimizer holds what they reach."""
    model = nn.Linear(4, 2)
    install()
    for _ in range(150):
        model(torch.randn(3, 4)).sum().backward()
        model.zero_grad()
    assert missing(run) == []
    assert integration._scene._probe is not None
    assert integration._scene._probe.unstepped is None


def test_leaves_are_the_parameters_that_a_loss_reaches() -> None:
    """Those behind a detach are not among them."""
    first, second = nn.Linear(3, 3), nn.Linear(3, 1)
    loss = second(first(torch.randn(2, 3)).detach()).sum()
    assert set(leaves(loss)) == {id(parameter) for parameter in second.parameters()}
