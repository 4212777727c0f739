from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from auditor_agent.integrations.torch.audit import watch


def steps(optimizer: torch.optim.Optimizer, model: nn.Module, faults: set[int]) -> list[float]:
    """Four steps under a GradScaler; at ``faults`` a gradient overflows, as float16 does."""
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    losses = []
    for step in range(1, 5):
        optimizer.zero_grad()
        loss = model(torch.ones(2, 3)).square().mean()
        scaler.scale(loss).backward()
        if step in faults:
            next(model.parameters()).grad.fill_(torch.inf)  # type: ignore[union-attr]
        scaler.step(optimizer)
        scaler.update()
        losses.append(loss.item())
    return losses


@pytest.mark.parametrize("fused", [False, True])
def test_values_are_unscaled(run: Any, *, fused: bool) -> None:
    """Loss and gradients are those of the unscaled loss, also where a fused optimizer unscales by itself."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    watch(model, optimizer)
    (gradient,) = torch.autograd.grad(model(torch.ones(2, 3)).square().mean(), model.weight)
    losses = steps(optimizer, model, set())
    assert run.scalar("loss") == pytest.approx(losses, rel=1e-6)
    assert run.scalar("grad_scale") == [1024.0] * 4
    assert run.rows[0]["gradient", "weight"]["l2"] == pytest.approx(gradient.norm().item(), rel=1e-5)
    assert run.rows[0]["weight", "weight"]["count"] == 3


@pytest.mark.parametrize("fused", [False, True])
def test_a_skipped_step_is_an_event_and_not_a_nan(run: Any, *, fused: bool) -> None:
    """The scaler backs off: nothing to alert, one event that says so."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, fused=fused)
    watch(model, optimizer)
    losses = steps(optimizer, model, {2})
    skips = [event for event in run.events if event["type"] == "step_skipped"]
    assert [event["scale"] for event in skips] == [1024.0]
    assert not any(urgent for _, _, urgent in run.steps)
    assert run.scalar("loss") == pytest.approx([losses[0], *losses[2:]], rel=1e-6)
