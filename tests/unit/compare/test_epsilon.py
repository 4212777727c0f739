"""Keras's global epsilon, where a loss divides by it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from support.recordings import assembled
from support.tiny import Tiny, adam, inputs, targets

Y = np.where(np.random.default_rng(2).random((96, 1)) < 0.2, 0.0, targets(inputs())).astype(np.float32)


def run(epsilon: float, declared: float | None = None, y: np.ndarray = Y) -> Profile:
    """A run of Keras that minimises the percentage error with an epsilon."""

    def percentage(o: Tensor, t: Tensor) -> Tensor:
        return 100 * (torch.abs(o - t) / torch.clamp(torch.abs(t), min=epsilon)).mean()

    steps = assembled(Tiny(stepper=lambda: adam(1e-3), framework="keras", loss=percentage, y=y).recordings())
    return profile("a", "keras", steps, Beside({"precision": {"epsilon": declared or epsilon}}))


def test_another_epsilon_is_told_where_the_loss_shows_it() -> None:
    """FWD-24: targets of zero are divided by it."""
    (found, *_) = diagnose(run(1e-7), run(1e-1)).causes
    assert (found.id, found.parameter, found.values) == ("FWD-24", "loss.epsilon", (1e-7, 1e-1))


def test_an_epsilon_that_changes_nothing_is_not() -> None:
    """Of targets far from zero; and one that both sides declare does not explain another loss."""
    far = np.abs(Y) + 1
    assert not [one for one in diagnose(run(1e-7, y=far), run(1e-1, y=far)).causes if one.id == "FWD-24"]
    same = diagnose(run(1e-7), run(1e-1, declared=1e-7)).causes
    assert [one.id for one in same if one.id in {"FWD-24", "LOSS-00"}] == ["LOSS-00"]


@pytest.mark.parametrize("epsilon", [0.05, 0.2, 0.7])
def test_what_a_percentage_error_divides_by_at_least_is_found(epsilon: float) -> None:
    """From the loss alone, whatever stands behind the output."""
    best = run(epsilon).loss[0]
    assert best.explains
    assert best.function == f"percentage error({epsilon:g})"
    assert run(1e-7).loss[0].function == "percentage error"
