"""The flight recorder in PyTorch loops: what it records explains what the optimizer did."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.audit import install, watch
from support.recordings import assembled

Loss = Callable[[Tensor, Tensor], Tensor]
LR = 1e-2


def train(
    optimizer: Callable[[Any], torch.optim.Optimizer],
    loss_fn: Loss = nn.functional.mse_loss,
    *,
    steps: int = 25,
    watched: bool = True,
    wide: int = 8,
    target: Callable[[Tensor], Tensor] = lambda y: y,
) -> list[float]:
    """Train a small regression; the losses that the script sees."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, wide), nn.Tanh(), nn.Linear(wide, 1))
    made = optimizer(model.parameters())
    if watched:
        watch(model, made)
    noise = torch.Generator().manual_seed(1)
    losses = []
    for _ in range(steps):
        x, y = torch.randn(10, 6, generator=noise), torch.randn(10, 1, generator=noise)
        made.zero_grad()
        loss = loss_fn(model(x), target(y))
        loss.backward()
        made.step()
        losses.append(loss.item())
    return losses + [p.double().sum().item() for p in model.parameters()]


def adam(parameters: Any) -> torch.optim.Optimizer:
    """Adam as in the tests' arithmetic."""
    return torch.optim.Adam(parameters, lr=LR, betas=(0.9, 0.99), eps=1e-6)


def test_recomputing_adam_in_float64_gives_the_recorded_weights(run: Any) -> None:
    """From recorded weights and gradients alone, to rounding; likewise the recorded moments."""
    train(adam)
    steps = assembled(run.recordings)
    assert [step.step for step in steps] == list(range(1, 21))
    worst = 0.0
    moments: dict[str, tuple[Any, Any]] = {}
    for t, step in enumerate(steps, 1):
        assert step.complete
        assert step.left_out == {}
        weights = step.of("weight")
        assert set(weights) == {"0.weight", "0.bias", "2.weight", "2.bias"}
        for name, weight in weights.items():
            w, g = (np.asarray(x.values, np.float64) for x in (weight, step.of("gradient")[name]))
            m, v = moments.get(name, (np.zeros_like(w), np.zeros_like(w)))
            m, v = 0.9 * m + 0.1 * g, 0.99 * v + 0.01 * g * g
            moments[name] = m, v
            predicted = w - LR * (m / (1 - 0.9**t)) / (np.sqrt(v / (1 - 0.99**t)) + 1e-6)
            updated = step.of("updated")[name].values
            assert updated is not None
            worst = max(worst, float(np.abs(predicted - updated).max()))
            np.testing.assert_allclose(step.of("state.exp_avg")[name].values, m, rtol=1e-5, atol=1e-7)
            np.testing.assert_allclose(step.of("state.exp_avg_sq")[name].values, v, rtol=1e-5, atol=1e-9)
            assert step.of("state.step")[name].whole() == t
        assert step.scalars["lr"] == LR
    assert worst < 1e-6


def test_recomputing_momentum_with_coupled_decay_gives_the_recorded_weights(run: Any) -> None:
    """SGD, from samples where the tensors are sampled: its rule works element by element."""
    train(lambda p: torch.optim.SGD(p, lr=LR, momentum=0.9, weight_decay=0.1), wide=600)
    buffers: dict[str, Any] = {}
    steps = assembled(run.recordings)
    assert steps[-1].of("weight")["0.weight"].sampled
    for step in steps[3:]:
        for name, weight in step.of("weight").items():
            w, g = (np.asarray(x.values, np.float64) for x in (weight, step.of("gradient")[name]))
            if name in buffers:
                buffer = 0.9 * buffers[name] + g + 0.1 * w
                np.testing.assert_allclose(step.of("updated")[name].values, w - LR * buffer, rtol=0, atol=1e-6)
            buffers[name] = np.asarray(step.of("state.momentum_buffer")[name].values, np.float64)


def test_the_recorded_loss_is_that_of_the_recorded_output_and_target(run: Any) -> None:
    """The very float of the script, recomputed; the gradient of the bias as well, from step 1 on."""
    losses = train(adam)
    for step, loss in zip(assembled(run.recordings), losses, strict=False):
        output, target = step.of("output")["MseLoss.input"].whole(), step.of("target")["loss.target"].whole()
        assert step.scalars["loss"] == loss
        assert np.mean((output.astype(np.float64) - target) ** 2) == pytest.approx(loss, rel=1e-6)
        assert 2 * np.mean(output - target) == pytest.approx(step.of("gradient")["2.bias"].whole()[0], rel=1e-4)
        assert [array.shape for array in step.of("batch").values()] == [(10, 6)]
        assert np.array_equal(step.of("output")["output0"].whole(), output)
        assert (step.facts["phase"], step.facts["training"]) == ("train", "true")
        assert {k: step.facts["loss"][k] for k in ("operation", "reduction", "broadcast")} == {
            "operation": "MseLoss",
            "reduction": "mean",
            "broadcast": False,
        }


def hand_written(output: Tensor, target: Tensor) -> Tensor:
    """As in many a script."""
    return ((output - target) ** 2).mean()


def the_other_way_round(output: Tensor, target: Tensor) -> Tensor:
    """The same with the difference turned."""
    return (target - output).pow(2).sum() / 10


@pytest.mark.parametrize("loss_fn", [hand_written, the_other_way_round])
def test_a_broadcast_in_a_hand_written_loss_is_visible(run: Any, loss_fn: Loss) -> None:
    """(B, 1) against (B,): the shapes before, the (B, B) of the difference, and its values."""
    train(adam, loss_fn, target=lambda y: y[:, 0])
    step = assembled(run.recordings)[0]
    facts = step.facts["loss"]
    assert facts["broadcast"] is True
    assert facts["output_shape"] == [10, 1]
    assert facts["shape"] == [10, 10]
    assert facts["reduction"] == ("mean" if loss_fn is hand_written else "sum")
    difference = step.of("output")["Pow.input"].whole().astype(np.float64)
    assert difference.shape == (10, 10)
    scale = 1.0 if loss_fn is hand_written else 10.0
    assert np.mean(difference**2) * scale == pytest.approx(step.scalars["loss"], rel=1e-6)


def test_without_a_broadcast_none_is_claimed(run: Any) -> None:
    """The healthy twin of the above."""
    train(adam, hand_written)
    facts = assembled(run.recordings)[0].facts["loss"]
    assert facts["broadcast"] is False
    assert facts["output_shape"] == facts["shape"] == [10, 1]


@pytest.mark.filterwarnings("ignore:Using a target size")
def test_a_broadcast_in_mse_loss_is_visible(run: Any) -> None:
    """The library's own expansion is undone."""
    train(adam, nn.MSELoss(), target=lambda y: y[:, 0])
    facts = assembled(run.recordings)[0].facts["loss"]
    assert (facts["output_shape"], facts["target_shape"], facts["broadcast"]) == ([10, 1], [1, 10], True)


def classified(output: Tensor, target: Tensor) -> Tensor:
    """Cross entropy of three classes made of the one output."""
    logits = torch.cat([output, -output, output * 0], 1)
    return nn.functional.cross_entropy(logits, (target[:, 0] > 0).long(), reduction="sum")


def test_cross_entropy_is_named_with_its_reduction_and_target(run: Any) -> None:
    """Class numbers as target, log probabilities to recompute it from."""
    train(adam, classified)
    step = assembled(run.recordings)[0]
    assert step.facts["loss"]["operation"] == "CrossEntropy"
    assert step.facts["loss"]["reduction"] == "sum"
    labels, logs = step.of("target")["loss.target"].whole(), step.of("output")["NllLoss.input"].whole()
    assert -logs[np.arange(10), labels].sum() == pytest.approx(step.scalars["loss"], rel=1e-6)


def test_penalties_name_the_parameters_they_are_made_of(run: Any) -> None:
    """The graph tells data loss and penalty apart, with the penalty's factor."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    x, y = torch.ones(4, 3), torch.zeros(4, 1)
    for _ in range(2):
        (nn.functional.mse_loss(model(x), y) + 0.25 * (model.weight**2).sum()).backward()
        optimizer.step()
    facts = assembled(run.recordings)[1].facts["loss"]
    assert facts["operation"] == "MseLoss"
    nodes = facts["graph"]
    assert [node["op"] for node in nodes if "weight" in node["inputs"]] == ["Pow"]
    assert any(node["op"] == "Mul" and node.get("other") == 0.25 for node in nodes)
    assert "output0" in nodes[1]["inputs"] + nodes[2]["inputs"]


def test_g5_training_is_bit_identical(run: Any) -> None:
    """Losses, weights and the state of the generator, with and without."""
    plain = train(adam, watched=False)
    state = torch.get_rng_state()
    assert train(adam) == plain
    assert torch.equal(torch.get_rng_state(), state)
    assert len(run.recordings) == 20


def test_after_the_last_recorded_step_nothing_is_left(run: Any) -> None:
    """No hook behind the model, no tensor held, and the loop goes on."""
    model = nn.Linear(2, 1)
    optimizer = adam(model.parameters())
    watch(model, optimizer)
    for _ in range(22):
        x = torch.randn(4, 2)
        seen = weakref.ref(x)
        model(x).mean().backward()
        optimizer.step()
        optimizer.zero_grad()
    del x
    gc.collect()
    assert seen() is None
    assert len(run.recordings) == 20
    assert not model._forward_hooks


def test_between_steps_the_model_has_one_hook_and_its_layers_none(run: Any) -> None:
    """Put on after step 1, taken off with the run; those behind the layers are there only within a pass."""
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = adam(model.parameters())
    watch(model, optimizer)
    hooks = []
    for _ in range(22):
        model(torch.ones(4, 2)).mean().backward()
        optimizer.step()
        modules = list(model.modules())
        hooks.append((len(model._forward_pre_hooks), sum(len(module._forward_hooks) for module in modules)))
    assert hooks == [(1, 0)] * 22
    run.finish()
    assert not model._forward_pre_hooks


def test_watching_another_model_ends_the_recording_of_the_first(run: Any) -> None:
    """Its optimizer may step on; its steps are no part of the run any more."""
    old, new = nn.Linear(2, 1), nn.Linear(3, 1)
    first, second = adam(old.parameters()), adam(new.parameters())
    watch(old, first)
    watch(new, second)
    for model, optimizer in ((old, first), (new, second)):
        model(torch.ones(4, model.in_features)).mean().backward()
        optimizer.step()
    assert [recording.step for recording in run.recordings] == [1]
    assert assembled(run.recordings)[0].of("weight")["weight"].shape == (1, 3)


@pytest.mark.parametrize("zeroed", [True, False])
def test_a_gradient_that_nobody_zeroed_is_found_as_the_next_pass_begins(run: Any, *, zeroed: bool) -> None:
    """What is left of the last step's, before anything is added to it."""
    model = nn.Linear(3, 1)
    made = torch.optim.SGD(model.parameters(), lr=1e-3)
    watch(model, made)
    for _ in range(4):
        if zeroed:
            made.zero_grad(set_to_none=False)
        (model(torch.ones(5, 3)) - 7).square().mean().backward()
        made.step()
    steps = assembled(run.recordings)
    left = [step.scalars["carried"] for step in steps]
    biases = [float(np.asarray(step.of("gradient")["bias"].values)[0]) for step in steps]
    assert left == ([0.0] * 4 if zeroed else [0.0, *map(abs, biases[:-1])])


def test_evaluations_between_steps_are_not_batches(run: Any) -> None:
    """What is evaluated without a gradient is no training data; micro-batches each are."""
    model = nn.Linear(2, 1)
    optimizer = adam(model.parameters())
    watch(model, optimizer)
    for _ in range(2):
        for value in (1.0, 2.0):
            (model(torch.full((3, 2), value)).mean() / 2).backward()
        with torch.no_grad():
            model(torch.full((3, 2), 9.0))
        optimizer.step()
        optimizer.zero_grad()
    step = assembled(run.recordings)[1]
    assert {name: array.whole()[0, 0] for name, array in step.of("batch").items()} == {"input0": 1.0, "input0@1": 2.0}
    assert set(step.scalars) == {"carried", "loss", "loss@1", "lr"}


def test_a_large_model_takes_little(run: Any) -> None:
    """Five megabytes of parameters: every tensor of every step, in samples."""
    train(lambda p: torch.optim.AdamW(p, lr=LR), wide=160_000, steps=4)
    steps = assembled(run.recordings)
    assert all(step.left_out == {} and len(step.of("weight")) == 4 for step in steps)
    assert max(recording.nbytes for recording in run.recordings) < 250_000
    assert steps[1].of("weight")["0.weight"].indices[-1] == 160_000 * 6 - 1


def test_bfloat16_weights_come_back_as_the_numbers_they_are(run: Any) -> None:
    """Two bytes on the wire, float32 to the reader."""
    model = nn.Linear(3, 1, dtype=torch.bfloat16)
    before = model.weight.detach().float().numpy().copy()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    watch(model, optimizer)
    model(torch.ones(2, 3, dtype=torch.bfloat16)).sum().backward()
    optimizer.step()
    weight = assembled(run.recordings)[0].of("weight")["weight"]
    assert weight.dtype == "bfloat16"
    assert weight.whole().tolist() == before.tolist()


def test_the_first_step_of_an_unwatched_script_has_its_loss(run: Any) -> None:
    """Under ``auditor run``: weights, gradients, loss and batch from the very first step."""
    install()
    train(adam, hand_written, watched=False, target=lambda y: y[:, 0])
    first, second = assembled(run.recordings)[:2]
    assert (first.step, set(first.of("weight"))) == (1, set(first.of("gradient")))
    assert first.facts["loss"]["broadcast"] is True
    assert first.of("output")["Pow.input"].shape == (10, 10)
    for step in (first, second):
        assert step.of("batch")["input0"].shape == (10, 6)
        assert step.of("output")["output0"].shape == (10, 1)


@pytest.mark.slow
def test_g4_a_compiled_model_keeps_its_one_frame(run: Any) -> None:
    """No hook of the recorder's is on the model; the loss tells output and target all the same."""
    import torch._dynamo
    from torch._dynamo.testing import CompileCounter

    def frames(*, watched: bool) -> int:
        torch._dynamo.reset()
        counter = CompileCounter()
        torch.manual_seed(0)
        model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 1))
        compiled = torch.compile(model, backend=counter, fullgraph=True)
        optimizer = adam(model.parameters())
        if watched:
            watch(compiled, optimizer)
        for _ in range(24):
            nn.functional.mse_loss(compiled(torch.ones(3, 4)), torch.zeros(3, 1)).backward()
            optimizer.step()
            optimizer.zero_grad()
        return int(counter.frame_count)

    assert frames(watched=True) == frames(watched=False)
    for step in assembled(run.recordings):
        assert {name: array.shape for name, array in step.of("output").items()} == {"MseLoss.input": (3, 1)}
        assert step.of("target")["loss.target"].shape == (3, 1)
        assert step.of("batch") == {}


def test_zero_steps_record_nothing(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """For those whose data must not leave the process."""
    monkeypatch.setenv("AUDITOR_RECORD_STEPS", "0")
    train(adam)
    assert run.recordings == []


def test_the_manifest_is_told_what_was_seen(run: Any) -> None:
    """Initial weights by their rule, batches, the loss; decay, epsilon and running statistics in canonical units."""
    data = torch.utils.data.TensorDataset(torch.randn(20, 6), torch.randn(20, 1))
    loader = torch.utils.data.DataLoader(data, batch_size=8, shuffle=True)
    model = nn.Sequential(nn.Linear(6, 64), nn.BatchNorm1d(64), nn.Linear(64, 1))
    optimizer = torch.optim.Adam(model.parameters(), weight_decay=0.1)
    watch(model, optimizer)
    for _ in range(7):
        for x, y in loader:
            nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
            optimizer.zero_grad()
    weights = run.observed["observed"]["weights"]
    assert "uniform(1/sqrt(fan_in))" in weights["0.weight"]["formulas"]
    assert weights["1.weight"]["distribution"] == "ones"
    seen = run.observed["observed"]["data"]
    assert (seen["steps"], seen["batch_size"], seen["partial_batches"]) == (20, 8, [4])
    assert run.observed["observed"]["loss"]["operation"] == "MseLoss"
    canonical = run.observed["canonical"]
    assert canonical["update"][0]["decay_coupling"] == "coupled"
    assert canonical["normalization"]["1"]["decay"] == pytest.approx(0.9)
    told = {"batch_size": 8, "drop_last": False, "shuffle": True, "samples": 20, "workers": 0}
    assert told in canonical["loaders"]


def test_what_is_left_over_is_asked_of_what_the_optimizer_holds(run: Any) -> None:
    """A layer that was put in after the optimizer was made: its gradients pile up, and no step is made of them."""
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 9))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    model[2] = nn.Linear(4, 1)
    watch(model, optimizer)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(5, 3)).square().mean().backward()
        optimizer.step()
    run.finish()
    steps = assembled(run.recordings)
    assert [step.scalars["carried"] for step in steps] == [0.0] * 4
    assert all(np.abs(step.arrays["gradient", "2.weight"].whole()).max() > 0 for step in steps)
