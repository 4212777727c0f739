"""The signals of docs/signals.md in PyTorch loops: modes, evaluations, batches, layers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch.audit import watch
from auditor_agent.integrations.torch.mode import mode
from auditor_agent.integrations.torch.units import output_activation
from support.recordings import assembled


class Net(nn.Module):
    """A layer under a function, one that drops, one that normalizes."""

    def __init__(self) -> None:
        super().__init__()
        self.fc1, self.norm, self.drop, self.fc2 = nn.Linear(6, 8), nn.BatchNorm1d(8), nn.Dropout(0.5), nn.Linear(8, 3)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        hidden: Tensor = functional.relu(self.fc1(x))
        return self.fc2(self.drop(self.norm(hidden)))  # type: ignore[no-any-return]


Each = Callable[[int, nn.Module], object]


def train(steps: int, *, before: Each = lambda *_: None, after: Each = lambda *_: None) -> Net:
    """Train on noise; ``before`` and ``after`` are called with the number and the model around each step."""
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    watch(model, optimizer)
    for step in range(1, steps + 1):
        before(step, model)
        optimizer.zero_grad()
        functional.cross_entropy(model(torch.randn(4, 6)), torch.randint(3, (4,))).backward()
        optimizer.step()
        after(step, model)
    return model


def evaluate(model: nn.Module, batches: int = 3) -> list[float]:
    """Losses of some batches, without gradients."""
    losses = []
    with torch.no_grad():
        for _ in range(batches):
            output = model(torch.randn(5, 6))
            losses.append(functional.cross_entropy(output, torch.randint(3, (5,))).item())
    return losses


def modes(run: Any) -> list[tuple[int, str, str, list[str]]]:
    """Step, phase, training, modules of each event."""
    return [(e["step"], e["phase"], e["training"], e["modules"]) for e in run.events if e["type"] == "mode"]


def test_the_mode_is_told_once_for_training_and_once_for_evaluation(run: Any) -> None:
    """A healthy script: two events however often it evaluates."""

    def after(step: int, model: nn.Module) -> None:
        if step % 10 == 0:
            model.eval()
            evaluate(model)
            model.train()

    train(60, after=after)
    assert modes(run) == [(1, "train", "true", []), (10, "eval", "false", [])]


def test_an_evaluation_in_training_mode_names_the_layers_that_differ(run: Any) -> None:
    """``model.eval()`` was forgotten."""
    train(12, after=lambda step, model: evaluate(model) if step == 10 else None)
    assert modes(run)[1:] == [(10, "eval", "true", ["norm", "drop"])]
    assert next(e for e in run.events if e.get("phase") == "eval")["kinds"] == ["BatchNorm1d", "Dropout"]


def test_training_in_evaluation_mode_is_told_at_its_first_step(run: Any) -> None:
    """``model.train()`` was forgotten after an evaluation, between sampled steps."""

    def after(step: int, model: nn.Module) -> None:
        if step == 30:
            evaluate(model.eval())

    train(35, after=after)
    assert modes(run) == [(1, "train", "true", []), (30, "eval", "false", []), (31, "train", "false", ["norm", "drop"])]


def test_a_frozen_normalization_is_mixed(run: Any) -> None:
    """Fine-tuning on purpose: the module in the other mode is named, the rule decides."""
    train(3, before=lambda _, model: model.get_submodule("norm").eval())
    assert modes(run) == [(1, "train", "mixed", ["norm"])]


def test_an_evaluation_that_keeps_its_gradients_is_no_training_in_evaluation_mode(run: Any) -> None:
    """No step follows it; neither mode nor batch of the next step is spoiled."""

    def after(step: int, model: nn.Module) -> None:
        if step == 10:
            model.eval()
            model(torch.randn(7, 6))
            model.train()

    train(14, after=after)
    assert modes(run) == [(1, "train", "true", [])]
    assert run.scalar("samples") == [4.0] * 13


def test_an_evaluation_tells_its_batches_and_its_loss(run: Any) -> None:
    """The mean over the batches, at the step after which it was made; the functions are put back."""
    losses: list[float] = []
    original = functional.cross_entropy

    def after(step: int, model: nn.Module) -> None:
        if step in {10, 20}:
            losses.append(float(np.mean(evaluate(model.eval()))))
            model.train()

    train(25, after=after)
    run.finish()
    assert [log["val_loss"] for log in run.logs] == pytest.approx(losses)
    events = [(e["step"], e["batches"], e["samples"]) for e in run.events if e["type"] == "evaluation"]
    assert events == [(10, 3, 15), (20, 3, 15)]
    assert functional.cross_entropy is original


def test_a_loss_that_is_named_before_the_model_is_called_is_missed_once(run: Any) -> None:
    """``F.mse_loss(model(x), y)``: the first batch of all; the event says how many losses were heard."""

    def after(step: int, model: nn.Module) -> None:
        if step in {3, 6}:
            with torch.no_grad():
                for _ in range(3):
                    functional.cross_entropy(model(torch.randn(5, 6)), torch.randint(3, (5,)))

    train(8, after=after)
    assert [(e["batches"], e["losses"]) for e in run.events if e["type"] == "evaluation"] == [(3, 2), (3, 3)]


def test_an_evaluation_at_the_end_is_told_when_the_run_finishes(run: Any) -> None:
    """Nothing trains after it."""
    model = train(8)
    mean = float(np.mean(evaluate(model.eval())))
    run.finish()
    assert run.logs == [{"val_loss": pytest.approx(mean)}]


def test_a_model_that_acts_between_all_steps_is_not_evaluated(run: Any) -> None:
    """Reinforcement learning, a teacher: after a few, nothing more is told of it."""
    train(60, before=lambda _, model: evaluate(model, 1))
    assert 0 < len([e for e in run.events if e["type"] == "evaluation"]) <= 10


def test_g5_evaluations_change_nothing(run: Any) -> None:
    """Losses of training and evaluation to the bit, with and without."""
    outcomes = []
    for watched in (False, True):
        torch.manual_seed(0)
        model = Net()
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        if watched:
            watch(model, optimizer)
        losses = []
        for step in range(120):
            optimizer.zero_grad()
            loss = functional.cross_entropy(model(torch.randn(4, 6)), torch.randint(3, (4,)))
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
            if step % 7 == 0:
                losses += evaluate(model.eval())
                model.train()
        outcomes.append((losses, torch.get_rng_state().tolist()))
    assert outcomes[0] == outcomes[1]
    assert run.recordings


def test_equal_batches_have_equal_digests(run: Any) -> None:
    """At every step from the second on; another batch, another digest."""
    batches = [torch.randn(4, 3) for _ in range(3)]
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for _ in range(5):
        for batch in batches:
            model(batch).sum().backward()
            optimizer.step()
    digests = run.scalar("batch_digest")
    assert len(digests) == 14
    assert digests[1:4] == digests[4:7]
    assert len(set(digests)) == 3
    assert all(digest == int(digest) < 2**53 for digest in digests)
    assert run.scalar("samples") == [4.0] * 14


def test_a_bfloat16_batch_has_a_digest_and_micro_batches_have_one_together(run: Any) -> None:
    """Token numbers, half precision, two batches a step."""
    model = nn.Linear(3, 1, dtype=torch.bfloat16)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    one, two = (torch.randn(4, 3, dtype=torch.bfloat16) for _ in range(2))
    for first, second in ((one, two), (one, two), (one, two), (two, one)):
        for batch in (first, second):
            model(batch).sum().backward()
        optimizer.step()
    assert run.scalar("samples") == [8.0] * 3
    a, b, c = run.scalar("batch_digest")
    assert a == b != c


def test_units_that_a_function_makes_zero_are_dead(run: Any) -> None:
    """``F.relu(self.fc1(x))``: the share is told under the layer's name."""

    def before(step: int, model: nn.Module) -> None:
        if step == 1:
            with torch.no_grad():
                model.get_submodule("fc1").bias[:2] = -1000.0

    train(3, before=before)
    assert min(run.scalar("dead_units/fc1")) >= 0.25
    assert all(0 <= share < 1 for share in run.scalar("dead_units/fc1"))


def test_layers_are_recorded_after_their_activation(run: Any) -> None:
    """In execution order, with what stands behind them; four numbers of each unit, and some samples."""
    torch.manual_seed(0)
    model = Net()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watch(model, optimizer)
    x = torch.randn(4, 6)
    for _ in range(2):
        functional.cross_entropy(model(x), torch.zeros(4, dtype=torch.long)).backward()
        optimizer.step()
    step = assembled(run.recordings)[1]
    layers = [(layer["name"], layer["kind"], layer["activation"]) for layer in step.facts["layers"]]
    assert layers == [
        ("fc1", "Linear", "relu"),
        ("norm", "BatchNorm1d", None),
        ("drop", "Dropout", None),
        ("fc2", "Linear", None),
    ]
    hidden = torch.relu(model.fc1(x)).detach().numpy()
    np.testing.assert_allclose(step.of("activation")["fc1"].whole(), hidden, rtol=1e-5)
    units = step.of("units")["fc1"].whole()
    expected = np.stack([hidden.mean(0), hidden.std(0), hidden.min(0), hidden.max(0)])
    np.testing.assert_allclose(units, expected, rtol=1e-5, atol=1e-6)
    assert step.facts["output_activation"] == "linear"


def test_channels_of_images_are_units_and_many_samples_are_thinned(run: Any) -> None:
    """(N, C, H, W): a unit is a channel, its samples all places of all images."""
    model = nn.Sequential(nn.Conv2d(3, 5, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2), nn.Softmax(1))
    x = torch.randn(4, 3, 16, 16)
    model(x)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watch(model, optimizer)
    for _ in range(2):
        model(x).square().sum().backward()
        optimizer.step()
    step = assembled(run.recordings)[1]
    assert step.of("units")["1"].shape == (4, 5)
    assert step.of("activation")["1"].shape == (64, 5)
    with torch.no_grad():
        expected = model[1](model[0](x)).amax((0, 2, 3)).numpy()
    np.testing.assert_allclose(step.of("units")["1"].whole()[3], expected, rtol=1e-5)
    assert [layer["activation"] for layer in step.facts["layers"]] == [None, "relu", None, None, "softmax"]
    assert step.facts["output_activation"] == "softmax"


@pytest.mark.parametrize("shape", [lambda y: y.squeeze(1), lambda y: y[:, 0], lambda y: y.view(2, 2), lambda y: y.T])
def test_the_last_activation_is_seen_behind_another_shape(shape: Any) -> None:
    """``torch.sigmoid(self.head(x)).squeeze(1)`` ends in a sigmoid."""
    given = torch.randn(4, 1, requires_grad=True)
    assert output_activation(shape(torch.sigmoid(given))) == "sigmoid"
    assert output_activation(shape(torch.sigmoid(given)) * 2) is None


def test_probe_steps_are_recorded_and_the_evaluation_after_one(run: Any) -> None:
    """Steps 50 and 100 of a long run; the evaluation's batch with its output, target and loss, as a recording apart."""

    def after(step: int, model: nn.Module) -> None:
        if step in {50, 70, 100}:
            evaluate(model.eval())
            model.train()

    train(105, after=after)
    steps = assembled(run.recordings)
    assert [step.step for step in steps] == [*range(1, 21), 50, 100]
    assert all(step.complete and step.left_out == {} for step in steps)
    assert steps[-1].of("batch")["input0"].shape == (4, 6)
    evaluations = assembled(run.recordings, "eval")
    assert [one.step for one in evaluations] == [50, 100]
    one = evaluations[0]
    assert (one.facts["phase"], one.facts["training"]) == ("eval", "false")
    assert {array.shape for array in one.of("batch").values()} == {(5, 6)}
    logits, labels = (
        torch.tensor(one.of("output")["output0"].whole()),
        torch.tensor(one.of("target")["loss.target"].whole()),
    )
    assert functional.cross_entropy(logits, labels).item() == pytest.approx(one.scalars["loss"])
    assert set(one.of("units")) == {"fc1", "norm", "drop", "fc2"}
    assert one.of("weight") == {}


def test_weights_after_a_recorded_evaluation_are_there(run: Any) -> None:
    """They would refer to the step before; the recording in between does not break that."""

    def after(step: int, model: nn.Module) -> None:
        if step == 10:
            evaluate(model.eval())
            model.train()

    train(12, after=after)
    steps = assembled(run.recordings)
    assert len(assembled(run.recordings, "eval")) == 1
    assert all(step.left_out == {} and len(step.of("weight")) == 6 for step in steps)


def test_g7_patterns_of_missing_gradients_without_end_have_one_layout(
    run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As with layers that are left out at random: beyond so many patterns an absent tensor counts no element."""
    monkeypatch.setattr("auditor_agent.integrations.torch.part.MOST_PATTERNS", 3)
    model = nn.ModuleList(nn.Linear(2, 1, bias=False) for _ in range(5))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for step in range(1, 32):
        optimizer.zero_grad()
        sum(layer(torch.ones(1, 2)).sum() for at, layer in enumerate(model) if step >> at & 1).backward()
        optimizer.step()
    for step, row in enumerate(run.rows, 1):
        there = {f"{at}.weight" for at in range(5) if step >> at & 1}
        assert {name for (kind, name), found in row.items() if kind == "gradient" and found["count"]} == there
        assert all(row["gradient", name]["l2"] == pytest.approx(2**0.5) for name in there)
    plain = [layout for layout in run.layouts if all(run.table[tensor][0] == "gradient" for tensor in layout)]
    assert len(set(plain)) <= 3 + 2


def test_the_mode_of_the_whole_model_is_told_beside_that_of_its_layers() -> None:
    """A normalisation that is turned by itself leaves the model in training mode; ``eval()`` does not."""
    model = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4))
    model[1].eval()
    assert {name: mode(model, training=True)[name] for name in ("training", "whole")} == {
        "training": "false",
        "whole": True,
    }
    assert mode(model, training=True)["norms"] == [0, 1]
    model.eval()
    assert mode(model, training=True)["whole"] is False


@pytest.mark.parametrize(
    ("frozen", "evaluates", "told"), [(True, True, "true"), (False, True, "mixed"), (True, False, "true")]
)
def test_what_is_frozen_may_be_in_evaluation_while_the_rest_is_trained(
    frozen: bool, evaluates: bool, told: str
) -> None:
    """A base whose statistics stay as they are, its dropout too; of weights that are trained it is a slip."""
    base = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Dropout(0.5))
    model = nn.Sequential(base, nn.Linear(4, 4), nn.Dropout(0.5))
    base.train(not evaluates)
    for weight in base.parameters():
        weight.requires_grad_(not frozen)
    found = mode(model, training=True)
    assert found["training"] == told
    assert bool(found["modules"]) is (told == "mixed")
