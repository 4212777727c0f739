"""Losses that take a difference in parts of something, or of logarithms: what they are of is no plain error."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor.compare.causes import diagnose
from auditor.compare.identify.loss_pairs import pair_of
from auditor.compare.profile import Profile
from support.by_hand import ROWS, STEPS, run

VALUES = (1 + 4 * np.random.default_rng(8).random((STEPS, ROWS))).astype(np.float32)
Loss = Callable[[Tensor, Tensor], Tensor]


class Rate(nn.Module):
    """Outputs above zero."""

    def forward(self, x: Tensor) -> Tensor:
        """``softplus(x)``."""
        return functional.softplus(x)


def of(loss: Loss, *, as_told: bool = False, seed: int = 0) -> Profile:
    """A run on targets from 1 to 5; ``as_told``: with its targets, as a framework hands them over."""
    return run(loss, VALUES, head=Rate(), told=VALUES if as_told else None, seed=seed)


SAME: dict[str, tuple[Loss, Loss]] = {
    "in parts": (
        lambda o, y: 100 * ((y - o) / y.abs()).abs().mean(),
        lambda o, y: 100 * ((y - o).abs() / y.abs()).mean(),
    ),
    "in parts, after": (
        lambda o, y: 100 * ((o - y).abs() / y.clamp(min=1e-7)).mean(),
        lambda o, y: 100 * ((o - y).abs() / y).mean(),
    ),
    "of logarithms": (
        lambda o, y: ((torch.log1p(o.clamp(min=1e-7)) - torch.log1p(y)) ** 2).mean(),
        lambda o, y: ((torch.log1p(y) - torch.log1p(o)) ** 2).mean(),
    ),
}


@pytest.mark.parametrize("case", SAME)
def test_the_same_by_hand_and_by_a_framework_is_no_difference(case: str) -> None:
    """A percentage error whichever comes first, the division or the sign; a squared logarithmic error."""
    mine, theirs = of(SAME[case][0]), of(SAME[case][1], as_told=True, seed=3)
    assert mine.value("loss.function") == theirs.value("loss.function")
    assert str(mine.value("loss.function")).startswith(("percentage error", "squared logarithmic error"))
    assert not [one for one in diagnose(mine, theirs).causes if one.id.startswith(("LOSS", "DATA"))]


@pytest.mark.parametrize("case", SAME)
def test_against_the_plain_error_it_is_another_loss(case: str) -> None:
    """A difference in parts, or of logarithms, is not the error itself."""
    plain: Loss = (lambda o, y: ((o - y) ** 2).mean()) if "logarithms" in case else (lambda o, y: (o - y).abs().mean())
    found = diagnose(of(SAME[case][0]), of(plain, seed=3)).causes
    assert [one.id for one in found][:1] == ["LOSS-00"]


def test_what_an_error_was_divided_by_that_nobody_recorded_leaves_it_unknown() -> None:
    """An agent of before: the quotient is no error."""
    found = of(lambda o, y: ((y - o) / y.abs()).abs().mean())
    assert found.evidence.first is not None
    assert list(found.evidence.first.of("factor")) == ["divisor0"]
    for one in found.evidence.steps:
        kept = {key: array for key, array in one.arrays.items() if key[0] not in {"factor", "target"}}
        assert pair_of(replace(one, arrays=kept)) is None
