"""Loops that update their weights without an optimizer."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch import byhand
from auditor_agent.integrations.torch.audit import install, watch
from support.recordings import assembled

RATE = 0.05
Update = Callable[[Iterable[Tensor]], None]


def in_place(parameters: Iterable[Tensor]) -> None:
    """As most tutorials do."""
    with torch.no_grad():
        for parameter in parameters:
            if parameter.grad is not None:
                parameter -= RATE * parameter.grad  # noqa: PLW2901 - the update that is meant
                parameter.grad.zero_()


def by_data(parameters: Iterable[Tensor]) -> None:
    """As older ones do: no version of the parameter is counted."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.data.add_(parameter.grad, alpha=-RATE)
            parameter.grad = None


def exchanged(parameters: Iterable[Tensor]) -> None:
    """The parameter stays, its memory is another."""
    for parameter in parameters:
        if parameter.grad is not None:
            parameter.data = parameter.data - RATE * parameter.grad
            parameter.grad = None


def net() -> nn.Sequential:
    """A small classifier."""
    torch.manual_seed(3)
    return nn.Sequential(nn.Linear(5, 8), nn.ReLU(), nn.Linear(8, 3))


def train(model: nn.Module, update: Update, steps: int = 8) -> list[float]:
    """Steps on noise; the losses."""
    torch.manual_seed(4)
    losses = []
    for _ in range(steps):
        loss = functional.cross_entropy(model(torch.randn(6, 5)), torch.randint(3, (6,)))
        loss.backward()
        losses.append(loss.item())
        update(model.parameters())
    return losses


@pytest.mark.parametrize("update", [in_place, by_data, exchanged])
@pytest.mark.parametrize("begin", [lambda _: install(), watch], ids=["auditor run", "the model alone"])
def test_updates_by_hand_are_steps(run: Any, update: Update, begin: Any) -> None:
    """From the third on, once two have shown what they are; with the loss and the rate of the update before."""
    model = net()
    begin(model)
    losses = train(model, update)
    run.finish()
    assert [number for number, *_ in run.steps] == [3, 4, 5, 6, 7, 8]
    assert run.scalar("loss") == pytest.approx(losses[2:])
    assert run.scalar("lr") == pytest.approx([RATE] * 5, rel=1e-3)
    steps = assembled([one for one in run.recordings if one.phase == "train"])
    assert [step.step for step in steps] == [3, 4, 5, 6, 7, 8]
    for step in steps[:-1]:
        assert list(step.of("weight")) == ["0.weight", "0.bias", "2.weight", "2.bias"]
        for name, weight in step.of("weight").items():
            gradient, updated = step.of("gradient")[name], step.of("updated")[name]
            wanted = weight.whole() - np.float32(RATE) * gradient.whole()
            # In units of the tensor: a number near zero is a difference of larger ones, rounded as the processor does.
            np.testing.assert_allclose(updated.whole(), wanted, rtol=1e-6, atol=1e-6 * float(np.abs(wanted).max()))


def test_batch_layers_and_evaluations_are_those_of_any_loop(run: Any) -> None:
    """The forward pass is heard though the step before it ends only as it begins."""
    model = net()
    install()
    for _ in range(6):
        train(model, in_place, steps=1)
        with torch.no_grad():
            model(torch.ones(4, 5))
    run.finish()
    heard = {one.step for one in run.recordings if one.phase == "train" and any(a.role == "units" for a in one.arrays)}
    assert heard == {4, 5, 6}
    assert {one.step for one in run.recordings if one.phase == "eval"} >= {4, 5}
    assert [kind for kind, _ in run.rows[2]].count("activation") == 3


@pytest.mark.parametrize("update", [in_place, by_data])
def test_training_is_bit_identical(run: Any, update: Update) -> None:
    """Watched or not."""
    plain, watched = net(), net()
    losses = train(plain, update, steps=30)
    install()
    assert train(watched, update, steps=30) == losses
    assert len(run.steps) > 20
    assert all(torch.equal(a, b) for a, b in zip(plain.parameters(), watched.parameters(), strict=True))


def test_weights_that_no_module_holds(run: Any) -> None:
    """Bare tensors, as in a first tutorial."""
    torch.manual_seed(0)
    install()
    first, second = (torch.randn(shape, requires_grad=True) for shape in ((4, 6), (6, 2)))
    for _ in range(6):
        (torch.randn(8, 4) @ first).relu().matmul(second).square().mean().backward()
        in_place((first, second))
    run.finish()
    assert [number for number, *_ in run.steps] == [3, 4, 5, 6]
    shapes = {array.shape for array in run.recordings[0].arrays if array.role == "weight"}
    assert shapes == {(4, 6), (6, 2)}


def test_another_rule_than_the_gradient_has_no_rate(run: Any) -> None:
    """Momentum by hand: what is taken off is no multiple of the gradient."""
    model = net()
    speed = [torch.zeros_like(parameter) for parameter in model.parameters()]

    @torch.no_grad()
    def momentum(parameters: Iterable[Tensor]) -> None:
        for parameter, moving in zip(parameters, speed, strict=True):
            moving.mul_(0.9).add_(parameter.grad)
            parameter.sub_(moving, alpha=RATE)
            parameter.grad = None

    install()
    train(model, momentum)
    run.finish()
    assert len(run.steps) == 6
    assert run.scalar("lr") == []


def test_the_steps_that_were_missed_are_kept_with_the_first(run: Any) -> None:
    """Their weights and gradients, once: a rule with a memory cannot be told without them."""
    model, seen = net(), []

    def noting(parameters: Iterable[Tensor]) -> None:
        each = list(parameters)
        seen.append([(p.detach().clone(), p.grad.clone()) for p in each if p.grad is not None])
        in_place(each)

    install()
    train(model, noting, steps=5)
    run.finish()
    first, *others = assembled([one for one in run.recordings if one.phase == "train"])
    for back, step in ((2, seen[0]), (1, seen[1])):
        for role, place in (("weight", 0), ("gradient", 1)):
            kept = list(first.of(f"state.missed.{back}.{role}").values())
            assert len(kept) == len(step) == 4
            for one, tensors in zip(kept, step, strict=True):
                np.testing.assert_array_equal(one.whole(), tensors[place].numpy())
    assert not any(role.startswith("state.") for one in others for role, _ in one.arrays)


def test_no_more_than_a_little_is_kept_of_them(run: Any) -> None:
    """A large model costs no copies."""
    torch.manual_seed(0)
    model = nn.Linear(5, 80_000)
    install()
    for _ in range(4):
        model(torch.randn(2, 5)).square().mean().backward()
        in_place(model.parameters())
    run.finish()
    assert [number for number, *_ in run.steps] == [3, 4]
    assert not any(array.role.startswith("state.") for one in run.recordings for array in one.arrays)


def saliency(model: nn.Module, _: Tensor, __: int) -> None:
    """Looks at gradients, changes nothing."""
    model.zero_grad()


def attack(model: nn.Module, delta: Tensor, _: int) -> None:
    """Changes the input; the weights behind the same loss stay."""
    delta.data += 0.1 * delta.grad.sign()  # type: ignore[union-attr]
    delta.grad = None
    model.zero_grad()


@pytest.mark.parametrize("each", [saliency, attack])
def test_what_follows_other_passes_is_no_step(run: Any, each: Callable[[nn.Module, Tensor, int], None]) -> None:
    """Nothing is told of them, and nobody listens any more after a while."""
    model, delta = net(), torch.zeros(6, 5, requires_grad=True)
    install()
    for step in range(30):
        functional.cross_entropy(model(torch.randn(6, 5) + delta), torch.randint(3, (6,))).backward()
        each(model, delta, step)
    assert run.steps == []
    assert integration._scene._probe is not None
    assert integration._scene._probe.byhand.over


def test_an_optimizer_that_holds_the_weights_is_the_one_that_counts(run: Any) -> None:
    """Its step may be compiled, or come later."""
    model = net()
    kept = torch.optim.SGD(model.parameters(), lr=RATE)
    install()
    train(model, in_place)
    assert run.steps == []
    assert kept.param_groups


def test_an_optimizer_that_comes_later_goes_on(run: Any) -> None:
    """Numbers go on. Its first step is told twice: nothing shows before that the pass was for an optimizer."""
    model = net()
    install()
    train(model, in_place, steps=5)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    optimizer.zero_grad()
    train(model, lambda _: optimizer.step(), steps=3)
    run.finish()
    assert [number for number, *_ in run.steps] == [3, 4, 5, 6, 7, 8, 9]
    assert [one["step"] for one in run.events if one["type"] == "optimizer_changed"] == [6]


def test_another_model_by_hand_goes_on(run: Any) -> None:
    """Once a few passes have brought the first one's weights no gradient."""
    install()
    train(net(), by_data, steps=5)
    train(net(), by_data, steps=12)
    run.finish()
    numbers = [number for number, *_ in run.steps]
    assert numbers == sorted(set(numbers))
    assert len(numbers) >= 3 + 7


@pytest.mark.parametrize(
    ("size", "plain", "known"), [(1, True, False), (1, False, False), (6, True, True), (6, False, False)]
)
def test_a_rate_is_read_off_several_elements(size: int, plain: bool, known: bool) -> None:
    """Of a bias of one element any update is a multiple of its gradient."""
    torch.manual_seed(0)
    leaf = torch.nn.Parameter(torch.randn(size))
    leaf.grad = torch.randn(size)
    look = byhand._Look(leaf)
    with torch.no_grad():
        leaf -= 0.1 * (leaf.grad if plain else leaf.grad.sign())
    rate = look.rate()
    assert (rate is not None) is known
    assert rate is None or rate == pytest.approx(0.1, rel=1e-3)
