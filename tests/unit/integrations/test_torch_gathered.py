"""Loops that update their weights themselves, after several backward passes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch import gathered, loss
from auditor_agent.integrations.torch.audit import install
from support.recordings import assembled

RATE, EACH = 0.05, 3
Train = Callable[[nn.Module, Sequence[int]], list[list[float]]]


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: other tests' optimizers have imported the compiler."""
    monkeypatch.setattr(loss._asking, "_module", "no.compiler")


def net() -> nn.Sequential:
    """A small classifier."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))


def batch_loss(model: nn.Module) -> Tensor:
    """Of noise."""
    return functional.cross_entropy(model(torch.randn(6, 5)), torch.randint(3, (6,)))


def added_up(model: nn.Module, passes: Sequence[int]) -> list[list[float]]:
    """``backward()`` gathers them; the losses of each update, which has so many passes."""
    torch.manual_seed(4)
    losses = []
    for number in passes:
        losses.append([])
        for _ in range(number):
            value = batch_loss(model)
            value.backward()
            losses[-1].append(value.item())
        with torch.no_grad():
            for parameter in model.parameters():
                assert parameter.grad is not None
                parameter.sub_(RATE * parameter.grad)
                parameter.grad = None
    return losses


def asked_for(model: nn.Module, passes: Sequence[int]) -> list[list[float]]:
    """The script gathers them."""
    torch.manual_seed(4)
    losses, weights = [], list(model.parameters())
    for number in passes:
        losses.append([])
        sums = [torch.zeros_like(weight) for weight in weights]
        for _ in range(number):
            value = batch_loss(model)
            for total, gradient in zip(sums, torch.autograd.grad(value, weights), strict=True):
                total += gradient  # noqa: PLW2901 - the sum that is meant
            assert all(weight.grad is None for weight in weights), "what was looked at is gone again"
            losses[-1].append(value.item())
        with torch.no_grad():
            for weight, total in zip(weights, sums, strict=True):
                weight -= RATE * total  # noqa: PLW2901 - the update that is meant
    return losses


@pytest.mark.parametrize("train", [added_up, asked_for])
def test_passes_that_make_one_update_are_one_step(run: Any, train: Train) -> None:
    """With the sum of their losses and of their gradients, and none of them for nothing."""
    install()
    losses = train(net(), [EACH] * 7)
    run.finish()
    assert [number for number, *_ in run.steps] == [3, 4, 5, 6, 7]
    assert run.scalar("loss") == pytest.approx([sum(each) for each in losses[2:]])
    assert run.scalar("micro_batches") == [EACH] * 5
    assert run.scalar("lr") == pytest.approx([RATE] * 4, rel=1e-3)
    first, *_ = steps = assembled([one for one in run.recordings if one.phase == "train"])
    for step in steps[:-1]:
        for name, weight in step.of("weight").items():
            wanted = weight.whole() - np.float32(RATE) * step.of("gradient")[name].whole()
            updated = step.of("updated")[name].whole()
            np.testing.assert_allclose(updated, wanted, rtol=1e-6, atol=1e-6 * float(np.abs(wanted).max()))
    facts = steps[1].facts
    assert (facts["backwards"], facts["discarded"]) == (EACH, 0)
    after = first.of("weight")
    for name, weight in first.of("state.missed.1.weight").items():
        wanted = weight.whole() - np.float32(RATE) * first.of("state.missed.1.gradient")[name].whole()
        np.testing.assert_allclose(after[name].whole(), wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("train", [added_up, asked_for])
def test_training_is_bit_identical(run: Any, train: Train) -> None:
    """Watched or not."""
    plain, watched = net(), net()
    losses = train(plain, [EACH] * 12)
    install()
    assert train(watched, [EACH] * 12) == losses
    assert len(run.steps) == 10
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))


@pytest.mark.parametrize("train", [added_up, asked_for])
def test_an_update_that_comes_early_is_left_out_and_the_next_is_whole(run: Any, train: Train) -> None:
    """An epoch's last batches are fewer."""
    install()
    losses = train(net(), [EACH, EACH, EACH, EACH, 1, EACH, EACH])
    run.finish()
    whole = [sum(each) for each in losses[2:] if len(each) == EACH]
    assert run.scalar("loss") == pytest.approx(whole)


def test_an_error_leaves_no_gradient_behind(run: Any) -> None:
    """The script asked for gradients of a graph that is gone, and may go on."""
    model = net()
    install()
    asked_for(model, [EACH] * 4)
    weights = list(model.parameters())
    value = batch_loss(model)
    torch.autograd.grad(value, weights)
    with pytest.raises(RuntimeError, match="second time"):
        torch.autograd.grad(value, weights)
    assert all(weight.grad is None for weight in weights)


def test_sums_of_a_large_model_are_not_kept(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """They would take as much memory as it does: no step is told."""
    monkeypatch.setattr(gathered, "MOST", 100)
    install()
    asked_for(net(), [EACH] * 5)
    assert run.steps == []
    assert integration._scene._probe is not None
    assert integration._scene._probe.byhand.over
    added_up(net(), [EACH] * 5)


def test_two_networks_in_turn_are_no_update_of_two_passes(run: Any) -> None:
    """A generator and its judge, each after its own pass."""
    one, other = net(), nn.Linear(3, 1)
    install()
    for turn in range(16):
        parts = (other, one)[turn % 2]
        made = one(torch.randn(4, 5))
        other(made if turn % 2 else made.detach()).mean().backward()
        with torch.no_grad():
            for parameter in parts.parameters():
                assert parameter.grad is not None
                parameter.sub_(RATE * parameter.grad)
        one.zero_grad()
        other.zero_grad()
    assert not [scalars for _, scalars, *_ in run.steps if scalars.get("micro_batches", 1) > 1]
