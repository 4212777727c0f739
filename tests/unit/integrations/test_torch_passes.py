"""What the backward passes of a recorded step find, and whose parameters a model computes with."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch import passes
from auditor_agent.integrations.torch.audit import watch
from auditor_agent.integrations.torch.passes import Bypassed, Passes, unowned
from auditor_agent.integrations.torch.unstepped import held
from support.memory_run import MemoryRun

Loop = Callable[[nn.Module, torch.optim.Optimizer, int], object]


def loss(model: nn.Module) -> Tensor:
    """Of a batch of noise."""
    return functional.cross_entropy(model(torch.randn(4, 6)), torch.randint(3, (4,)))


def recorded(run: MemoryRun, step: Loop, steps: int = 5) -> list[dict[str, Any]]:
    """The facts of the recorded steps of a loop that does ``step`` so many times."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    for number in range(steps):
        step(model, optimizer, number)
    run.finish("completed")
    return [one.facts for one in run.recordings]


def told(facts: Iterable[dict[str, Any]]) -> set[tuple[Any, ...]]:
    """What they say of the passes."""
    return {(one.get("backwards"), one.get("discarded"), one.get("gradients_before")) for one in facts}


@pytest.mark.parametrize(("zeroes", "says"), [(True, "none"), (False, "kept")])
def test_the_first_pass_of_a_step_finds_nothing_or_what_the_step_before_left(
    run: MemoryRun, zeroes: bool, says: str
) -> None:
    """With ``zero_grad()`` in the loop, and without."""

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, _: int) -> None:
        if zeroes:
            optimizer.zero_grad()
        loss(model).backward()
        optimizer.step()

    assert told(recorded(run, step)[2:]) == {(1, 0, says)}


def test_what_is_left_over_is_found_where_the_last_bias_has_no_gradient() -> None:
    """Of a difference of two outputs; the largest of a part of a large one, and of what is no matrix."""
    model = nn.Linear(6, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    parameters = list(model.parameters())
    assert passes.left_over(parameters, optimizer) is None
    (model(torch.randn(4, 6)) - model(torch.randn(4, 6))).square().mean().backward()
    weight, bias = (parameter.grad for parameter in parameters)
    assert weight is not None
    assert bias is not None
    assert not bias.any()
    assert passes.left_over(parameters, optimizer) == weight.abs().amax().double()
    optimizer.zero_grad(set_to_none=False)
    assert passes.left_over(parameters, optimizer) == 0
    large = nn.Parameter(torch.zeros(3, 70, 100))
    large.grad = torch.ones(3, 100, 70).transpose(1, 2)
    assert passes.left_over([large], torch.optim.SGD([large], lr=0.1)) == 1
    alone = nn.Parameter(torch.zeros(2))
    alone.grad = torch.tensor([0.0, -3.0])
    assert passes.left_over([alone], torch.optim.SGD([alone], lr=0.1)) == 3


@pytest.mark.parametrize(("every", "discarded"), [(8, 0), (1, 7)])
def test_micro_batches_discard_nothing_and_a_step_outside_its_loop_all_but_one(
    run: MemoryRun, every: int, discarded: int
) -> None:
    """Eight passes into one step: accumulated, or each zeroed before the next."""

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, _: int) -> None:
        for number in range(8):
            if number % every == 0:
                optimizer.zero_grad(set_to_none=False)
            loss(model).backward()
        optimizer.step()

    assert told(recorded(run, step)[2:]) == {(8, discarded, "zero")}


def by_hand(model: nn.Module) -> None:
    """Weight decay in place."""
    for parameter in model.parameters():
        if parameter.grad is not None:
            parameter.grad.add_(parameter.detach(), alpha=1e-4)


def anew(model: nn.Module) -> None:
    """The same, as new tensors."""
    for parameter in model.parameters():
        parameter.grad = None if parameter.grad is None else parameter.grad + 1e-4 * parameter.detach()


@pytest.mark.parametrize(
    ("change", "zeroes", "altered"),
    [
        (lambda _: None, True, False),
        (lambda _: None, False, False),
        (by_hand, True, True),
        (by_hand, False, True),
        (anew, True, True),
        (lambda model: nn.utils.clip_grad_norm_(model.parameters(), 1e-3), True, True),
    ],
)
@pytest.mark.parametrize("passes_", [1, 3])
def test_gradients_that_a_program_writes_to_before_the_step_are_told(
    run: MemoryRun, change: Callable[[nn.Module], Any], zeroes: bool, altered: bool, passes_: int
) -> None:
    """In place or anew; not what passes add up themselves, nor what the optimizer writes to them."""

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, _: int) -> None:
        optimizer.zero_grad(set_to_none=zeroes)
        optimizer.param_groups[0].update(momentum=0.9, nesterov=True, foreach=True)
        for _ in range(passes_):
            loss(model).backward()
        change(model)
        optimizer.step()

    assert {one.get("altered") for one in recorded(run, step)[2:]} == {altered}


def test_passes_of_another_model_do_not_count() -> None:
    """A critic that is trained eight times between two steps of the generator."""
    generator, critic = nn.Linear(2, 3), nn.Linear(3, 1)
    optimizer, passes = torch.optim.SGD(generator.parameters(), lr=0.1), Passes()
    passes.begin(critic(generator(torch.randn(4, 2))).mean(), optimizer)
    for _ in range(8):
        passes.begin(critic(generator(torch.randn(4, 2)).detach()).mean(), optimizer)
    assert (passes.count, passes.empty) == (1, 0)


class Deep(nn.Module):
    """Hidden layers in a list that torch does not look into."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.hidden = nn.Linear(6, 5), [nn.Linear(5, 5), nn.Linear(5, 5)]

    def forward(self, x: Tensor) -> Tensor:
        """Through all of them."""
        for layer in (self.first, *self.hidden):
            x = torch.relu(layer(x))
        return x


def test_layers_that_nobody_holds_are_described() -> None:
    """Until an optimizer holds them, or they are frozen; an input with a gradient is none."""
    model = Deep()
    outputs = [model(torch.randn(4, 6, requires_grad=True))]
    assert sorted(one["shape"] for one in unowned(model, outputs)) == [[5], [5], [5, 5], [5, 5]]
    optimizer = torch.optim.SGD([*model.parameters(), *model.hidden[0].parameters()], lr=0.1)
    assert len(unowned(model, outputs)) == 2
    for parameter in model.hidden[1].parameters():
        parameter.requires_grad_(False)
    assert unowned(model, [model(torch.randn(4, 6))]) == []
    del optimizer


@pytest.mark.parametrize(("to_none", "first"), [(True, 14), (False, 100)])
@pytest.mark.parametrize("again", [True, False])
def test_a_loss_that_passes_the_optimizer_by_is_told(run: MemoryRun, again: bool, to_none: bool, first: int) -> None:
    """A model built anew and an optimizer that was not; with an optimizer of its own there is nothing to tell.

    Gradients that are kept at zero are looked at when weights are.
    """
    torch.manual_seed(0)
    models = [nn.Linear(6, 3), nn.Linear(6, 3)]
    optimizer = torch.optim.SGD(models[0].parameters(), lr=0.01)
    watch(models[0], optimizer)
    others = [torch.optim.SGD(models[1].parameters(), lr=0.01)] if again else []
    for number in range(110):
        for each in (optimizer, *others):
            each.zero_grad(set_to_none=to_none)
        loss(models[number >= 12]).backward()
        for each in (optimizer, *others):
            each.step()
    run.finish("completed")
    told = [one for one in run.events if one["type"] == "bypassed"]
    assert [one["step"] for one in told] == ([] if again else [first])
    assert all(sorted(one["shape"] for one in event["parameters"]) == [[3], [3, 6]] for event in told)


@pytest.mark.parametrize("slip", [True, False])
def test_an_optimizer_made_before_its_model_was_made_anew(
    run: MemoryRun, monkeypatch: pytest.MonkeyPatch, slip: bool
) -> None:
    """A run is taken up again in the process that began it: what the second optimizer holds is no model any more."""
    monkeypatch.setattr(integration, "open_run", lambda _: run)
    integration.install()
    first = nn.Linear(6, 3)
    before = torch.optim.SGD(first.parameters(), lr=0.01)
    for _ in range(8):
        before.zero_grad()
        loss(first).backward()
        before.step()
    model = nn.Linear(6, 3)
    after = torch.optim.SGD(model.parameters(), lr=0.01)
    if slip:
        model = nn.Linear(6, 3)
    model.load_state_dict(first.state_dict())
    for _ in range(12):
        after.zero_grad()
        loss(model).backward()
        after.step()
    run.finish("completed")
    events = [one for one in run.events if one["type"] == "bypassed"]
    assert [sorted(one["shape"] for one in event["parameters"]) for event in events] == [[[3], [3, 6]]] * slip


def test_whose_parameters_a_loss_reaches_is_asked_ever_more_rarely(
    run: MemoryRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The answer goes through all objects of the process: of 200 steps a handful ask."""
    asked = []

    def counted() -> set[int]:
        asked.append(None)
        return held()

    monkeypatch.setattr(passes, "held", counted)
    models = [nn.Linear(6, 3), nn.Linear(6, 3)]
    optimizers = [torch.optim.SGD(model.parameters(), lr=0.01) for model in models]
    watch(models[0], optimizers[0])
    for number in range(200):
        for each in optimizers:
            each.zero_grad()
        loss(models[number > 0]).backward()
        for each in optimizers:
            each.step()
    run.finish("completed")
    assert 3 <= len(asked) <= 8


def test_a_loss_that_was_cut_off_is_walked_ever_more_rarely(monkeypatch: pytest.MonkeyPatch, run: MemoryRun) -> None:
    """Nothing is behind it, at any step: no look through all objects, and few at its graph."""
    looks: list[str] = []
    of_graph, of_all = passes.behind, passes.held
    monkeypatch.setattr(passes, "behind", lambda roots: looks.append("graph") or of_graph(roots))  # type: ignore[func-returns-value]
    monkeypatch.setattr(passes, "held", lambda: looks.append("all") or of_all())  # type: ignore[func-returns-value]

    def step(model: nn.Module, optimizer: torch.optim.Optimizer, _: int) -> None:
        optimizer.zero_grad()
        torch.tensor(loss(model).item(), requires_grad=True).backward()
        optimizer.step()

    recorded(run, step, 200)
    assert "all" not in looks
    assert 2 <= len(looks) <= 8


def test_frozen_steps_and_other_losses_pass_nothing_by() -> None:
    """No loss reaches a parameter that nobody holds: of the critic in a step of the generator, of a mean of inputs."""
    generator, critic = nn.Linear(2, 3), nn.Linear(3, 1)
    optimizers = [torch.optim.SGD(each.parameters(), lr=0.1) for each in (generator, critic)]
    bypassed = Bypassed()
    for root in (critic(torch.randn(4, 3)).mean(), torch.randn(4, requires_grad=True).mean()):
        bypassed.begin(root)
        bypassed.step(None, 1, optimizers[0])
        bypassed.begin(root)
        assert bypassed.found == []
