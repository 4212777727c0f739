"""Decay that a program writes out beside its optimizer's steps is the decay of a library that has it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from auditor.compare.causes import diagnose
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Stepper, Tiny, Weights, array, glorot, name, torch_stepper

STEPS, RATE = 12, 1e-2


def ones() -> Weights:
    """Weights of which the first biases are ones."""
    drawn = glorot(2)
    return [drawn[0], np.ones_like(drawn[1]), *drawn[2:]]


def warmed(at: int) -> float:
    """A learning rate that begins small."""
    return RATE * min(1.0, (at + 1) / 8)


def constant(at: int) -> float:
    """One that does not change."""
    del at
    return RATE


def by_hand(
    decay: float,
    *,
    first: bool,
    only: Callable[[int], bool] = lambda _: True,
    rate: Callable[[int], float] = constant,
) -> Profile:
    """Adam, and a decay of every tensor before its step or behind it, as a recorder sees the two."""

    def keep(at: int) -> np.float32:
        return np.float32(1 - rate(at) * decay)

    def less(some: Weights, at: int) -> Weights:
        return [w * keep(at) if only(place) else w for place, w in enumerate(some)]

    def make() -> Stepper:
        first_, second = [0.0] * 4, [0.0] * 4

        def adam(place: int, gradient: np.ndarray, at: int) -> np.ndarray:
            first_[place] = 0.9 * first_[place] + 0.1 * gradient
            second[place] = 0.999 * second[place] + 0.001 * gradient**2
            root = np.sqrt(second[place] / (1 - 0.999 ** (at + 1)))
            moved: np.ndarray = rate(at) * first_[place] / (1 - 0.9 ** (at + 1)) / (root + 1e-8)
            return moved

        def step(weights: Weights, gradients: Weights, at: int) -> Weights:
            begun = less(weights, at) if first else weights
            left = [(w - adam(place, g.astype(np.float64), at)).astype(np.float32)
                    for place, (w, g) in enumerate(zip(begun, gradients, strict=True))]  # fmt: skip
            return left if first else less(left, at)

        return step

    recordings = Tiny(make, steps=STEPS, weights=ones).recordings()
    found = []
    for one in recordings:
        arrays = []
        for each in one.arrays:
            place = next((at for at in range(4) if each.name == name(at)), None)
            values = np.frombuffer(each.data, each.dtype).reshape(each.shape)
            if each.role == "weight" and first and place is not None and only(place):
                values = values * keep(one.step - 1)
            if each.role == "updated" and not first and place is not None and only(place):
                values = values / keep(one.step - 1)
            arrays.append(array(each.role, each.name, values.astype(np.float32)))
        scalars = {**one.scalars, "lr": rate(one.step - 1)}
        found.append(Recording(one.step, arrays, scalars, dict(one.facts)))
    return profile("a", "torch", assembled(found), Beside(last_step=STEPS))


def adamw(decay: float) -> Callable[[], Stepper]:
    """PyTorch's AdamW."""
    return lambda: torch_stepper(lambda p: torch.optim.AdamW(p, lr=RATE, weight_decay=decay))


def library(decay: float) -> Profile:
    """A run of it."""
    return Tiny(adamw(decay), steps=STEPS, weights=ones, rate=RATE).profile()


@pytest.mark.parametrize("first", [True, False])
def test_a_decay_by_hand_is_the_librarys(first: bool) -> None:
    """Before the step or behind it: nothing moved the weights in between, and all begin as they were drawn."""
    mine, theirs = by_hand(0.3, first=first), library(0.3)
    assert mine.value("update.weight_decay") == pytest.approx(0.3, rel=1e-2)
    assert mine.value("update.decay_coupling") == "decoupled"
    assert mine.value("update.between")["steps"] == []
    assert not diagnose(mine, theirs).claims
    told = [one.id for one in diagnose(by_hand(0.6, first=first), theirs).causes]
    assert told[:1] == ["OPT-04"]


def test_a_decay_by_hand_that_follows_the_learning_rate_is_one_from_the_first_step_on() -> None:
    """With a warm-up the second step takes twice as much off as the first, of which nothing shows."""
    found = by_hand(0.3, first=True, rate=warmed)
    assert found.value("update.weight_decay") == pytest.approx(0.3, rel=1e-2)
    assert found.value("update.between")["steps"] == []


def test_a_decay_of_some_weights_is_of_those() -> None:
    """Kernels alone, as people do."""
    found = by_hand(0.3, first=True, only=lambda place: place % 2 == 0)
    assert found.value("update.decayed") == [name(0), name(2)]


def test_weights_that_are_moved_otherwise_stay_moved() -> None:
    """Each by another part is no decay."""
    odd = Tiny(adamw(0.0), steps=STEPS, rate=RATE).recordings()
    rng = np.random.default_rng(1)
    moved = []
    for one in odd:
        arrays = [
            array(each.role, each.name, (np.frombuffer(each.data, each.dtype).reshape(each.shape)
                  * rng.uniform(0.99, 1.0, each.shape)).astype(np.float32)) if each.role == "weight" else each
            for each in one.arrays
        ]  # fmt: skip
        moved.append(Recording(one.step, arrays, dict(one.scalars), dict(one.facts)))
    assert profile("a", "torch", assembled(moved), Beside(last_step=STEPS)).value("update.between")["steps"]


def test_weights_that_diverge_are_no_decay_and_no_noise() -> None:
    """Infinities and numbers that are none, in a run that broke; nothing is warned of."""
    broken = []
    for one in Tiny(adamw(0.0), steps=STEPS, rate=RATE).recordings():
        arrays = [
            array(each.role, each.name, np.full(each.shape, np.inf if one.step % 2 else np.nan, np.float32))
            if one.step > 4 and each.role in {"weight", "updated"} else each
            for each in one.arrays
        ]  # fmt: skip
        broken.append(Recording(one.step, arrays, dict(one.scalars), dict(one.facts)))
    found = profile("a", "torch", assembled(broken), Beside(last_step=STEPS))
    assert len(found.evidence.steps) == STEPS
