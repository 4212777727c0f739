"""Targets of losses that are written by hand: what the output's difference from them tells, wherever it is squared."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from auditor.compare.identify.differences import target_of
from support.by_hand import ROWS, STEPS, run

VALUES = np.random.default_rng(6).normal(size=(STEPS, ROWS, 2)).astype(np.float32)
Loss = Callable[[Tensor, Tensor], Tensor]


def clamped(off: Tensor) -> Tensor:
    """Huber's, by what is cut off."""
    near = off.clamp(max=0.5)
    return (0.5 * near**2 + 0.5 * (off - near)).mean()


def huber(off: Tensor) -> Tensor:
    """Of an absolute value."""
    return torch.where(off <= 0.5, 0.5 * off**2, 0.5 * (off - 0.25)).mean()


@pytest.mark.parametrize(
    "loss",
    [
        lambda o, y: ((o - y) ** 2).mean(),
        lambda o, y: (y - o).abs().mean(),
        lambda o, y: huber((o - y).abs()),
        lambda o, y: huber((y - o).abs()),
        lambda o, y: clamped((o - y).abs()),
        lambda o, y: ((o - y) ** 2).mean() + (o - y).abs().mean(),
    ],
)
def test_a_target_is_what_the_output_was_taken_from(loss: Loss) -> None:
    """With its sign, though a square was taken of the absolute value."""
    found = run(loss, VALUES, 2)
    told = [target_of(one) for one in found.evidence.steps]
    for at, target in enumerate(told):
        assert target is not None
        np.testing.assert_allclose(target, VALUES[at], atol=1e-6)


def test_where_no_difference_was_kept_no_target_is_made_up() -> None:
    """Of two squares the first is kept; where that is of something else nothing is known."""
    found = run(lambda o, y: ((o.abs() - 1) ** 2).mean() + 0.1 * torch.log1p((o - y).abs()).mean() ** 2, VALUES, 2)
    targets = [target for one in found.evidence.steps if (target := target_of(one)) is not None]
    for at, target in enumerate(targets):
        np.testing.assert_allclose(target, VALUES[at], atol=1e-6)


def test_a_loss_of_what_is_cut_off_is_known() -> None:
    """The first square is of the cut difference; the absolute value was taken of the whole."""
    fits = run(lambda o, y: clamped((o - y).abs()), VALUES, 2).loss
    assert fits[0].explains
    assert fits[0].function == "huber(0.5)"
