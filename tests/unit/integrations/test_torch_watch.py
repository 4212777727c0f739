from __future__ import annotations

import gc
import math
import os
import shutil
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.capture.budget import EVERY, FIRST
from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch.audit import install, watch
from auditor_agent.integrations.torch.names import find_model

COMPILER = any(shutil.which(name) for name in (os.environ.get("CXX", "g++"), "clang++"))
INDUCTOR = pytest.param("inductor", marks=pytest.mark.skipif(not COMPILER, reason="inductor needs a C++ compiler"))


class Net(nn.Module):
    """Two layers with names of their own."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.norm, self.fc2 = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        hidden: Tensor = torch.dropout(torch.relu(self.norm(self.fc1(x))), 0.1, train=True)
        return self.fc2(hidden)  # type: ignore[no-any-return]


def net() -> tuple[Net, torch.optim.Optimizer]:
    """A small model, the same each time, and its optimizer."""
    torch.manual_seed(0)
    model = Net()
    return model, torch.optim.Adam(model.parameters(), lr=1e-2)


def train(
    model: Callable[[Tensor], Tensor],
    optimizer: torch.optim.Optimizer,
    steps: int,
    *,
    before_step: Callable[[int], object] = lambda _: None,
) -> list[float]:
    """Train on noise; ``before_step`` is called after backward with the step's number."""
    noise = torch.Generator().manual_seed(1)
    losses = []
    for step in range(1, steps + 1):
        x, y = torch.randn(8, 6, generator=noise), torch.randint(3, (8,), generator=noise)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        before_step(step)
        optimizer.step()
        losses.append(loss.item())
    return losses


def test_every_step_brings_loss_rate_and_every_gradient(run: Any) -> None:
    """The first optimizer step is step 1; the loss is the very float that the script prints."""
    model, optimizer = net()
    watch(model, optimizer)
    norms: list[float] = []
    losses = train(model, optimizer, 4, before_step=lambda _: norms.append(model.fc1.weight.grad.norm().item()))
    assert [step for step, _, _ in run.steps] == [1, 2, 3, 4]
    assert run.scalar("loss") == losses
    assert run.scalar("lr") == [1e-2] * 4
    assert len(run.scalar("step_time")) == 3
    assert [row["gradient", "fc1.weight"]["l2"] for row in run.rows] == pytest.approx(norms, rel=1e-5)
    assert {name for kind, name in run.rows[0] if kind == "gradient"} == set(dict(model.named_parameters()))


def test_weights_are_read_at_first_and_then_now_and_then(run: Any) -> None:
    """The first steps, and every so many."""
    model, optimizer = net()
    watch(model, optimizer)
    train(model, optimizer, EVERY + 1)
    steps = [at for at, row in enumerate(run.rows, 1) if ("weight", "fc1.weight") in row]
    assert steps == [*range(1, FIRST + 1), EVERY]


def test_v1_a_nan_in_one_gradient_is_counted_there_and_sent_at_once(run: Any) -> None:
    """The tensor, the step, the count; the weights that it spoils are read at the next step."""
    model, optimizer = net()
    watch(model, optimizer)

    def spoil(step: int) -> None:
        if step == 7:
            model.fc2.weight.grad[0, 1] = math.nan

    train(model, optimizer, 8, before_step=spoil)
    assert {name for name, row in run.rows[6].items() if row["nan"]} == {("gradient", "fc2.weight")}
    assert run.rows[6]["gradient", "fc2.weight"]["nan"] == 1
    assert [urgent for _, _, urgent in run.steps] == [False] * 6 + [True, True]
    assert run.rows[7]["weight", "fc2.weight"]["nan"] == 1
    assert math.isnan(run.scalar("loss")[7])


@pytest.mark.parametrize("mode", ["eager", "compiled", "fullgraph", INDUCTOR])
@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")  # torch's own, once per process
def test_g4_g5_training_is_bit_identical(run: Any, mode: str) -> None:
    """Losses, weights, random state and the number of compiled frames are what they are without."""
    outcomes = []
    for watched in (False, True):
        model, optimizer = net()
        if watched:
            watch(model, optimizer)
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        forward = model if mode == "eager" else _compiled(model, mode)
        losses = train(forward, optimizer, 200)
        frames = dict(torch._dynamo.utils.counters["stats"])
        outcomes.append((losses, [p.tolist() for p in model.parameters()], torch.get_rng_state().tolist(), frames))
    assert outcomes[0] == outcomes[1]
    assert len(run.steps) == 200
    assert (mode == "eager") == (not outcomes[0][3])


def _compiled(model: nn.Module, mode: str) -> Callable[[Tensor], Tensor]:
    # What breaks a graph is found before inductor, which takes a compiler and its time.
    backend = "inductor" if mode == "inductor" else "aot_eager"
    return torch.compile(model, fullgraph=mode != "compiled", backend=backend)


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method`:DeprecationWarning")  # torch's own, once per process
def test_g4_a_compiled_optimizer_step_stays_whole(run: Any) -> None:
    """The hook leaves no mark in a traced step: as many graphs and breaks as without, and nothing is seen."""
    counts = []
    for watched in (False, True):
        model, optimizer = net()
        if watched:
            watch(model, optimizer)
        torch._dynamo.reset()
        torch._dynamo.utils.counters.clear()
        step = torch.compile(lambda bound=optimizer: bound.step(), backend="eager")
        model(torch.randn(8, 6)).sum().backward()
        step()
        counters = torch._dynamo.utils.counters
        counts.append((dict(counters["stats"]), sum(counters["graph_break"].values())))
    assert counts[0] == counts[1]
    assert counts[0][0]["unique_graphs"] == 1
    assert run.steps == []


def test_micro_batches_count_as_one_step(run: Any) -> None:
    """The loss of a step is the sum of what was backpropagated: the function whose gradient is taken."""
    model, optimizer = net()
    watch(model, optimizer)
    losses = []
    for _ in range(4):
        loss = model(torch.randn(8, 6)).square().mean() / 4
        loss.backward()
        losses.append(loss.item())
    optimizer.step()
    assert [step for step, _, _ in run.steps] == [1]
    assert run.scalar("loss") == pytest.approx([sum(losses)])


def test_a_parameter_without_gradient_is_left_out(run: Any) -> None:
    """Frozen and unused parameters have no gradient statistics; their absence is no zero."""
    model, optimizer = net()
    model.fc1.weight.requires_grad_(requires_grad=False)
    watch(model, optimizer)
    model(torch.randn(8, 6)).sum().backward()
    model.fc1.bias.grad = None
    optimizer.step()
    seen = {name for kind, name in run.rows[0] if kind == "gradient"}
    assert seen == {"norm.weight", "norm.bias", "fc2.weight", "fc2.bias"}


def test_layers_that_thaw_on_the_way_are_taken_in_by_name(run: Any) -> None:
    """Fine-tuning: a group added later, and a frozen parameter that the optimizer held all along."""
    model, _ = net()
    model.fc2.requires_grad_(requires_grad=False)
    model.fc1.bias.requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD([*model.fc1.parameters(), *model.norm.parameters()], lr=0.1)
    watch(model, optimizer)
    train(model, optimizer, 1)
    model.requires_grad_()
    optimizer.add_param_group({"params": list(model.fc2.parameters()), "lr": 0.01})
    train(model, optimizer, 1)
    first, second = ({name for kind, name in row if kind == "gradient"} for row in run.rows)
    assert first == {"fc1.weight", "norm.weight", "norm.bias"}
    assert second == set(dict(model.named_parameters()))
    assert run.steps[1][1]["lr/1"] == 0.01
    assert len({name for kind, name, *_ in run.table if kind == "gradient"}) == 6
    assert len([name for kind, name, *_ in run.table if kind == "gradient"]) == 6


def test_g14_a_loop_that_never_steps_is_noted(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Losses are not collected for ever; one note says that no step was seen."""
    notes: list[str] = []
    monkeypatch.setattr("auditor_agent.integrations.torch.loss.note", notes.append)
    monkeypatch.setattr("auditor_agent.integrations.torch.loss._MOST_ROOTS", 2)
    model, optimizer = net()
    watch(model, optimizer)
    for _ in range(3):
        model(torch.randn(8, 6)).sum().backward()
    assert len(notes) == 1


def test_the_first_optimizer_of_the_model_is_found(run: Any) -> None:
    """``watch(model)`` waits for an optimizer that holds its parameters; others do not count."""
    model, optimizer = net()
    other = nn.Linear(2, 2)
    unrelated = torch.optim.SGD(other.parameters(), lr=1.0)
    watch(model)
    other(torch.ones(1, 2)).sum().backward()
    unrelated.step()
    losses = train(model, optimizer, 2)
    assert run.scalar("loss") == losses
    assert [step for step, _, _ in run.steps] == [1, 2]


def test_an_unmodified_script_is_watched_with_its_names(run: Any) -> None:
    """Without ``watch``: the model is found by the parameters that the first optimizer holds."""
    install()
    model, optimizer = net()
    losses = train(model, optimizer, 3)
    assert run.scalar("loss") == losses
    assert ("gradient", "fc1.weight") in run.rows[0]
    assert run.manifests[0]["model"]["class"].endswith("Net")


def test_models_trained_one_after_another_share_the_numbering(run: Any) -> None:
    """Under ``auditor run`` a second optimizer takes over when the first is gone."""
    install()
    for _ in range(2):
        model, optimizer = net()
        train(model, optimizer, 2)
        del model, optimizer
        gc.collect()
    assert [step for step, _, _ in run.steps] == [1, 2, 3, 4]


@pytest.mark.parametrize("kept", [True, False])
@pytest.mark.parametrize("another", [True, False])
def test_an_optimizer_that_takes_over_is_told(run: Any, *, kept: bool, another: bool) -> None:
    """A teacher's optimizer and then a student's, a second one of the same model; the first one kept or not."""
    install()
    model, optimizer = net()
    train(model, optimizer, 3)
    first = optimizer if kept else None
    model, optimizer = net() if another else (model, torch.optim.SGD(model.parameters(), lr=0.1))
    gc.collect()
    train(model, optimizer, 3)
    run.finish("completed")
    told = [one for one in run.events if one["type"] == "optimizer_changed"]
    assert [(one["step"], one["another_model"]) for one in told] == [(3, another)]
    assert [step for step, _, _ in run.steps] == [1, 2, 3, 4, 5, 6]
    del first


def test_an_optimizer_for_each_task_costs_no_search(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Meta-learning makes hundreds; a model that none of them has trained is looked for all the same."""
    install()
    looked = []
    monkeypatch.setattr(integration, "find_model", lambda optimizer: looked.append(1) or find_model(optimizer))
    model, _ = net()
    for task in range(9):
        model = net()[0] if task == 7 else model
        train(model, torch.optim.SGD(model.parameters(), lr=0.1), 2)
    assert (len(looked), len(run.steps)) == (5, 18)


def test_optimizers_that_step_by_turns_take_nothing_over(run: Any) -> None:
    """As in a GAN whose critic takes five steps before the generator's first."""
    install()
    (critic, theirs), (model, ours) = net(), net()
    for _ in range(3):
        train(critic, theirs, 5)
        train(model, ours, 1)
    run.finish("completed")
    assert [one for one in run.events if one["type"] == "optimizer_changed"] == []


def test_the_loss_of_another_optimizer_is_not_taken_for_ours(run: Any) -> None:
    """As in a GAN: each optimizer steps on its own loss."""
    ours, theirs = nn.Linear(1, 1), nn.Linear(1, 1)
    mine, other = torch.optim.SGD(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)
    watch(ours, mine)
    losses = []
    for _ in range(2):
        theirs(torch.ones(1, 1)).square().sum().backward()
        other.step()
        loss = ours(torch.ones(1, 1)).square().sum()
        loss.backward()
        mine.step()
        losses.append(loss.item())
    assert run.scalar("loss") == losses


def test_one_loss_for_two_optimizers_is_seen(run: Any) -> None:
    """Encoder and decoder with an optimizer each: whichever steps first."""
    a, b = nn.Linear(1, 1), nn.Linear(1, 1)
    first, second = torch.optim.SGD(a.parameters(), lr=0.1), torch.optim.SGD(b.parameters(), lr=0.1)
    watch(b, second)
    loss = b(a(torch.ones(1, 1))).square().sum()
    loss.backward()
    first.step()
    second.step()
    assert run.scalar("loss") == [loss.item()]


def test_a_closure_is_looked_at_after_it_ran(run: Any) -> None:
    """LBFGS evaluates within its step: gradients exist only afterwards."""
    model = nn.Linear(2, 1)
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3)
    watch(model, optimizer)

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = (model(torch.ones(4, 2)) - 1).square().mean()
        loss.backward()
        return loss

    optimizer.step(closure)  # type: ignore[arg-type]
    assert len(run.steps) == 1
    assert ("gradient", "weight") in run.rows[0]
    assert len(run.scalar("loss")) == 1


def test_the_manifest_says_what_the_run_is(run: Any) -> None:
    """Layers, shapes, initial weights, resolved hyperparameters, loss, seed, versions."""
    model, optimizer = net()
    start = model.fc1.weight.detach().clone()
    watch(model, optimizer, loss_fn=nn.CrossEntropyLoss(label_smoothing=0.1))
    train(model, optimizer, 1)
    body = run.manifests[-1]
    assert body["model"]["tensors"]["fc1.weight"] == {"shape": [8, 6], "dtype": "float32"}
    assert [layer["name"] for layer in body["model"]["layers"]] == ["fc1", "norm", "fc2"]
    assert body["init"]["fc1.weight"]["l2"] == pytest.approx(start.norm().item(), rel=1e-6)
    assert body["optimizer"]["groups"][0]["betas"] == [0.9, 0.999]
    assert body["loss"]["label_smoothing"] == 0.1
    assert body["loss"]["operation"] == "NllLossBackward0"
    assert body["seeds"]["torch"] == 0


def test_a_compiled_model_has_the_names_of_the_user(run: Any) -> None:
    """``_orig_mod.`` is nobody's layer."""
    model, optimizer = net()
    watch(torch.compile(model, backend="eager"), optimizer)  # type: ignore[arg-type]
    train(model, optimizer, 1)
    assert ("gradient", "fc1.weight") in run.rows[0]
    assert run.manifests[0]["model"]["compiled"] is True


def test_g10_the_wrappers_go_with_the_run(run: Any) -> None:
    """What was wrapped to see the loss is unwrapped at the end."""
    original = torch.autograd.backward
    model, optimizer = net()
    watch(model, optimizer)
    assert torch.autograd.backward is not original
    train(model, optimizer, 1)
    run.finish()
    assert torch.autograd.backward is original
    train(model, optimizer, 1)
    assert len(run.steps) == 1


def test_g7_a_dropped_model_is_not_kept_alive(run: Any) -> None:
    """The agent holds weights only as long as their optimizer lives."""
    model, optimizer = net()
    watch(model, optimizer)
    train(model, optimizer, 1)
    weight = weakref.ref(model.fc1.weight)
    del model, optimizer
    gc.collect()
    assert weight() is None


def test_a_script_that_may_be_stopped_is_stopped(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With AUDITOR_STOP_ON, a watched script without a line of ours ends at the verdict."""
    monkeypatch.setenv("AUDITOR_STOP_ON", "critical")
    install()
    model, optimizer = net()
    train(model, optimizer, 2)
    run.should_stop, run.verdict = True, "diverged"
    with pytest.raises(SystemExit, match="diverged"):
        train(model, optimizer, 1)
    assert run.ended is not None
    assert run.ended[0] == "stopped"


def test_g1_a_fault_of_the_agent_is_not_the_jobs(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With errors swallowed, as in production, a broken agent changes nothing."""
    model, optimizer = net()
    plain = train(model, optimizer, 3)
    model, optimizer = net()
    watch(model, optimizer)
    monkeypatch.setenv("AUDITOR_RAISE", "")
    monkeypatch.setattr("auditor_agent.capture.kernels.at_once", lambda _: 1 / 0)
    assert train(model, optimizer, 3) == plain
    assert run.steps == []
