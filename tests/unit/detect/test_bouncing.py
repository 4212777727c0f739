from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from support.course import CHANCE, Course, noisy, of


def said(rule: str, losses: Any, kind: str = "classes", **more: Any) -> list[Any]:
    """What ``rule`` says of a run."""
    return of(Course(kind).tell(losses, **more), rule)


def test_steps_that_overshoot_alternate() -> None:
    """Up and down at every step, above guessing."""
    losses = noisy(np.where(np.arange(300) % 2, 3.0, 1.6), 0.05, 300)
    [found] = said("loss_oscillating", losses)
    assert (found.evidence["period"], found.step) == (2, 200)
    assert found.evidence["correlation"] < -0.5


def test_the_same_swings_in_every_epoch() -> None:
    """Data sorted by class: each pass repeats the one before; mixed batches that do so have only their noise."""
    losses = noisy(np.tile(np.random.default_rng(0).uniform(1.5, 4.0, 43), 8), 0.02, 344)
    course = Course(ordered=True)
    [found] = of(course.tell(losses), "loss_oscillating")
    assert found.evidence["period"] == 43
    assert said("loss_oscillating", losses) == []


@pytest.mark.parametrize(("factor", "said"), [(0.9, 0), (1.0, 1), (0.995, 1)])
def test_passes_that_are_each_better_than_the_last_get_somewhere(factor: float, said: int) -> None:
    """A series that is learnt in its order: the same swings, a tenth lower with each pass."""
    one = np.random.default_rng(0).uniform(1.5, 4.0, 43)
    losses = np.concatenate([2 * one * factor**turn for turn in range(6)])
    assert len(of(Course(ordered=True).tell(losses), "loss_oscillating")) == said


@pytest.mark.parametrize(
    "losses",
    [
        noisy(1.5, 0.5, 600),  # noise has no period
        noisy(np.where(np.arange(400) % 2, 0.3, 0.1), 0.05),  # two tasks in turn, both learnt
        noisy(np.tile(np.linspace(0.1, 0.6, 40), 10), 0.02),  # an unshuffled set that is learnt
        noisy(np.linspace(3.0, 0.1, 400), 0.02),
    ],
)
def test_noise_and_what_is_learnt_does_not_oscillate(losses: np.ndarray) -> None:
    """Only a bounce at the cost of guessing is one that gets nowhere."""
    assert said("loss_oscillating", losses) == []


def test_without_a_cost_of_guessing_nothing_is_said() -> None:
    """A GAN's two losses come in turn."""
    assert said("loss_oscillating", noisy(np.where(np.arange(400) % 2, 3.0, 0.6), 0.05), "") == []


def test_it_ends_when_the_loss_falls() -> None:
    """Below guessing the bounce is over."""
    losses = np.concatenate([noisy(np.where(np.arange(300) % 2, 3.0, 1.6), 0.05, 300), noisy(0.2 * CHANCE, 0.05, 200)])
    assert [one.cleared for one in said("loss_oscillating", losses)] == [False, True]


def test_one_number_from_the_first_step_on() -> None:
    """Said once at the hundredth; rounding does not count, a fall before does, and so does moving on."""
    same = 0.25 * (1 + 1e-8 * np.random.default_rng(1).normal(size=300))
    [found] = said("loss_constant", same, "")
    assert (found.step, found.evidence["steps"]) == (100, 100)
    assert said("loss_constant", np.concatenate([np.linspace(1, 0, 50), np.zeros(300)]), "") == []
    assert said("loss_constant", np.zeros(90), "") == []
    cleared = said("loss_constant", np.concatenate([np.ones(150), np.linspace(1, 0.5, 50)]), "")
    assert [one.cleared for one in cleared] == [False, True]


def test_a_loss_of_zero_from_the_start_is_constant() -> None:
    """Softmax over one unit under a categorical cross entropy: exactly 0."""
    assert len(said("loss_constant", np.zeros(120), "")) == 1
