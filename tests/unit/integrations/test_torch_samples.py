"""What is read now and then: updates, activations, batch and output, digests; several optimizers; clipping by value."""

from __future__ import annotations

import gc
import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.capture.budget import EVERY, FIRST
from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch import part as torch_part
from auditor_agent.integrations.torch.audit import install, watch


class Net(nn.Module):
    """A layer of which one unit is dead, one that saturates."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.relu, self.fc2, self.tanh = nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2), nn.Tanh()

    def forward(self, x: Tensor) -> Tensor:
        """Two numbers in (-1, 1)."""
        out: Tensor = self.tanh(self.fc2(self.relu(self.fc1(x))))
        return out


def net() -> Net:
    """The same each time; unit 0 of the first layer never fires."""
    torch.manual_seed(0)
    model = Net()
    with torch.no_grad():
        model.fc1.bias[0] = -100.0
    return model


def steps(model: nn.Module, optimizer: torch.optim.Optimizer, count: int) -> list[Tensor]:
    """Train on noise; the batches."""
    batches = []
    for _ in range(count):
        batches.append(torch.randn(8, 3))
        optimizer.zero_grad()
        model(batches[-1]).square().mean().backward()
        optimizer.step()
    return batches


def test_an_update_is_what_the_step_did_to_the_weight(run: Any) -> None:
    """Of plain SGD: the gradient times minus the learning rate; at the first steps and then now and then."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    watch(model, optimizer)
    steps(model, optimizer, EVERY + 1)
    assert [at for at, row in enumerate(run.rows, 1) if ("update", "fc1.weight") in row] == [
        *range(1, FIRST + 1),
        EVERY,
    ]
    for row in run.rows[:FIRST]:
        gradient, update = row["gradient", "fc2.weight"], row["update", "fc2.weight"]
        assert update["l2"] == pytest.approx(0.5 * gradient["l2"], rel=1e-4)
        assert update["mean"] == pytest.approx(-0.5 * gradient["mean"], rel=1e-3, abs=1e-7)


def test_g7_of_a_large_model_some_elements_stand_for_the_update(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """No more than so many bytes of weights are held; ``count`` says how many elements were read."""
    monkeypatch.setattr(torch_part, "HELD_BYTES", 40)
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    watch(model, optimizer)
    steps(model, optimizer, 1)
    counts = {name: row["count"] for (kind, name), row in run.rows[0].items() if kind == "update"}
    assert counts == {"fc1.weight": 4, "fc1.bias": 2, "fc2.weight": 3, "fc2.bias": 1}  # every third of 26
    assert run.rows[0]["weight", "fc1.weight"]["count"] == 12


def test_activations_batch_and_output_at_sampled_steps(run: Any) -> None:
    """From the second step on, for before the first one nothing tells whether the model will be compiled."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    batches = steps(model, optimizer, EVERY + 1)
    seen = [at for at, row in enumerate(run.rows, 1) if ("activation", "relu") in row]
    assert seen == [*range(2, FIRST + 1), EVERY]
    row = run.rows[1]
    assert {name for kind, name in row if kind == "activation"} == {"fc1", "relu", "fc2", "tanh"}
    assert row["activation", "relu"]["count"] == 32
    assert row["activation", "relu"]["zeros"] >= 8
    assert row["batch", "input0"]["sum"] == pytest.approx(batches[1].sum().item(), rel=1e-4)
    assert row["output", "output0"]["count"] == 16
    assert not any(module._forward_hooks for module in model.modules())


def test_dead_and_saturated_units(run: Any) -> None:
    """A unit that is zero for the whole batch is dead; near one, tanh is saturated."""
    model = net()
    with torch.no_grad():
        model.fc2.bias.fill_(50.0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watch(model, optimizer)
    for _ in range(2):
        model(torch.ones(8, 3)).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        dead = (model.relu(model.fc1(torch.ones(1, 3))) == 0).float().mean().item()
    assert dead >= 0.25
    assert run.scalar("dead_units/relu") == [dead]
    assert run.scalar("saturated/tanh") == [1.0]


def test_evaluation_and_recomputation_are_no_activations(run: Any) -> None:
    """Without gradients or in eval mode nothing is read, and of several passes only the first."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    steps(model, optimizer, 1)
    with torch.no_grad():
        model(torch.full((2, 3), 7.0))
    model.eval()
    model(torch.full((2, 3), 7.0))
    model.train()
    model(torch.full((2, 3), 5.0)).sum().backward()
    model(torch.full((2, 3), 6.0)).sum().backward()
    optimizer.step()
    assert run.rows[1]["batch", "input0"]["max"] == 5.0


def test_g4_where_anything_is_compiled_no_module_is_hooked(run: Any) -> None:
    """Forward hooks would change what frames are guarded by."""
    model = net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    compiled = torch.compile(model, backend="eager")
    steps(compiled, optimizer, FIRST)  # type: ignore[arg-type]
    assert not [key for row in run.rows for key in row if key[0] in {"activation", "batch", "output"}]
    assert torch._dynamo.utils.counters["stats"]["unique_graphs"] == 1


def test_a_digest_tells_one_bit(run: Any) -> None:
    """Equal weights, equal digests; one bit more, another one."""

    def digest(flip: bool) -> str:
        integration._scene.end()  # else its steps would go on from the last
        model = net()
        if flip:
            with torch.no_grad():
                model.fc2.weight.view(torch.int32)[1, 2] ^= 1
        watch(model, optimizer := torch.optim.SGD(model.parameters(), lr=0.1))
        steps(model, optimizer, 1)
        return [event["digest"] for event in run.events if event["type"] == "weights"][-1]  # type: ignore[no-any-return]

    assert digest(flip=False) == digest(flip=False) != digest(flip=True)


def test_digests_come_now_and_then(run: Any) -> None:
    """At the first step, and every so many."""
    model = net()
    watch(model, optimizer := torch.optim.SGD(model.parameters(), lr=0.1))
    steps(model, optimizer, 2 * EVERY)
    weights = [event for event in run.events if event["type"] == "weights"]
    assert [event["step"] for event in weights] == [1, EVERY, 2 * EVERY]
    assert all(event["digests"].keys() == {"fc1.weight", "fc1.bias", "fc2.weight", "fc2.bias"} for event in weights)


def test_the_digests_of_single_weights_tell_which_of_them_moves(run: Any) -> None:
    """A frozen layer keeps its digest; where nothing moved at all, one digest says so."""
    model = net()
    model.fc1.requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    steps(model, optimizer, EVERY - 1)
    optimizer.param_groups[0]["lr"] = 0.0
    steps(model, optimizer, EVERY + 1)
    first, second, third = (event for event in run.events if event["type"] == "weights")
    moved = {name for name in first["digests"] if first["digests"][name] != second["digests"][name]}
    assert moved == {"fc2.weight", "fc2.bias"}
    assert third["digest"] == second["digest"]
    assert "digests" not in third


def test_g6_what_gives_way_is_said_once(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With next to no budget all of it does, gradients too; the loss is there at every step."""
    monkeypatch.setenv("AUDITOR_BUDGET", "1e-9")
    model = net()
    watch(model, optimizer := torch.optim.SGD(model.parameters(), lr=0.1))
    steps(model, optimizer, 4 * EVERY)
    thinned = {event["kind"]: event["every"] for event in run.events if event["type"] == "thinned"}
    assert set(thinned) == {"activation", "update", "weight", "gradient"}
    assert len([event for event in run.events if event["type"] == "thinned"]) == 4
    assert len(run.scalar("loss")) == 4 * EVERY
    read = [at for at, row in enumerate(run.rows, 1) if ("gradient", "fc1.weight") in row and at > EVERY + 1]
    assert read == [at for at in range(EVERY + 2, 4 * EVERY + 1) if at % thinned["gradient"] == 0]


@pytest.mark.parametrize("how", ["given", "found"])
def test_two_optimizers_of_one_model_make_one_step(run: Any, how: str) -> None:
    """Each parameter is read when its own optimizer steps; learning rates are numbered on."""
    model = net()
    first = torch.optim.SGD(model.fc1.parameters(), lr=0.1)
    second = torch.optim.Adam([{"params": [model.fc2.weight]}, {"params": [model.fc2.bias], "lr": 0.3}], lr=0.2)
    if how == "given":
        watch(model, [first, second])
    else:
        watch(model)
    norms = []
    for _ in range(3):
        model.zero_grad()
        loss = model(torch.randn(8, 3)).square().mean()
        loss.backward()
        norms.append({name: p.grad.norm().item() for name, p in model.named_parameters()})  # type: ignore[union-attr]
        first.step()
        second.step()
    run.finish()
    assert [step for step, _, _ in run.steps] == [1, 2, 3]
    for row, norm in zip(run.rows, norms, strict=True):
        told = {name: values["l2"] for (kind, name), values in row.items() if kind == "gradient"}
        assert told == pytest.approx(norm, rel=1e-5)
    assert [run.steps[-1][1][name] for name in ("lr", "lr/1", "lr/2")] == [0.1, 0.2, 0.3]
    assert [group["class"] for group in run.manifests[-1]["optimizers"]] == [
        "torch.optim.sgd.SGD",
        "torch.optim.adam.Adam",
    ]


def test_an_optimizer_that_steps_more_often_sets_the_pace(run: Any) -> None:
    """As a critic does: a step is what happens until one of them steps again; each has its own loss."""
    critic, maker = nn.Linear(2, 1), nn.Linear(2, 2)
    both = nn.ModuleDict({"critic": critic, "maker": maker})
    often, seldom = torch.optim.SGD(critic.parameters(), lr=0.1), torch.optim.SGD(maker.parameters(), lr=0.1)
    watch(both, [often, seldom])
    losses = []
    for _ in range(2):
        for _ in range(2):
            often.zero_grad()
            critic(torch.randn(4, 2)).sum().backward()
            often.step()
        seldom.zero_grad()
        loss = critic(maker(torch.randn(4, 2))).mean()
        loss.backward()
        losses.append(loss.item())
        seldom.step()
    run.finish()
    assert [step for step, _, _ in run.steps] == [1, 2, 3, 4]
    assert run.scalar("loss/1") == pytest.approx(losses)
    assert [("gradient", "maker.weight") in row for row in run.rows] == [False, True, False, True]
    assert all(("gradient", "critic.weight") in row for row in run.rows)


def test_the_second_model_of_a_script_is_watched_as_well(run: Any) -> None:
    """Without ``watch``; the steps are those of the first, and names that cannot be mistaken stay as they are."""
    install()
    ours, theirs = net(), nn.Linear(1, 1)
    optimizer, other = torch.optim.SGD(ours.parameters(), lr=0.1), torch.optim.SGD(theirs.parameters(), lr=0.1)
    steps(ours, optimizer, 1)
    theirs(torch.ones(1, 1)).sum().backward()
    other.step()
    steps(ours, optimizer, 1)
    run.finish()
    first, second = ({name for kind, name in row if kind == "gradient"} for row in run.rows)
    assert first == {"weight", "bias"} | set(dict(ours.named_parameters()))
    assert second == set(dict(ours.named_parameters()))


@pytest.mark.parametrize("how", ["value", "given norm", "groups", "generator"])
def test_other_ways_of_clipping(run: Any, how: str) -> None:
    """By value, by a norm computed before, group by group: the norm before, and the threshold."""
    model = net()
    watch(model, optimizer := torch.optim.SGD(model.parameters(), lr=0.1))
    model(torch.randn(8, 3)).square().sum().backward()
    norm = math.sqrt(sum(float(p.grad.square().sum()) for p in model.parameters()))  # type: ignore[union-attr]
    parameters = list(model.parameters())
    if how == "value":
        nn.utils.clip_grad_value_(parameters, 0.01)
    elif how == "generator":
        nn.utils.clip_grad_value_(iter(parameters), clip_value=0.01)
    elif how == "given norm":
        total = nn.utils.get_total_norm([p.grad for p in parameters])  # type: ignore[misc]
        nn.utils.clip_grads_with_norm_(parameters, 0.01, total)
    else:
        nn.utils.clip_grad_norm_(parameters[:2], 0.01)
        nn.utils.clip_grad_norm_(parameters[2:], max_norm=0.01)
    optimizer.step()
    assert run.scalar("grad_norm_before_clip") == pytest.approx([norm], rel=1e-5)
    assert run.scalar("clip_threshold") == [0.01]
    assert max(row["absmax"] for (kind, _), row in run.rows[0].items() if kind == "gradient") <= 0.0100001


def test_g10_clipping_is_unwrapped_with_the_run(run: Any) -> None:
    """What was wrapped is as it was."""
    functions = ("clip_grad_norm_", "clip_grad_value_", "clip_grads_with_norm_")
    before = [getattr(nn.utils, name) for name in functions]
    model = net()
    watch(model, torch.optim.SGD(model.parameters(), lr=0.1))
    assert [getattr(nn.utils, name) for name in functions] != before
    run.finish()
    assert [getattr(nn.utils, name) for name in functions] == before
    assert nn.utils.clip_grad.clip_grad_norm_ is before[0]


def test_a_model_that_made_but_one_step_is_not_lost(run: Any) -> None:
    """Under ``auditor run`` the first step waits for further optimizers; the next model does not wait for it."""
    install()
    for _ in range(3):
        model = net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        steps(model, optimizer, 1)
        del model, optimizer
        gc.collect()
    assert [step for step, _, _ in run.steps] == [1, 2]
    run.finish()
    assert [step for step, _, _ in run.steps] == [1, 2, 3]


def test_a_step_that_is_under_way_at_the_end_is_delivered(run: Any) -> None:
    """An optimizer that raises in a sampled step, and the run is finished: the gradients were seen."""
    model = net()

    class Faulty(torch.optim.SGD):
        def step(self, _closure: Any = None) -> Any:
            raise RuntimeError("no")

    watch(model, optimizer := Faulty(model.parameters(), lr=0.1))
    model(torch.ones(1, 3)).sum().backward()
    with pytest.raises(RuntimeError, match="no"):
        optimizer.step()
    assert run.steps == []
    run.finish()
    assert [step for step, _, _ in run.steps] == [1]
    assert ("gradient", "fc1.weight") in run.rows[0]


def test_evaluations_of_a_closure_are_counted(run: Any) -> None:
    """LBFGS evaluates several times within one step; the update is read around all of it."""
    model = net()
    watch(model, optimizer := torch.optim.LBFGS(model.parameters(), max_iter=4))

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = model(torch.ones(4, 3)).square().mean()
        loss.backward()
        return loss

    for _ in range(2):
        optimizer.step(closure)  # type: ignore[arg-type]
    assert len(run.steps) == 2
    assert all(count > 1 for count in run.scalar("evaluations"))


def test_both_models_of_a_gan_are_watched_in_an_unmodified_script(run: Any) -> None:
    """Two optimizers, a model each: gradients under names of their own, each loss with its optimizer."""
    install()
    torch.manual_seed(0)
    critic, generator = (nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 2)) for _ in range(2))
    first, second = (torch.optim.SGD(model.parameters(), lr=0.1) for model in (critic, generator))
    losses: list[tuple[float, float]] = []
    for _ in range(4):
        first.zero_grad()
        fake = critic(generator(torch.randn(3, 2)).detach()).square().mean()
        fake.backward()
        first.step()
        second.zero_grad()
        real = -critic(generator(torch.randn(3, 2))).square().mean()
        real.backward()
        second.step()
        losses.append((fake.item(), real.item()))
    run.finish()
    assert [number for number, _, _ in run.steps] == [1, 2, 3, 4]
    assert list(zip(run.scalar("loss"), run.scalar("loss/1"), strict=True)) == losses
    own = {"0.weight", "0.bias", "2.weight", "2.bias"}
    for row in run.rows:
        names = {name for kind, name in row if kind == "gradient"}
        assert names == own | {f"Sequential1.{name}" for name in own}
    watched = run.rows[-1]["gradient", "Sequential1.0.weight"]["l2"]
    assert watched == pytest.approx(generator[0].weight.grad.norm().item(), rel=1e-5)
