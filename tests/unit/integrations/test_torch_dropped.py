"""A dropout of PyTorch's, or one that a program writes out between two layers or as a layer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.operations import operations

Function = Callable[[Tensor], Tensor]
_WIDTH = 64


def told(function: Function) -> list[dict[str, Any]]:
    """What stands between two layers."""
    torch.manual_seed(0)
    first, last = nn.Linear(4, _WIDTH), nn.Linear(_WIDTH, 4)
    found = operations([last(function(first(torch.randn(32, 4))))], {}, {})
    return [one for one in found if one["op"] != "dense"]


def coin(h: Tensor, kept: float) -> Tensor:
    """Ones and zeros."""
    return (torch.rand_like(h) < kept).float()


DROPOUT = {"op": "dropout", "rate": pytest.approx(0.3)}
WAYS: dict[str, Function] = {
    "library": lambda h: nn.functional.dropout(h, 0.3),
    "divided after": lambda h: h * coin(h, 0.7) / 0.7,
    "divided before": lambda h: coin(h, 0.7) * (h / 0.7),
    "divided mask": lambda h: h * (coin(h, 0.7) / 0.7),
    "truth": lambda h: h * (torch.rand_like(h) < 0.7) * (1 / 0.7),
    "chosen": lambda h: torch.where(torch.rand_like(h) >= 0.3, h / 0.7, 0.0),
    "zeroed": lambda h: torch.where(torch.rand_like(h) < 0.3, torch.zeros_like(h), h / 0.7),
    "filled": lambda h: h.masked_fill(torch.rand_like(h) < 0.3, 0.0) / 0.7,
}
UNSCALED: dict[str, Function] = {
    "multiplied": lambda h: h * coin(h, 0.7),
    "chosen": lambda h: torch.where(torch.rand_like(h) < 0.7, h, 0.0),
    "filled": lambda h: h.masked_fill(torch.rand_like(h) < 0.3, 0.0),
}
OTHERS: dict[str, Function] = {
    "rows": lambda h: h * coin(h[:, :1], 0.7).expand_as(h),
    "columns": lambda h: h * coin(h[:1], 0.7).expand_as(h),
    "another factor": lambda h: h * coin(h, 0.7) / 0.4,
    "weights": lambda h: h @ (nn.Parameter(torch.eye(_WIDTH)) * coin(torch.zeros(_WIDTH, _WIDTH), 0.7)),
    "gate": lambda h: h * torch.rand_like(h),
    "least": lambda h: torch.where(torch.rand_like(h) < 0.7, h, torch.tanh(h)),
}


@pytest.mark.parametrize("way", WAYS)
def test_a_dropout_is_known_by_what_it_does(way: str) -> None:
    """Whatever makes up for the zeros, and where."""
    found = told(WAYS[way])
    assert DROPOUT in found
    assert "inverted" not in next(one for one in found if one["op"] == "dropout")


@pytest.mark.parametrize("way", UNSCALED)
def test_a_mask_that_nothing_makes_up_for_is_counted(way: str) -> None:
    """Of 2,048 numbers, of which each falls by itself: four standard deviations are 0.04."""
    (found,) = (one for one in told(UNSCALED[way]) if one["op"] == "dropout")
    assert found == {"op": "dropout", "rate": pytest.approx(0.3, abs=0.04), "inverted": False, "counted": 32 * _WIDTH}


@pytest.mark.parametrize("other", OTHERS)
def test_other_masks_are_none(other: str) -> None:
    """Of padding, of features, of weights; a choice between two values."""
    assert not [one for one in told(OTHERS[other]) if one["op"] == "dropout"]


def test_a_layer_of_the_programs_own_is_told_by_what_it_does() -> None:
    """A module that drops and nothing else; one that does more is none."""
    first, last = nn.Linear(4, _WIDTH), nn.Linear(_WIDTH, 4)
    given = first(torch.randn(32, 4))
    dropped = given * coin(given, 0.7) / 0.7
    found = operations([last(dropped)], {dropped.grad_fn: "own"}, {dropped.grad_fn: [given.grad_fn]})
    assert {**DROPOUT, "layer": "own"} in found
    more = torch.exp(given) * coin(given, 0.7) / 0.7
    found = operations([last(more)], {more.grad_fn: "own"}, {more.grad_fn: [given.grad_fn]})
    assert {"layer": "own"} in found
