"""Histograms of gradients from scikit-learn's MLPs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.neural_network import MLPRegressor
from sklearn.neural_network._stochastic_optimizers import BaseOptimizer

from auditor_agent.run import Run
from auditor_agent.sklearn import audit
from support.mlp_cases import X, Y, offline
from support.reference import histogram

__all__ = ["offline"]  # a fixture that every test here uses by itself

pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer:UserWarning", "ignore:lbfgs failed:UserWarning")

Counted = dict[int, list[list[int]]]


@pytest.fixture
def counted(monkeypatch: pytest.MonkeyPatch) -> Counted:
    """What the run is given, by step."""
    seen: Counted = {}

    def histograms(_: Run, step: int, layout: int, counters: Any) -> None:
        assert layout
        seen[step] = np.frombuffer(bytes(counters), "<u4").reshape(-1, 64).tolist()

    monkeypatch.setattr(Run, "histograms", histograms)
    return seen


@pytest.fixture
def gradients(monkeypatch: pytest.MonkeyPatch) -> list[list[Any]]:
    """The gradients that the optimizer gets, update after update: weight and bias of each layer in turn."""
    seen: list[list[Any]] = []
    update = BaseOptimizer.update_params

    def spy(optimizer: Any, params: Any, grads: Any) -> Any:
        half = len(grads) // 2
        seen.append([np.array(grad) for pair in zip(grads[:half], grads[half:], strict=True) for grad in pair])
        return update(optimizer, params, grads)

    monkeypatch.setattr(BaseOptimizer, "update_params", spy)
    return seen


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_gradient_at_every_step_is_counted(counted: Counted, gradients: list[list[Any]], dtype: Any) -> None:
    """In either precision, sampled steps and plain ones."""
    with audit(MLPRegressor(hidden_layer_sizes=(8, 4), max_iter=8, random_state=0), histograms=1) as mlp:
        mlp.fit(X.astype(dtype), Y.astype(dtype))
    assert len(gradients) > 5
    assert counted == {step: [histogram(grad) for grad in grads] for step, grads in enumerate(gradients, 1)}


def test_every_nth_step_by_the_environment(
    counted: Counted, gradients: list[list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And none where the argument says so."""
    monkeypatch.setenv("AUDITOR_HISTOGRAMS", "3")
    with audit(MLPRegressor(hidden_layer_sizes=4, max_iter=8, random_state=0)) as mlp:
        mlp.fit(X, Y)
    assert list(counted) == [1, *range(3, len(gradients) + 1, 3)]
    counted.clear()
    with audit(MLPRegressor(hidden_layer_sizes=4, max_iter=2, random_state=0), histograms=0) as mlp:
        mlp.fit(X, Y)
    assert counted == {}


def test_accepted_points_of_lbfgs_are_counted(counted: Counted) -> None:
    """Two gradients a layer."""
    with audit(MLPRegressor(hidden_layer_sizes=4, solver="lbfgs", max_iter=6, random_state=0), histograms=1) as mlp:
        mlp.fit(X, Y)
    assert len(counted) > 3
    assert {len(rows) for rows in counted.values()} == {4}
