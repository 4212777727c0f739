"""A scikit-learn MLP beside its ports: the half in its squared error, the batch size in its penalty."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import pytest
import torch
from sklearn.neural_network import MLPClassifier, MLPRegressor
from torch import nn

from auditor.parity.diagnose import cause
from auditor_agent.parity import check

ROWS = 20


def batches(*, classes: bool = False) -> Iterator[tuple[Any, Any]]:
    """Rows to be regressed, or told apart."""
    rng = np.random.default_rng(1)
    for _ in range(8):
        x = rng.normal(size=(ROWS, 6)).astype("f4")
        y = x.sum(1, keepdims=True)
        yield x, (y[:, 0] > 0).astype("i8") + (y[:, 0] > 2) if classes else y


def regressor(**given: Any) -> Any:
    """``make`` of the estimator, with batches."""
    settings = {"solver": "sgd", "learning_rate_init": 0.01, "momentum": 0.9, "alpha": 0.1, "activation": "tanh"}
    return lambda: {"model": MLPRegressor(hidden_layer_sizes=(8, 8), **{**settings, **given}), "batches": batches}


def ported(*, half: bool = True, alpha: float = 0.1 / ROWS, nesterov: bool = True, rate: float = 0.01) -> Any:
    """``make`` of the port to PyTorch."""

    def make() -> dict[str, Any]:
        model = nn.Sequential(nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 8), nn.Tanh(), nn.Linear(8, 1))
        factor = 0.5 if half else 1.0
        return {
            "model": model,
            "optimizer": torch.optim.SGD(model.parameters(), rate, momentum=0.9, nesterov=nesterov),
            "loss": lambda output, target: factor * nn.functional.mse_loss(output, target),
            "penalty": lambda m: alpha / 2 * sum((p**2).sum() for p in m.parameters() if p.ndim > 1),
        }

    return make


def test_an_aligned_port_is_equivalent() -> None:
    """Weights transplanted, with the half and the penalty by the batch."""
    found = check(regressor(), ported(), steps=8)
    assert found.first is None
    assert found.alignment.error < 1e-6
    assert found.without_oracle == {}


def test_a_classifier_with_adam_is_equivalent_to_keras() -> None:
    """Both add epsilon before the bias correction; the loss takes logits."""

    def classifier() -> dict[str, Any]:
        return {
            "model": MLPClassifier(hidden_layer_sizes=(8,), solver="adam", alpha=0.0),
            "batches": lambda: batches(classes=True),
        }

    def port() -> tuple[Any, ...]:
        model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3)])
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        return model, keras.optimizers.Adam(1e-3, epsilon=1e-8), loss

    assert check(classifier, port, steps=8).first is None


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"half": False}, ("LOSS-01", "loss", 1)),
        ({"alpha": 0.1}, ("OPT-08", "regularization", 1)),
        ({"nesterov": False}, ("OPT-11", "optimizer", 1)),
        ({"rate": 0.011}, ("OPT-01", "optimizer", 1)),
    ],
)
def test_what_a_port_gets_wrong_is_named(given: dict[str, Any], told: tuple[str, str, int]) -> None:
    """The half, the penalty that is divided by the mini-batch, Nesterov's momentum."""
    found = check(regressor(), ported(**given), steps=4)
    named = cause(found)
    assert found.first is not None
    assert named is not None
    assert (named.id, found.first.stage, found.first.step) == told
