from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import nn

from auditor_agent.capture import native, portable
from auditor_agent.integrations.torch.audit import watch


@pytest.fixture
def elsewhere() -> Iterator[None]:
    """Tensors are made on a device without values unless somebody says where."""
    torch.set_default_device("meta")
    yield
    torch.set_default_device(None)


@pytest.mark.parametrize("kernel", ["C", "portable"])
def test_a_default_device_does_not_move_what_the_agent_makes(
    run: Any, monkeypatch: pytest.MonkeyPatch, elsewhere: None, kernel: str
) -> None:
    """The model is in host memory, and so are its statistics, samples and recordings."""
    if kernel == "portable":
        monkeypatch.setattr(native, "available", lambda: False)
    model = nn.Sequential(nn.Linear(300, 4, device="cpu"), nn.ReLU(), nn.Linear(4, 1, device="cpu"))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(0.01)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    for _ in range(8):
        optimizer.zero_grad()
        model(torch.ones(4, 300, device="cpu")).square().mean().backward()
        optimizer.step()
    assert [number for number, _, _ in run.steps] == list(range(1, 9))
    assert run.rows[0]["gradient", "0.weight"]["count"] == 1200
    assert len(run.recordings) == 8
    assert all({"weight", "gradient", "updated"} <= {array.role for array in one.arrays} for one in run.recordings)


def test_statistics_of_nothing_and_of_what_is_not_finite_are_on_the_host(elsewhere: None) -> None:
    """Where the quick way does not do."""
    assert portable.words([]).is_cpu
    odd = torch.full((3,), float("inf"), device="cpu")
    assert portable.kernel([odd, torch.ones(2, device="cpu")])
