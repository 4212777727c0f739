"""Targets that a program worked out of its labels, or packed with their mask: the loss is known all the same."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from support.by_hand import CLASSES, ROWS, STEPS, run

ONES = (np.random.default_rng(4).random((STEPS, ROWS)) < 0.4).astype(np.float32)
HOT = np.eye(4, dtype=np.float32)[CLASSES]
VALUES = np.random.default_rng(6).normal(size=(STEPS, ROWS)).astype(np.float32)
MASKS = (np.random.default_rng(5).random((STEPS, ROWS)) < 0.6).astype(np.float32)


def by_class(smoothed: float, *, by_hand: bool) -> Profile:
    """A cross entropy of four classes, smoothed by the program or by the framework."""
    if by_hand:
        return run(functional.cross_entropy, HOT * (1 - smoothed) + smoothed / 4, 4)
    return run(lambda o, y: functional.cross_entropy(o, y, label_smoothing=smoothed), HOT, 4)


def of_two(smoothed: float, *, by_hand: bool) -> Profile:
    """The same of two classes, in the targets or in a loss that is written out."""
    criterion = functional.binary_cross_entropy_with_logits
    if by_hand:
        return run(criterion, ONES * (1 - smoothed) + smoothed / 2)

    def loss(o: Tensor, y: Tensor) -> Tensor:
        y = y * (1 - smoothed) + smoothed / 2
        return (functional.softplus(o) - y * o).mean()

    return run(loss, ONES, told=ONES)


@pytest.mark.parametrize("made", [by_class, of_two])
def test_smoothed_targets_and_a_smoothing_loss_are_one_thing(made: Callable[..., Profile]) -> None:
    """Of one number nothing is said; of another LOSS-07, whoever smooths."""
    mine, theirs = made(0.1, by_hand=True), made(0.1, by_hand=False)
    for side in (mine, theirs):
        assert side.value("loss.label_smoothing") == pytest.approx(0.1, abs=1e-4)
        assert side.value("data.target.range") == [0.0, 1.0]
    assert not [one for one in diagnose(mine, theirs).causes if one.id.startswith(("LOSS", "DATA"))]
    for by_hand in (True, False):
        told = diagnose(made(0.2, by_hand=by_hand), mine).causes[0]
        assert (told.id, told.parameter) == ("LOSS-07", "loss.label_smoothing")


def test_targets_near_zero_and_one_of_a_squared_error_stay_what_they_are() -> None:
    """No loss of classes: 0.1 and 0.9 are numbers."""
    found = run(functional.mse_loss, ONES * 0.8 + 0.1)
    assert found.value("data.target.range") == pytest.approx([0.1, 0.9])


class Larger(nn.Module):
    """Outputs beyond one: before, a hinge of signs is an absolute error."""

    def forward(self, x: Tensor) -> Tensor:
        """Eight times ``x``."""
        return 8 * x


def test_signs_of_a_hinge_are_labels() -> None:
    """Keras makes -1 and 1 of 0 and 1 in its hinge; a loop does before it."""

    def loop(o: Tensor, y: Tensor) -> Tensor:
        return torch.clamp(1 - y * o, min=0).mean()

    mine = run(loop, 2 * ONES - 1, head=Larger())
    theirs = run(lambda o, y: loop(o, 2 * y - 1), ONES, head=Larger(), told=ONES, seed=2)
    assert mine.value("loss.function") == theirs.value("loss.function") == "hinge"
    assert not [one for one in diagnose(mine, theirs).causes if one.id.startswith(("LOSS", "DATA"))]


def packed(*, behind: bool, by_all: bool = False) -> Profile:
    """A loss whose targets come with their mask, in columns behind them or as a number that stands for none."""
    told = np.stack([VALUES, MASKS], -1) if behind else np.where(MASKS > 0, VALUES.clip(-3), -9)

    def loss(o: Tensor, y: Tensor) -> Tensor:
        value, mask = (y[:, 0], y[:, 1]) if behind else (y, (y != -9).float())
        off = mask * (o.reshape(-1) - value) ** 2
        return off.mean() if by_all else off.sum() / mask.sum()

    return run(loss, told.astype(np.float32), told=told.astype(np.float32), seed=3)


@pytest.mark.parametrize("behind", [True, False])
def test_a_mask_that_comes_with_the_targets_is_found(behind: bool) -> None:
    """LOSS-09 where the other side divides by all; nothing where both divide by what counts."""
    steps = iter(MASKS)

    def apart(o: Tensor, y: Tensor) -> Tensor:
        m = torch.tensor(next(steps))
        return (m * (o - y) ** 2).sum() / m.sum()

    theirs, mine = run(apart, VALUES), packed(behind=behind)
    assert mine.value("loss.function") == theirs.value("loss.function")
    assert mine.value("loss.reduction") == "mean without padding"
    assert not [one for one in diagnose(mine, theirs).causes if one.id.startswith("LOSS")]
    assert diagnose(packed(behind=behind, by_all=True), theirs).causes[0].id == "LOSS-09"


def contrasted(told: np.ndarray | None) -> Profile:
    """A loss within the batch that takes no target, whatever ``fit`` was given."""

    def loss(o: Tensor, y: Tensor) -> Tensor:
        del y
        return functional.cross_entropy(o @ o.T, torch.arange(len(o)))

    return run(loss, VALUES, 4, told=told)


def test_targets_that_a_loss_does_not_take_are_none() -> None:
    """Zeros for a contrastive loss, as ``fit`` has to be given some; of zeros that it is of they are."""
    zeros = np.zeros_like(VALUES)
    mine, theirs = contrasted(zeros), contrasted(None)
    assert mine.value("data.target.mean") is None
    assert not [one for one in diagnose(mine, theirs).causes if one.id.startswith("DATA")]
    plain = run(functional.mse_loss, zeros, told=zeros)
    assert plain.value("loss.function") == "squared error"
    assert plain.value("data.target.mean") == 0
