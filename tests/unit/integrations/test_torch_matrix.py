"""The ways in which people train, in one process: numbers right, training the same, graphs whole."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.audit import watch
from auditor_agent.statistics import STATISTICS

STEPS = 12


@dataclass(frozen=True)
class Mode:
    """One way to train."""

    compiled: bool = False
    fullgraph: bool = False
    scaled: bool = False
    autocast: bool = False
    micro_batches: int = 1
    clipped: float | None = None


MODES = {
    "eager": Mode(),
    "compile": Mode(compiled=True),
    "fullgraph": Mode(compiled=True, fullgraph=True),
    "scaler": Mode(scaled=True),
    "autocast": Mode(autocast=True),
    "accumulation": Mode(micro_batches=4),
    "clip": Mode(clipped=0.05),
    "all": Mode(compiled=True, autocast=True, micro_batches=4, clipped=0.05),
}


class Net(nn.Module):
    """Convolution, normalisation and a linear layer whose weight is tied to another's."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4)
        self.fc, self.out = nn.Linear(64, 16), nn.Linear(16, 16)
        self.tied = nn.Linear(16, 16)
        self.tied.weight = self.out.weight
        self.frozen = nn.Linear(16, 16).requires_grad_(requires_grad=False)

    def forward(self, x: Tensor) -> Tensor:
        """Logits."""
        hidden = torch.relu(self.norm(self.conv(x))).flatten(1)
        hidden = torch.dropout(torch.relu(self.fc(hidden)), 0.1, train=True)
        result: Tensor = self.tied(self.frozen(torch.relu(self.out(hidden))))
        return result


def train(mode: Mode, *, watched: bool) -> dict[str, Any]:
    """Train; what the optimizer saw at each step, and what became of the model."""
    torch.manual_seed(0)
    torch._dynamo.reset()
    torch._dynamo.utils.counters.clear()
    model = Net()
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.1, momentum=0.9)
    seen: list[dict[str, Tensor]] = []

    def keep(*_: Any) -> None:
        named = model.named_parameters()
        seen.append({name: p.grad.detach().double().clone() for name, p in named if p.grad is not None})

    optimizer.register_step_pre_hook(keep)
    if watched:
        watch(model, optimizer)
    forward: Callable[[Tensor], Tensor] = model
    if mode.compiled:
        forward = torch.compile(model, backend="aot_eager", fullgraph=mode.fullgraph)
    scaler = torch.amp.GradScaler("cpu", init_scale=256.0) if mode.scaled else None
    cast = torch.autocast("cpu", torch.bfloat16) if mode.autocast else contextlib.nullcontext()
    noise, losses = torch.Generator().manual_seed(1), []
    for _ in range(STEPS):
        optimizer.zero_grad()
        total = 0.0
        for _ in range(mode.micro_batches):
            x, y = torch.randn(8, 1, 4, 4, generator=noise), torch.randint(16, (8,), generator=noise)
            with cast:
                loss = nn.functional.cross_entropy(forward(x), y) / mode.micro_batches
            (loss if scaler is None else scaler.scale(loss)).backward()
            total += loss.item()
        losses.append(total)
        if mode.clipped is not None:
            nn.utils.clip_grad_norm_(model.parameters(), mode.clipped)
        if scaler is None:
            optimizer.step()
        else:
            scaler.step(optimizer)
            scaler.update()
    counters = torch._dynamo.utils.counters
    return {
        "losses": losses,
        "weights": {name: value.tolist() for name, value in model.state_dict().items()},
        "random": torch.get_rng_state().tolist(),
        "frames": {name: dict(counters[name]) for name in ("frames", "stats", "graph_break")},
        "seen": seen,
    }


def reference(x: Tensor) -> dict[str, float]:
    """The twelve statistics of finite float64 values."""
    return {
        "count": x.numel(),
        "nan": 0,
        "inf": 0,
        "zeros": int((x == 0).sum()),
        "mean": x.mean().item(),
        "std": x.std(correction=0).item(),
        "min": x.min().item(),
        "max": x.max().item(),
        "absmax": x.abs().max().item(),
        "l2": x.norm().item(),
        "sum": x.sum().item(),
        "sumsq": x.square().sum().item(),
    }


@pytest.mark.parametrize("name", MODES)
def test_g4_g5_every_way_of_training(run: Any, name: str) -> None:
    """Bit-identical training and frames; the statistics are those of what the optimizer acted on."""
    mode = MODES[name]
    plain = train(mode, watched=False)
    watched = train(mode, watched=True)
    for what in ("losses", "weights", "random", "frames"):
        assert watched[what] == plain[what], what
    assert (not mode.compiled) == (not plain["frames"]["stats"])
    assert [step for step, _, _ in run.steps] == list(range(1, STEPS + 1))
    assert run.scalar("loss") == pytest.approx(watched["losses"], rel=1e-5)
    for row, gradients in zip(run.rows, watched["seen"], strict=True):
        told = {name: values for (kind, name), values in row.items() if kind == "gradient"}
        assert set(told) == set(gradients)
        for parameter, values in told.items():
            expected = reference(gradients[parameter])
            scale = expected["absmax"] * max(1.0, math.sqrt(expected["count"]))
            for statistic in STATISTICS:
                assert values[statistic] == pytest.approx(expected[statistic], rel=1e-5, abs=1e-6 * scale), statistic


def test_tied_and_frozen_parameters_count_once_and_never(run: Any) -> None:
    """A weight that two layers share is one tensor; what is not trained has no gradient."""
    train(MODES["eager"], watched=True)
    gradients = [name for kind, name in run.rows[0] if kind == "gradient"]
    assert "out.weight" in gradients
    assert "tied.weight" not in gradients
    assert not [name for name in gradients if name.startswith("frozen")]


def test_clipping_is_seen_from_both_sides(run: Any) -> None:
    """The norm before it and the threshold, beside the clipped gradients."""
    plain = train(Mode(), watched=False)["seen"]
    train(MODES["clip"], watched=True)
    norm = math.sqrt(sum(float(g.square().sum()) for g in plain[0].values()))
    assert run.scalar("grad_norm_before_clip")[0] == pytest.approx(norm, rel=1e-5)
    assert run.scalar("clip_threshold") == [0.05] * STEPS
    clipped = math.sqrt(sum(row["sumsq"] for (kind, _), row in run.rows[0].items() if kind == "gradient"))
    assert clipped == pytest.approx(0.05, rel=1e-4)


def test_micro_batches_are_counted(run: Any) -> None:
    """How many backward passes made the step."""
    train(MODES["accumulation"], watched=True)
    assert run.scalar("micro_batches") == [4.0] * STEPS
