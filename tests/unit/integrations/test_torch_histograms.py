"""Histograms of gradients from PyTorch loops: every count as the definition has it, the training untouched."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.capture.budget import EVERY
from auditor_agent.integrations.torch.audit import watch
from support.reference import histogram


def occupied(tensor: Tensor) -> dict[int, int]:
    """The occupied bins of a tensor's histogram."""
    return {bin_: count for bin_, count in enumerate(histogram(tensor.double().numpy())) if count}


def train(steps: int, **options: Any) -> tuple[nn.Module, dict[int, dict[str, Tensor]]]:
    """Train a small model; it, and its gradients by step."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(40, 30), nn.ReLU(), nn.Linear(30, 3))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-3)
    if options.pop("watched", True):
        watch(model, optimizer, **options)
    seen = {}
    for step in range(1, steps + 1):
        optimizer.zero_grad()
        (model(torch.randn(8, 40)).square().mean() * 10.0 ** -(step % 9)).backward()
        seen[step] = {name: parameter.grad.clone() for name, parameter in model.named_parameters()}
        optimizer.step()
    return model, seen


@pytest.mark.parametrize("recorded", ["0", "20"])
def test_every_gradient_at_every_step_is_counted(run: Any, monkeypatch: pytest.MonkeyPatch, recorded: str) -> None:
    """Whether the step goes the short way or the long one."""
    monkeypatch.setenv("AUDITOR_RECORD_STEPS", recorded)
    monkeypatch.setenv("AUDITOR_HISTOGRAMS", "1")
    _, seen = train(EVERY + 3)
    assert len(run.steps) == EVERY + 3
    for name in seen[1]:
        assert run.counted["gradient", name] == {step: occupied(tensors[name]) for step, tensors in seen.items()}


def test_every_nth_step_by_argument(run: Any) -> None:
    """And the first; the argument beats the environment's 0."""
    train(12, histograms=5)
    assert len(run.steps) == 12
    assert {tuple(steps) for steps in run.counted.values()} == {(1, 5, 10)}


def test_none_unless_asked_for(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither by default nor where the argument says 0."""
    train(3)
    monkeypatch.setenv("AUDITOR_HISTOGRAMS", "1")
    train(3, histograms=0)
    assert run.counted == {}


def test_training_is_bit_identical(run: Any) -> None:
    """With them as without an auditor."""
    with_them, _ = train(8, histograms=1)
    without, _ = train(8, watched=False)
    for one, other in zip(with_them.parameters(), without.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("fused", [False, True])
def test_histograms_are_those_of_the_unscaled_gradients(run: Any, fused: bool) -> None:
    """Also where a fused optimizer unscales for itself."""
    torch.manual_seed(0)
    model = nn.Linear(50, 4)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0, fused=fused)
    watch(model, optimizer, histograms=1)
    batch = torch.randn(6, 50)
    (gradient,) = torch.autograd.grad(model(batch).square().mean(), model.weight)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    for _ in range(2):
        optimizer.zero_grad()
        scaler.scale(model(batch).square().mean()).backward()
        scaler.step(optimizer)
        scaler.update()
    assert len(run.steps) == 2
    assert run.counted["gradient", "weight"] == {1: occupied(gradient), 2: occupied(gradient)}


def test_several_optimizers_and_sparse_gradients(run: Any) -> None:
    """One record, the histograms of all; what a sparse gradient does not store is not counted."""
    torch.manual_seed(0)
    embedding, linear = nn.Embedding(10, 4, sparse=True), nn.Linear(4, 1)
    model = nn.ModuleList([embedding, linear])
    optimizers = [torch.optim.SGD(embedding.parameters(), lr=0.1), torch.optim.SGD(linear.parameters(), lr=0.1)]
    watch(model, optimizers, histograms=1)
    linear(embedding(torch.tensor([1, 2]))).sum().backward()
    stored, whole = embedding.weight.grad.coalesce().values().clone(), linear.weight.grad.clone()
    for optimizer in optimizers:
        optimizer.step()
    run.finish()
    assert run.counted["gradient", "0.weight"] == {1: occupied(stored)}
    assert run.counted["gradient", "1.weight"] == {1: occupied(whole)}


def test_non_finite_gradients_keep_their_histograms(run: Any) -> None:
    """Infinities in the last bin, NaN in none."""
    model = nn.Linear(3, 1)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.0)
    watch(model, optimizer, histograms=1)
    model.weight.grad = torch.tensor([[torch.nan, -torch.inf, 1.0]])
    optimizer.step()
    run.finish()
    assert run.counted["gradient", "weight"] == {1: {40: 1, 63: 1}}
