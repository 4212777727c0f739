"""Scripts that add up the gradients of several batches and update by hand: one training, wherever they divide."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.identify import averaged
from auditor.compare.identify.fact import Fact, Facts
from auditor.compare.identify.rules import OUTSIDE, UNDER
from auditor.compare.profile import Profile
from auditor.compare.trajectories import Curve
from support.tiny import Stepper, Tiny, Weights, torch_stepper

COUNT, STEPS, RATE = 4, 12, 1e-2
BY_HAND: Mapping[str, Any] = {"optimizer": {"class": "auditor_agent.integrations.torch.byhand.UpdateByHand"}}


def summed(gradients: Weights) -> Weights:
    """As ``backward()`` leaves them after so many batches like this one."""
    return [COUNT * gradient for gradient in gradients]


def run(stepper: Callable[[], Stepper], rate: float, *, by_hand: bool = True, added: bool = True) -> Profile:
    """A run that takes several batches to a step; of their mean loss where nothing is ``added`` up."""
    curves = {
        "micro_batches": Curve(np.arange(1, STEPS + 1), np.full(STEPS, float(COUNT))),
        "lr": Curve(np.arange(1, STEPS + 1), np.full(STEPS, rate)),
    }
    tiny = Tiny(stepper, rate=rate, steps=STEPS, gradients=summed if added else lambda gradients: gradients)
    return tiny.profile(curves=curves, manifest=BY_HAND if by_hand else None)


def descent(rate: float) -> Callable[[], Stepper]:
    """Momentum."""
    return lambda: torch_stepper(lambda weights: torch.optim.SGD(weights, rate, momentum=0.9))


def adam(epsilon: float) -> Callable[[], Stepper]:
    """Adam."""
    return lambda: torch_stepper(lambda weights: torch.optim.Adam(weights, RATE, eps=epsilon))


LIBRARY = {"momentum": (descent(RATE), RATE), "adam": (adam(1e-2), RATE)}
DIVIDED = {"momentum": (descent(RATE / COUNT), RATE / COUNT), "adam": (adam(1e-2 * COUNT), RATE)}


@pytest.mark.parametrize("rule", LIBRARY)
@pytest.mark.parametrize("other", ["a library that takes the mean", "another script that divides its loss"])
def test_a_sum_that_is_divided_in_the_update_is_the_mean(rule: str, other: str) -> None:
    """Behind momentum by the rate, behind Adam by epsilon."""
    mean = run(*LIBRARY[rule], by_hand=other.startswith("another"), added=False)
    assert not diagnose(mean, run(*DIVIDED[rule])).claims


def test_a_sum_that_is_not_divided_is_told_as_that() -> None:
    """So many times the rate."""
    mean, whole = run(*LIBRARY["momentum"], by_hand=False, added=False), run(*LIBRARY["momentum"])
    assert [(one.id, one.parameter) for one in diagnose(mean, whole).claims] == [("OPT-21", "update.learning_rate")]


def test_of_an_optimizer_it_is_the_sum() -> None:
    """Nothing stands between its gradient and its rule."""
    mean, whole = (run(*LIBRARY["momentum"], by_hand=False, added=added) for added in (False, True))
    assert {one.id for one in diagnose(mean, whole).claims} == {"OPT-21"}


def known(**facts: Any) -> Facts:
    """Facts by name, ``__`` for a dot."""
    found = Facts()
    for key, value in {"update.batches_per_step": COUNT, "backward.factor": float(COUNT)}.items():
        found.add(Fact(key, value))
    for key, value in facts.items():
        found.add(Fact(f"update.{key}", value))
    return found


@pytest.mark.parametrize(
    ("facts", "wanted"),
    [
        ({"rule": "sgd", "learning_rate": 0.1, "rates": {"w": 0.2}}, {"learning_rate": 0.4, "rates": {"w": 0.8}}),
        ({"rule": "sgd", "weight_decay": 0.4, "decay_coupling": "decoupled"}, {"weight_decay": 0.1}),
        ({"rule": "adam", "epsilon": 4e-8, "epsilon_placement": OUTSIDE}, {"epsilon": 1e-8}),
        ({"rule": "rmsprop", "epsilon": 1.6e-7, "epsilon_placement": UNDER}, {"epsilon": 1e-8}),
        ({"rule": "adam", "weight_decay": 0.4, "decay_coupling": "coupled"}, {"weight_decay": 0.1}),
        ({"rule": "adam", "weight_decay": 0.4, "decay_coupling": "decoupled"}, {"weight_decay": 0.4}),
        ({"rule": "adam", "learning_rate": 0.1}, {"learning_rate": 0.1}),
        ({"rule": "adam", "clip_norm": 2.0, "clip_value": 0.4}, {"clip_norm": 0.5, "clip_value": 0.1}),
        ({"rule": "sgd", "clip_norm_per_variable": 2.0}, {"clip_norm_per_variable": 0.5}),
    ],
)
def test_what_is_in_units_of_the_gradient(facts: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Rates of rules that keep its scale; epsilon, and decay that is added to it."""
    told, _ = averaged.told(known(**facts), {})
    assert told.value("backward.factor") == 1
    for key, value in wanted.items():
        assert told.value(f"update.{key}") == pytest.approx(value)


@pytest.mark.parametrize(
    "other", [Fact("backward.factor", 1.0), Fact("update.batches_per_step", 1), Fact("loss.factor", 1 / COUNT)]
)
def test_what_is_no_sum_stays(other: Fact) -> None:
    """One batch, a gradient of the loss as it is told, a loss that is divided before."""
    facts = known(rule="sgd", learning_rate=0.1)
    facts.measured[other.parameter] = other
    assert averaged.told(facts, {}) == (facts, {})


def test_lengths_of_gradients_and_rates_are_those_of_the_mean() -> None:
    """As what they are cut to is; losses stay what was printed."""
    given = {name: Curve(np.arange(1, 3), np.array([4.0, 8.0])) for name in ("grad_norm", "lr", "loss")}
    _, told = averaged.told(known(rule="sgd"), given)
    assert {name: list(one.values) for name, one in told.items()} == {
        "grad_norm": [1.0, 2.0], "lr": [16.0, 32.0], "loss": [4.0, 8.0]
    }  # fmt: skip
