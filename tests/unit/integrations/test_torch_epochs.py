from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from auditor_agent.integrations.torch import audit as integration
from support.memory_run import MemoryRun

DATA = TensorDataset(torch.arange(48.0).reshape(24, 2), torch.zeros(24, 1))


class Loop:
    """A watched model and what a loop over a loader does with it."""

    def __init__(self, run: MemoryRun) -> None:
        self.run = run
        torch.manual_seed(0)
        self.model = nn.Linear(2, 1)
        self.optimizer = torch.optim.SGD(self.model.parameters(), lr=1e-4)
        integration.watch(self.model, self.optimizer)

    def step(self, x: Any, y: Any) -> None:
        """One training step."""
        self.optimizer.zero_grad()
        nn.functional.mse_loss(self.model(x), y).backward()
        self.optimizer.step()

    def events(self, kind: str) -> list[dict[str, Any]]:
        """The run's events of a kind."""
        return [event for event in self.run.events if event["type"] == kind]


def test_an_epoch_ends_when_the_loader_is_begun_again(run: MemoryRun) -> None:
    """Steps, samples and the order: equal for two passes in one order, another once shuffled."""
    loop, loader = Loop(run), DataLoader(DATA, batch_size=8)
    for _ in range(4):
        for x, y in loader:
            loop.step(x, y)
    first, second, third = loop.events("epoch")
    assert [one["steps"] for one in (first, second, third)] == [3, 3, 3]
    assert [one["step"] for one in (first, second, third)] == [3, 6, 9]
    assert "order" not in first  # the first step is not heard
    assert second["order"] == third["order"]
    assert second["samples"] == 24


def test_shuffled_epochs_have_other_orders_and_new_loaders_are_epochs_too(run: MemoryRun) -> None:
    """A loader made anew for each epoch, shuffled; the content is the data set's each time."""
    loop = Loop(run)
    for _ in range(4):
        for x, y in DataLoader(DATA, batch_size=1, shuffle=True):
            loop.step(x, y)
    told = loop.events("epoch")[1:]
    assert [one["steps"] for one in told] == [24, 24]
    assert told[0]["order"] != told[1]["order"]
    assert told[0]["content"] == told[1]["content"]


def test_a_validation_loader_ends_no_epoch(run: MemoryRun) -> None:
    """It is begun within and between epochs, and no step follows."""
    loop, loader, validation = Loop(run), DataLoader(DATA, batch_size=8), DataLoader(DATA, batch_size=24)
    for _ in range(3):
        for x, y in loader:
            loop.step(x, y)
            with torch.no_grad():
                for held, _ in validation:
                    loop.model(held)
    assert [one["steps"] for one in loop.events("epoch")] == [3, 3]


def test_a_loader_begun_anew_at_each_step_is_told_once(run: MemoryRun) -> None:
    """next(iter(loader)) makes no epochs."""
    loop, loader = Loop(run), DataLoader(DATA, batch_size=8)
    for _ in range(20):
        x, y = next(iter(loader))
        loop.step(x, y)
    assert loop.events("epoch") == []
    [told] = loop.events("loader_restarted")
    assert (told["steps"], told["batches"]) == (8, 3)


def test_one_batch_that_is_the_whole_data_set_makes_epochs_of_one_step(run: MemoryRun) -> None:
    """Full-batch training restarts nothing."""
    loop, loader = Loop(run), DataLoader(DATA, batch_size=24)
    for _ in range(12):
        for x, y in loader:
            loop.step(x, y)
    assert loop.events("loader_restarted") == []
    assert {one["steps"] for one in loop.events("epoch")} == {1}
