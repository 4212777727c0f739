"""Pairs that agree: never a mismatch, whatever the seed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import torch
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer

from auditor.compare.causes import diagnose
from support.tiny import Tiny, glorot, inputs, keras_stepper, sgd, sklearn_stepper, torch_stepper

RULES: dict[str, tuple[Any, Any]] = {
    "adam": (lambda: torch_stepper(lambda p: torch.optim.Adam(p, 1e-2)),
             lambda: keras_stepper(lambda: keras.optimizers.Adam(1e-2))),
    "sgd": (lambda: sgd(momentum=0.9), lambda: keras_stepper(lambda: keras.optimizers.SGD(1e-2, momentum=0.9))),
    "adamw": (lambda: torch_stepper(lambda p: torch.optim.AdamW(p, 1e-2, weight_decay=0.01)),
              lambda: keras_stepper(lambda: keras.optimizers.AdamW(1e-2, weight_decay=0.01))),
    "rmsprop": (lambda: torch_stepper(lambda p: torch.optim.RMSprop(p, 1e-2, alpha=0.9, eps=1e-7)),
                lambda: keras_stepper(lambda: keras.optimizers.RMSprop(1e-2, rho=0.9, epsilon=1e-14))),
}  # fmt: skip
TWICE = (keras.optimizers.Adam, keras.optimizers.SGD, keras.optimizers.Nadam, keras.optimizers.Adamax)


def healthy(stepper: Any, seed: int, **more: Any) -> Tiny:
    """A run of one seed: its own weights and its own sample of one population."""
    return Tiny(stepper=stepper, weights=lambda: glorot(seed), x=inputs(seed=seed), **more)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("rule", RULES)
def test_one_configuration_with_two_seeds_is_no_mismatch(rule: str, seed: int) -> None:
    """Within a framework: other weights, other data of the same kind, the same computation."""
    make = RULES[rule][seed % 2]
    found = diagnose(healthy(make, seed).profile("a"), healthy(make, seed + 50).profile("b"))
    assert not found.matters, found.causes


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("rule", RULES)
def test_aligned_runs_of_two_frameworks_are_no_mismatch(rule: str, seed: int) -> None:
    """The same weights and batches; epsilon stands elsewhere and does not matter."""
    ours, theirs = RULES[rule]
    found = diagnose(healthy(ours, seed).profile("a"), healthy(theirs, seed, framework="keras").profile("b"))
    assert not found.matters, found.causes


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("rule", TWICE)
def test_fit_and_its_exact_tape_copy_are_no_mismatch(rule: Any, seed: int) -> None:
    """The same numbers in two integrations: nothing differs, not even harmlessly but for the data's order."""
    a, b = (healthy(lambda: keras_stepper(lambda: rule(1e-2)), seed, framework=name).profile()
            for name in ("keras", "tensorflow"))  # fmt: skip
    assert not diagnose(a, b).causes


@pytest.mark.parametrize("seed", range(10))
def test_float64_scikit_learn_and_float64_keras_are_no_mismatch(seed: int) -> None:
    """Aligned: half the loss on both sides, the same weights; epsilon in the same place."""

    def doubled() -> Any:
        return [w.astype(np.float64) for w in glorot(seed)]

    common: dict[str, Any] = {
        "weights": doubled,
        "x": inputs(seed=seed).astype(np.float64),
        "loss": lambda o, y: 0.5 * ((o - y) ** 2).mean(),
    }
    mlp = Tiny(stepper=lambda: sklearn_stepper(lambda w: AdamOptimizer(w, 1e-2)), framework="sklearn", **common)
    net = Tiny(
        stepper=lambda: keras_stepper(lambda: keras.optimizers.Adam(1e-2, epsilon=1e-8)), framework="keras", **common
    )
    found = diagnose(mlp.profile("a"), net.profile("b"))
    assert not found.matters, found.causes
