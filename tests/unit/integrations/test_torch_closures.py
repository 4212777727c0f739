from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.audit import watch
from support.memory_run import MemoryRun


class Twice(torch.optim.Optimizer):
    """Looks at its closure again where the first gradient leads, as sharpness-aware minimisation does."""

    def __init__(self, parameters: Any) -> None:
        super().__init__(parameters, {"lr": 0.1})

    def step(self, closure: Any = None) -> Any:
        """One step from the second of two gradients."""
        loss = None
        for _ in range(2):
            loss = closure()
            with torch.no_grad():
                for parameter in self.param_groups[0]["params"]:
                    parameter.sub_(parameter.grad, alpha=0.1)
        return loss


def trained(make: Callable[[Any], Any], run: MemoryRun | None, steps: int = 8) -> tuple[nn.Linear, list[Tensor]]:
    """A model trained with closures, and its weight before each step."""
    torch.manual_seed(0)
    model = nn.Linear(5, 3)
    optimizer = make(model.parameters())
    if run is not None:
        watch(model, optimizer)
    before = []
    for _ in range(steps):
        x = torch.randn(7, 5)

        def closure(x: Tensor = x) -> Tensor:
            optimizer.zero_grad()
            loss = model(x).square().mean()
            loss.backward()
            return loss

        before.append(model.weight.detach().clone())
        optimizer.step(closure)
    return model, before


MAKERS = {
    "adam": lambda parameters: torch.optim.Adam(parameters, lr=0.1),
    "sgd": lambda parameters: torch.optim.SGD(parameters, lr=0.1),
    "twice": Twice,
    "lbfgs": lambda parameters: torch.optim.LBFGS(parameters, lr=0.1, max_iter=3),
}


@pytest.mark.parametrize("name", MAKERS)
def test_g5_training_with_closures_is_bit_identical(name: str, run: MemoryRun) -> None:
    """Also where an optimizer calls its closure several times; every step is told once, with one loss."""
    plain, _ = trained(MAKERS[name], None)
    watched, _ = trained(MAKERS[name], run)
    assert torch.equal(plain.weight, watched.weight)
    run.finish()
    assert [step for step, _, _ in run.steps] == list(range(1, 9))
    assert len(run.scalar("loss")) == 8


@pytest.mark.parametrize("name", ["adam", "sgd"])
def test_with_a_closure_weights_are_those_before_the_step(name: str, run: MemoryRun) -> None:
    """As without one: weights before, and what the step did to them."""
    _, before = trained(MAKERS[name], run)
    run.finish()
    told = [row["weight", "weight"]["l2"] for row in run.rows if ("weight", "weight") in row]
    assert told == pytest.approx([float(weight.norm()) for weight in before[: len(told)]], rel=1e-6)
    changes = [float((b - a).norm()) for a, b in itertools.pairwise(before)]
    updates = [row["update", "weight"]["l2"] for row in run.rows if ("update", "weight") in row]
    assert len(updates) >= 5
    assert updates == pytest.approx(changes[: len(updates)], rel=1e-3)
