"""Weights brought to scikit-learn after a ``partial_fit`` that only makes room for them: whole programs, compared."""

from __future__ import annotations

import json
import sys
from typing import Any

import pytest

from support.audited import Home

pytest.importorskip("sklearn")
pytest.importorskip("torch")

DATA = """
import numpy as np
rng = np.random.default_rng(3)
x = rng.normal(size=(320, 6))
y = np.tanh(x[:, 0] - x[:, 1]) + 0.1 * rng.normal(size=320)
kernels = [rng.normal(size=shape) / np.sqrt(shape[0]) for shape in ((6, 16), (16, 1))]
batches = [slice(first, first + 32) for _ in range(6) for first in range(0, 320, 32)]
"""
SKLEARN = """
from sklearn.neural_network import MLPRegressor
settings = {{"hidden_layer_sizes": (16,), "activation": "tanh", "alpha": 0.1, "momentum": 0, "shuffle": False}}
mlp = MLPRegressor(solver={solver!r}, learning_rate_init=0.01, **settings)
mlp.partial_fit(x[:32], y[:32])
mlp.coefs_ = [kernel.copy() for kernel in kernels]
mlp.intercepts_ = [np.zeros(16), np.zeros(1)]
for rows in batches:
    mlp.partial_fit(x[rows], y[rows])
"""
TORCH = """
import torch
from torch import nn
net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1)).double()
layers = net[0], net[2]
with torch.no_grad():
    for layer, kernel in zip(layers, kernels):
        layer.weight.copy_(torch.tensor(kernel.T))
        layer.bias.zero_()
optimizer = torch.optim.{optimizer}(net.parameters(), lr=0.01)
inputs, targets = torch.tensor(x), torch.tensor(y)[:, None]
for rows in batches:
    optimizer.zero_grad()
    penalty = {alpha} / 2 * sum((layer.weight ** 2).sum() for layer in layers)
    loss = ((net(inputs[rows]) - targets[rows]) ** 2).mean() / 2 + penalty
    loss.backward()
    optimizer.step()
"""


class Programs(Home):
    """Programs under ``auditor run`` in one home."""

    def run(self, name: str, body: str, **choices: Any) -> str:
        """The id of the program's run."""
        script = self.home / f"{name}.py"
        if not script.exists():
            script.write_text(DATA + body.format(**choices))
            self.auditor("run", "--", sys.executable, str(script), AUDITOR_RUN=name)
        return name

    def compare(self, a: str, b: str) -> dict[str, Any]:
        """What is said of two of them."""
        found: dict[str, Any] = json.loads(self.auditor("compare", a, b, "--json"))
        return found


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Programs:
    """A home for all of them."""
    return Programs(tmp_path_factory.mktemp("transplanted"))


@pytest.mark.slow
def test_a_step_that_made_room_for_weights_is_left_out(programs: Programs) -> None:
    """Every step after it is PyTorch's, to rounding."""
    a = programs.run("sklearn_sgd", SKLEARN, solver="sgd")
    b = programs.run("torch_sgd", TORCH, optimizer="SGD", alpha=0.1 / 32)
    found = programs.compare(a, b)
    assert (found["verdict"], found["outcome"], found["causes"]) == ("equivalent", "equivalent", []), found["reasons"]
    assert any("its first step was left out" in reason for reason in found["reasons"])


@pytest.mark.slow
def test_moments_of_that_step_are_told_and_no_mismatch(programs: Programs) -> None:
    """scikit-learn keeps its Adam, which PyTorch has made anew."""
    a = programs.run("sklearn_adam", SKLEARN, solver="adam")
    b = programs.run("torch_adam", TORCH, optimizer="Adam", alpha=0.1 / 32)
    found = programs.compare(a, b)
    assert found["verdict"] == "inconclusive", found["causes"]
    assert [cause["parameter"] for cause in found["causes"]] == ["update.left_over"]


@pytest.mark.slow
@pytest.mark.parametrize(("solver", "optimizer"), [("sgd", "SGD"), ("adam", "Adam")])
def test_a_penalty_that_is_not_divided_by_the_batch_is_named_first(
    programs: Programs, solver: str, optimizer: str
) -> None:
    """What a port often has beside it."""
    a = programs.run(f"sklearn_{solver}", SKLEARN, solver=solver)
    b = programs.run(f"torch_{solver}_port", TORCH, optimizer=optimizer, alpha=0.1)
    found = programs.compare(a, b)
    assert (found["verdict"], found["causes"][0]["id"]) == ("mismatch", "OPT-08"), found["causes"]
