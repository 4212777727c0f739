"""What the flight recorder keeps of a PyTorch loop's evaluations."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from auditor_agent.integrations.torch.audit import watch


def fit(epochs: int, steps: int, *, closure: bool = False) -> nn.Module:
    """Epochs of so many steps, each followed by an evaluation of two batches."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    loss_fn = nn.MSELoss()
    for epoch in range(epochs):
        model.train()
        for _ in range(steps):
            x = torch.randn(8, 3)

            def loss(x: torch.Tensor = x) -> torch.Tensor:
                optimizer.zero_grad()
                value: torch.Tensor = loss_fn(model(x), x[:, :1])
                value.backward()
                return value

            if closure:
                optimizer.step(loss)
            else:
                loss()
                optimizer.step()
        model.eval()
        with torch.no_grad():
            for _ in range(2):
                x = torch.full((5, 3), float(epoch + 1))
                loss_fn(model(x), x[:, :1])
    return model


@pytest.mark.parametrize("closure", [False, True], ids=["plain steps", "steps with a closure"])
@pytest.mark.parametrize(
    ("steps", "expected"),
    [(7, [7, 14, 21, 56, 105, 203]), (27, [27, 54, 108, 216]), (73, [73, 146, 219])],
)
def test_the_first_evaluation_after_each_recorded_step(
    run: Any, steps: int, expected: list[int], *, closure: bool
) -> None:
    """Steps 1 to 20, 50, 100 and 200, whichever way the steps since went; under the last step before it."""
    fit(219 // steps, steps, closure=closure)
    run.finish()
    kept = [one for one in run.recordings if one.phase == "eval"]
    assert [one.step for one in kept] == expected
    for one in kept:
        arrays = {(array.role, array.name): array for array in one.arrays}
        # The first batch of that epoch's evaluation, and what the layers made of it.
        assert arrays["batch", "input0"].data == torch.full((5, 3), one.step / steps).numpy().tobytes()
        assert ("units", "1") in arrays
        assert one.facts["training"] == "false"
    # Of the very first evaluation the loss is missed where it is named before the model is called.
    assert all("loss" in one.scalars for one in kept[1:])


def test_what_is_kept_of_an_evaluation_is_what_the_weights_of_that_step_made(run: Any) -> None:
    """Not those of the recorded step before: the output follows from the weights as they are now."""
    model = fit(1, 30)
    with torch.no_grad():
        expected = model(torch.full((5, 3), 1.0))
    run.finish()
    [kept] = [one for one in run.recordings if one.phase == "eval"]
    output = next(array for array in kept.arrays if array.role == "output")
    assert (kept.step, output.data) == (30, expected.numpy().tobytes())


@pytest.mark.parametrize(
    ("drop", "draws"),
    [
        (lambda x, _: nn.functional.dropout(x, 0.3), True),
        (lambda x, net: nn.functional.dropout(x, 0.3, training=net.training), False),
        (lambda x, net: net.drop(x), False),
    ],
    ids=["called as a function", "told the mode", "a layer"],
)
def test_an_evaluation_that_draws_random_numbers_is_told(run: Any, drop: Any, draws: bool) -> None:
    """By where the generator stands before and after the pass; what the program draws between passes is its own."""

    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.drop, self.last = nn.Linear(3, 4), nn.Dropout(0.3), nn.Linear(4, 1)

        def forward(self, x: torch.Tensor) -> Any:
            return self.last(drop(self.first(x), self))

    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    for _ in range(4):
        model.train()
        optimizer.zero_grad()
        model(torch.randn(8, 3)).square().mean().backward()
        optimizer.step()
        model.eval()
        with torch.no_grad():
            model(torch.randn(5, 3))
            torch.randn(3)
    run.finish()
    told = [one.facts["draws"] for one in run.recordings if one.phase == "eval"]
    assert len(told) >= 3
    assert set(told) == {draws}
