"""The first step's batch and output, heard before anybody knows the model."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.audit import install, watch
from auditor_agent.integrations.torch.first import FirstPass
from support.recordings import assembled

hooks = nn.modules.module._has_any_global_hook


def net() -> nn.Sequential:
    """A small regression."""
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1))


class Named(nn.Module):
    """A model with arguments by name, that gives more than one tensor."""

    def __init__(self) -> None:
        super().__init__()
        self.body = net()

    def forward(self, *, values: Tensor) -> dict[str, Tensor]:
        """A prediction and the mean of it."""
        given = self.body(values)
        return {"mean": given.mean(), "prediction": given}


class Penalised(nn.Module):
    """A loss that is a module of modules, without parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = nn.MSELoss()

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """Squared error."""
        loss: Tensor = self.inner(prediction, target)
        return loss


class Scaled(nn.Module):
    """A model that does not keep what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.body = net()

    def forward(self, values: Tensor) -> Tensor:
        """Of twice the values."""
        given: Tensor = self.body(2 * values)
        return given


def once(model: nn.Module, call: Callable[[Tensor], Tensor], loss: Callable[[Tensor, Tensor], Tensor]) -> list[Tensor]:
    """Two steps; the batches."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    batches = [torch.randn(4, 3) for _ in range(2)]
    for batch in batches:
        optimizer.zero_grad()
        loss(call(batch), torch.zeros(4, 1)).backward()
        optimizer.step()
    return batches


@pytest.mark.parametrize("named", [False, True])
def test_of_an_unwatched_script_the_first_batch_and_output_are_recorded(run: Any, *, named: bool) -> None:
    """Though the model is found only when its optimizer steps; a loss that is a module is not taken for it."""
    install()
    assert hooks()
    model = Named() if named else net()
    before = [p.detach().clone() for p in model.parameters()]
    call = (lambda x: model(values=x)["prediction"]) if named else model
    batches = once(model, call, Penalised())
    assert not hooks()
    first = assembled(run.recordings)[0]
    assert np.array_equal(first.of("batch")["input0"].whole(), batches[0].numpy())
    weight, bias, last, shift = before
    expected = torch.tanh(batches[0] @ weight.T + bias) @ last.T + shift
    assert np.allclose(first.of("output")["output0"].whole(), expected.numpy(), atol=1e-6)
    assert (first.facts["phase"], first.facts["forwards"]) == ("train", 1)
    assert "layers" not in first.facts  # they are not known to have been looked at


def test_a_model_called_twice_before_its_first_loss_tells_no_first_batch(run: Any) -> None:
    """Which of two calls is which is not known: nothing is better than the wrong one."""
    install()
    model = net()
    once(model, lambda x: model(x) + model(2 * x), nn.functional.mse_loss)
    assert not assembled(run.recordings)[0].of("batch")


@pytest.mark.parametrize("overwritten", [False, True])
def test_a_batch_that_was_overwritten_since_is_not_told(run: Any, *, overwritten: bool) -> None:
    """A buffer that the next batch is loaded into before the backward pass."""
    install()
    model = Scaled()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    buffer = torch.randn(4, 3)
    loss = (model(buffer) ** 2).mean()
    if overwritten:
        buffer.copy_(torch.randn(4, 3))
    loss.backward()
    optimizer.step()
    run.finish()
    assert bool(assembled(run.recordings)[0].of("batch")) is not overwritten


def test_g4_compiling_takes_the_hook_off(run: Any) -> None:
    """Before the compiled module is called: it warns of hooks on all modules."""
    install()
    model = net()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        compiled = torch.compile(model, backend="eager")
        assert not hooks()
        once(model, compiled, nn.functional.mse_loss)
    assert len(assembled(run.recordings)) == 2
    torch._dynamo.reset()


def test_what_another_module_gave_is_put_aside(run: Any) -> None:
    """A frozen model in front of the one that is watched, called last."""
    first, last = net(), net()
    optimizer = torch.optim.SGD(first.parameters(), lr=0.1)
    install()
    given = nn.functional.pad(first(torch.randn(4, 3)), (0, 2))
    last(given).mean().backward()
    optimizer.step()
    run.finish()
    assert not assembled(run.recordings)[0].of("batch")


@pytest.mark.usefixtures("run")
def test_g7_nothing_is_kept_but_the_last_few_calls_and_nothing_of_their_graph() -> None:
    """Where no step ever comes; after so many calls the hook comes off by itself."""
    heard = FirstPass()
    heard.attach()
    try:
        model = net()
        for _ in range(10):
            model(torch.randn(4, 3))
        assert len(heard._calls) == 3
        assert all(one.grad_fn is None for called in heard._calls for one in (*called.given, *called.gave))
        heard._left = 0
        model(torch.randn(4, 3))
        assert not heard._calls
    finally:
        heard.detach()
    assert not hooks()


def test_watch_hears_the_first_step_as_well(run: Any) -> None:
    """One line in a script: the hook goes on with it and off with the first step."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    assert hooks()
    batch = torch.randn(4, 3)
    model(batch).mean().backward()
    assert hooks()
    optimizer.step()
    assert not hooks()
    run.finish()
    assert np.array_equal(assembled(run.recordings)[0].of("batch")["input0"].whole(), batch.numpy())
