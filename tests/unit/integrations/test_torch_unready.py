"""Evaluations of layers with spectral norm before their power iteration has run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations
from torch.nn.utils.spectral_norm import SpectralNorm

from auditor_agent.integrations.torch.audit import install, watch

Norm = Callable[[nn.Module], nn.Module]


def critic(norm: Norm = nn.utils.spectral_norm) -> nn.Sequential:
    """Convolutions as in a discriminator."""
    torch.manual_seed(1)
    return nn.Sequential(norm(nn.Conv2d(3, 16, 3)), nn.ReLU(), nn.Flatten(), norm(nn.Linear(16 * 36, 1)))


def look(model: nn.Module, batches: int = 2) -> None:
    """An evaluation."""
    model.eval()
    with torch.no_grad():
        for _ in range(batches):
            model(torch.randn(10, 3, 8, 8))
    model.train()


def train(model: nn.Module, steps: int = 3) -> None:
    """A few steps."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(10, 3, 8, 8)).mean().backward()
        optimizer.step()


def told(run: Any) -> list[dict[str, Any]]:
    """The events that say so."""
    return [event for event in run.events if event["type"] == "unready"]


def test_an_evaluation_long_before_the_run_is_told_once_it_begins(run: Any) -> None:
    """By the layers' names, the worst first, with what was evaluated; once."""
    install()
    model = critic()
    look(model)
    assert not told(run)
    train(model)
    look(model)
    [event] = told(run)
    assert (event["step"], event["kind"], event["passes"], event["samples"]) == (0, "spectral_norm", 2, 20)
    assert sorted(event["layers"]) == ["0", "3"]
    assert event["factors"] == sorted(event["factors"], reverse=True)
    assert event["factors"][-1] > 3


def test_the_factor_is_how_much_too_large_the_weights_are(run: Any) -> None:
    """A lower bound of their largest singular value, which should be 1."""
    install()
    model = nn.Sequential(nn.utils.spectral_norm(nn.Linear(40, 30)), nn.Flatten())
    model.eval()
    with torch.no_grad():
        model(torch.randn(20, 40))
    largest = float(torch.linalg.matrix_norm(model[0].weight, 2))
    model.train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
    model(torch.randn(4, 40)).mean().backward()
    optimizer.step()
    [event] = told(run)
    assert 0.5 * largest < event["factors"][0] <= 1.001 * largest


def test_between_watch_and_the_first_step(run: Any) -> None:
    """A watched model that is evaluated before it is trained."""
    model = critic()
    watch(model, torch.optim.SGD(model.parameters(), lr=0.01))
    look(model)
    train(model)
    assert [event["step"] for event in told(run)] == [0]


def _warm(model: nn.Module) -> None:
    with torch.no_grad():
        model(torch.randn(10, 3, 8, 8))


@pytest.mark.parametrize(
    ("norm", "before"),
    [(nn.utils.spectral_norm, _warm), (parametrizations.spectral_norm, lambda _: None)],
    ids=["a pass in training mode came before", "the parametrization iterates as it is made"],
)
def test_what_is_ready_is_not_told(run: Any, norm: Norm, before: Callable[[nn.Module], None]) -> None:
    """Weights whose norm is 1, or nearly so."""
    install()
    model = critic(norm)
    before(model)
    look(model)
    train(model)
    assert not told(run)


def test_layers_that_nobody_trains_are_not_told(run: Any) -> None:
    """Another model is trained."""
    install()
    scored = critic()
    look(scored)
    train(critic())
    assert not told(run)


def test_compiled_evaluations_stay_whole(run: Any) -> None:
    """No break of the graph, and the same numbers to the last bit."""
    model = critic().eval()
    x = torch.randn(4, 3, 8, 8)
    with torch.no_grad():
        expected = model(x)
        install()
        torch._dynamo.reset()
        whole = torch.compile(model, backend="eager", fullgraph=True)
        assert torch.equal(whole(x), expected)
    torch._dynamo.reset()
    assert not told(run)


def test_the_wrapper_comes_off(run: Any) -> None:
    """When the run is finished."""
    original = SpectralNorm.__call__
    model = critic()
    watch(model, torch.optim.SGD(model.parameters(), lr=0.01))
    assert SpectralNorm.__call__ is not original
    run.finish()
    assert SpectralNorm.__call__ is original
