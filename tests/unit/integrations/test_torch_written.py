"""Activations that a PyTorch program writes out itself, told by their names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.operations import operations

Function = Callable[[Tensor], Tensor]
GATE = nn.Linear(4, 4)


def told(function: Function) -> list[str]:
    """What stands between two layers."""
    first, last = nn.Linear(4, 4), nn.Linear(4, 4)
    found = operations([last(function(first(torch.randn(3, 4))))], {}, {})
    return [str(one["op"]) + str(one.get("approximate", "")) for one in found if one["op"] != "dense"]


def cubic(u: Tensor) -> Tensor:
    """The GELU of GPT-2."""
    return 0.5 * u * (1 + torch.tanh(0.7978845608 * (u + 0.044715 * u**3)))


WRITTEN: list[tuple[Function, list[str]]] = [
    (cubic, ["gelutanh"]),
    (lambda u: u * 0.5 * (1 + torch.tanh(0.79788 * u * (1 + 0.044715 * u * u))), ["gelutanh"]),
    (lambda u: 0.5 * u * (1 + torch.erf(u / 2**0.5)), ["gelunone"]),
    (lambda u: u * torch.sigmoid(u), ["silu"]),
    (lambda u: u * torch.sigmoid(1.702 * u), ["gelu"]),
    (lambda u: u * torch.tanh(nn.functional.softplus(u)), ["mish"]),
    (lambda u: u.clamp(min=0), ["relu"]),
    (lambda u: torch.maximum(u, torch.zeros_like(u)), ["relu"]),
    (lambda u: u + cubic(u), ["gelutanh", "add"]),
    (lambda u: cubic(u + GATE(u)), ["add", "gelutanh"]),
]
OTHERS: list[tuple[Function, list[str]]] = [
    (torch.tanh, ["tanh"]),
    (lambda u: u * torch.sigmoid(GATE(u)), ["sigmoid"]),
    (lambda u: torch.tanh(u) * torch.sigmoid(u), ["tanh", "sigmoid"]),
    (lambda u: u.clamp(min=-1), []),
    (lambda u: torch.maximum(u, torch.ones_like(u)), []),
]


@pytest.mark.parametrize(("function", "expected"), WRITTEN)
def test_what_is_written_out_is_told_by_its_name(function: Function, expected: list[str]) -> None:
    """And nothing of what it is made of beside it."""
    assert told(function) == expected


@pytest.mark.parametrize(("function", "expected"), OTHERS)
def test_what_only_looks_like_it_is_told_as_it_is(function: Function, expected: list[str]) -> None:
    """Gates multiply what they are not made of."""
    assert told(function) == expected


def test_a_layer_of_the_programs_own_is_told_by_what_it_writes_out() -> None:
    """A module without a known class that computes a GELU and nothing else."""
    first, last = nn.Linear(4, 4), nn.Linear(4, 4)
    given = first(torch.randn(3, 4))
    made = cubic(given)
    found = operations([last(made)], {made.grad_fn: "act"}, {made.grad_fn: [given.grad_fn]})
    assert {"op": "gelu", "approximate": "tanh", "layer": "act"} in found
    assert [one["op"] for one in found] == ["dense", "gelu", "dense"]
