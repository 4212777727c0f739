from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.capture import native
from auditor_agent.capture.budget import EVERY, FIRST
from auditor_agent.integrations.torch.audit import watch
from auditor_agent.integrations.torch.lane import Lane

pytestmark = pytest.mark.skipif(not native.available(), reason="the short way needs the C kernel")
PLAIN = range(FIRST + 1, EVERY - 1)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The steps that went the short way; the flight recorder is off, that keeps them off it."""
    monkeypatch.setenv("AUDITOR_RECORD_STEPS", "0")
    steps: list[int] = []
    take = Lane.take

    def taken(lane: Lane, part: Any, optimizer: Any) -> bool:
        done = take(lane, part, optimizer)
        if done:
            steps.append(lane._pace.number)
        return done

    monkeypatch.setattr(Lane, "take", taken)
    return steps


def train(run: Any, steps: int, before_step: Callable[[int, nn.Module], object] = lambda *_: None) -> list[Tensor]:
    """Train a small model; the gradients of its first layer at each step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    seen = []
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        model(torch.randn(4, 6)).square().mean().backward()
        before_step(step, model)
        seen.append(model[0].weight.grad.to_dense().clone())
        optimizer.step()
    assert [number for number, _, _ in run.steps] == list(range(1, steps + 1))
    return seen


def test_plain_steps_go_the_short_way_and_say_the_same(run: Any, short: list[int]) -> None:
    """All but the first, the sampled and the one before that; each with its own numbers."""
    gradients = train(run, EVERY + 3)
    assert short == [*PLAIN, EVERY + 1, EVERY + 2, EVERY + 3]
    norms = [row["gradient", "0.weight"]["l2"] for row in run.rows]
    assert norms == pytest.approx([gradient.norm().item() for gradient in gradients], rel=1e-5)
    assert len(run.scalar("loss")) == len(run.scalar("lr")) == EVERY + 3
    assert len(run.scalar("step_time")) == EVERY + 2


def test_what_is_not_finite_is_handed_over_at_once(run: Any, short: list[int]) -> None:
    """Nobody has to ask; the steps before it come first, the next one goes the long way and reads the weights."""

    def spoil(step: int, model: nn.Module) -> None:
        if step == 20:
            model[2].bias.grad[0] = math.inf  # type: ignore[index, union-attr]
        if step == 21:
            assert [number for number, _, _ in run._steps] == list(range(1, 21))

    train(run, 22, spoil)
    assert 20 in short
    assert 21 not in short
    assert next(number for number, _, urgent in run.steps if urgent) == 20
    assert run.rows[19]["gradient", "2.bias"]["inf"] == 1
    assert run.rows[20]["weight", "2.bias"]["inf"] == 1


def test_a_loss_that_is_not_finite_is_handed_over_at_once(run: Any, short: list[int]) -> None:
    """Even where every gradient is."""
    torch.manual_seed(0)
    model = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for step in range(1, 12):
        optimizer.zero_grad()
        (model(torch.ones(1, 2)).sum() + (math.nan if step == 11 else 0.0)).backward()
        optimizer.step()
    assert 11 in short
    assert [urgent for _, _, urgent in run._steps] == [False] * 10 + [True]


@pytest.mark.parametrize("change", ["missing", "sparse", "transposed"])
def test_a_step_out_of_the_ordinary_goes_the_long_way(run: Any, short: list[int], change: str) -> None:
    """A gradient that is missing, or lies otherwise: read as it is, in its place among the steps."""

    def spoil(step: int, model: Any) -> None:
        if step == 12 and change == "missing":
            model[2].bias.grad = None
        elif step == 12 and change == "sparse":
            model[0].weight.grad = model[0].weight.grad.to_sparse()
        elif step == 12:
            model[0].weight.grad = model[0].weight.grad.t().contiguous().t()

    gradients = train(run, 15, spoil)
    assert 12 not in short
    assert 11 in short
    assert (("gradient", "2.bias") in run.rows[11]) is (change != "missing")
    assert run.rows[11]["gradient", "0.weight"]["l2"] == pytest.approx(gradients[11].norm().item(), rel=1e-5)


def test_micro_batches_and_clipping_are_told_on_the_short_way(run: Any, short: list[int]) -> None:
    """The loss is the sum of what was backpropagated; the norm that of before the clipping."""
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    losses, norms = [], []
    for _ in range(10):
        optimizer.zero_grad()
        parts = [model(torch.randn(4, 3)).square().mean() / 2 for _ in range(2)]
        for part in parts:
            part.backward()
        losses.append(sum(part.item() for part in parts))
        norms.append(nn.utils.clip_grad_norm_(model.parameters(), 0.1).item())
        optimizer.step()
    assert short
    assert run.scalar("loss") == losses
    assert run.scalar("micro_batches") == [2.0] * 10
    assert run.scalar("grad_norm_before_clip") == pytest.approx(norms)


def test_a_changed_learning_rate_is_told_at_its_step(run: Any, short: list[int]) -> None:
    """A schedule does not take steps off the short way."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=1.0)
    schedule = torch.optim.lr_scheduler.StepLR(optimizer, step_size=1, gamma=0.5)
    watch(model, optimizer)
    for _ in range(9):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        schedule.step()
    assert short == [6, 7, 8, 9]
    assert run.scalar("lr") == [0.5**step for step in range(9)]


def test_g7_what_waits_is_bounded(run: Any, short: list[int], monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody comes to fetch it, the loop hands it over itself."""
    monkeypatch.setattr("auditor_agent.integrations.torch.lane._MOST", 8)
    torch.manual_seed(0)
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    for step in range(1, 40):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
        assert step - len(run._steps) < 8
    assert len(short) > 30


def test_g11_what_waits_is_not_sent_by_a_forked_child(run: Any, short: list[int]) -> None:
    """The run is the parent's; the lock may be held by a thread that the child does not have."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    for _ in range(10):
        model(torch.ones(1, 3)).sum().backward()
        optimizer.step()
    assert len(run._steps) < 10
    run.finished = True
    known = list(run._steps)
    assert run.steps == known
    assert short


def gradients(run: Any) -> list[dict[tuple[str, str], dict[str, float]]]:
    """The rows without what is sampled, which goes by the number of the step."""
    return [{key: value for key, value in row.items() if key[0] == "gradient"} for row in run.rows]


def game(steps: int, *, critics: int = 1, spoil: Callable[[int, nn.Module], object] = lambda *_: None) -> list[float]:
    """Train two models against each other, the first ``critics`` times as often; the norms of its gradients."""
    torch.manual_seed(0)
    critic, actor = nn.Linear(4, 1), nn.Linear(3, 4)
    optimizers = torch.optim.SGD(critic.parameters(), lr=0.1), torch.optim.Adam(actor.parameters(), lr=0.01)
    watch(nn.ModuleDict({"critic": critic, "actor": actor}), optimizers)
    norms = []
    for step in range(1, steps + 1):
        for _ in range(critics):
            optimizers[0].zero_grad()
            critic(torch.randn(5, 4)).square().mean().backward()
            norms.append(critic.weight.grad.norm().item())
            optimizers[0].step()
        optimizers[1].zero_grad()
        critic(actor(torch.randn(5, 3))).mean().backward()
        spoil(step, actor)
        optimizers[1].step()
    return norms


@pytest.mark.parametrize("critics", [1, 3])
def test_several_optimizers_go_the_short_way_and_say_the_same(
    run: Any, short: list[int], monkeypatch: pytest.MonkeyPatch, critics: int
) -> None:
    """One row until the first of them steps again; the same rows as on the long way, bit by bit."""
    norms = game(40, critics=critics)
    rows = gradients(run)
    found = {name: run.scalar(name) for name in ("loss", "loss/1", "lr", "lr/1")}
    assert [row["gradient", "critic.weight"]["l2"] for row in rows] == pytest.approx(norms, rel=1e-5)
    assert sum(("gradient", "actor.weight") in row for row in rows) == len(found["loss/1"]) == 40
    assert len(found["loss"]) == len(rows) == 40 * critics
    assert set(range(FIRST + critics + 1, EVERY - 1)) & set(range(1, len(rows))) <= set(short)
    run.finish()
    monkeypatch.setattr(Lane, "open", lambda *_: None)
    run.finished = False
    for kept in (short, run._steps, run._rows):
        kept.clear()
    game(40, critics=critics)
    assert not short
    assert gradients(run) == rows
    assert found == {name: run.scalar(name) for name in found}


def test_the_long_way_takes_over_a_step_that_the_short_way_began(run: Any, short: list[int]) -> None:
    """The second optimizer's gradient lies otherwise for once: what the first one's leg left is in the row."""

    def spoil(step: int, actor: Any) -> None:
        if step == 15:
            actor.weight.grad = actor.weight.grad.t().contiguous().t()

    norms = game(20, spoil=spoil)
    assert [number for number, _, _ in run.steps] == list(range(1, 21))
    assert [row["gradient", "critic.weight"]["l2"] for row in run.rows] == pytest.approx(norms, rel=1e-5)
    assert all(("gradient", "actor.weight") in row for row in run.rows)
    assert len(run.scalar("loss")) == len(run.scalar("loss/1")) == len(run.scalar("lr/1")) == 20
    assert 14 in short
    assert short.count(15) == 1  # the first leg alone


def test_a_step_of_which_one_leg_was_taken_is_not_lost(run: Any, short: list[int]) -> None:
    """The run ends between the two optimizers."""

    def spoil(step: int, _actor: nn.Module) -> None:
        if step == 20:
            run.finish()

    game(20, spoil=spoil)
    assert short[-1] == 20
    assert [number for number, _, _ in run.steps] == list(range(1, 21))
    assert ("gradient", "critic.weight") in run.rows[19]
    assert ("gradient", "actor.weight") not in run.rows[19]
