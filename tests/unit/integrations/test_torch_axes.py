"""Shares that are summed over the axis along which they add up to one, and images that are turned: PyTorch's graph."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import shares
from auditor_agent.integrations.torch.operations import operations

#: Queries, keys and values of two sequences of seven, five wide.
Q, K, V = (torch.randn(2, 7, 5, requires_grad=True) for _ in range(3))
#: The same in two heads.
HEADS = [torch.randn(2, 7, 8, requires_grad=True).view(2, 7, 2, 4).transpose(1, 2) for _ in range(3)]
PLACES = nn.Linear(5, 1)


def _heads(dim: int) -> Tensor:
    q, k, v = HEADS
    mean = functional.dropout(torch.softmax(q @ k.transpose(-1, -2) / 2, dim), 0.1) @ v
    return mean.transpose(1, 2).reshape(2, 7, 8)


def _einsum(scores: str, dim: int) -> Tensor:
    shares = torch.softmax(torch.einsum(f"bqd,bkd->{scores}", Q, K), dim)
    return torch.einsum(f"{scores},bkd->bqd", shares, V)


def _experts(dim: int) -> Tensor:
    parts = torch.stack([part(Q[:, 0]) for part in (nn.Linear(5, 3), nn.Linear(5, 3), nn.Linear(5, 3))], 1)
    return (parts * torch.softmax(nn.Linear(5, 3)(Q[:, 0]), dim)[..., None]).sum(1)


MEANS: dict[str, Callable[[], Tensor]] = {
    "product": lambda: torch.softmax(Q @ K.transpose(1, 2), -1) @ V,
    "turned product": lambda: torch.softmax(K @ Q.transpose(1, 2), 1).transpose(1, 2) @ V,
    "letters": lambda: _einsum("bqk", -1),
    "letters, keys first": lambda: _einsum("bkq", 1),
    "heads": lambda: _heads(-1),
    "pooling": lambda: (torch.softmax(PLACES(V), 1) * V).sum(1),
    "pooling, squeezed": lambda: (torch.softmax(PLACES(V).squeeze(-1), 1).unsqueeze(-1) * V).sum(1),
    "pooling, product": lambda: torch.bmm(V.transpose(1, 2), torch.softmax(PLACES(V), 1)).squeeze(2),
    "experts": lambda: _experts(-1),
}
NO_MEANS: dict[str, Callable[[], Tensor]] = {
    "product": lambda: torch.softmax(Q @ K.transpose(1, 2), 1) @ V,
    "turned product": lambda: torch.softmax(K @ Q.transpose(1, 2), -1).transpose(1, 2) @ V,
    "letters": lambda: _einsum("bqk", 1),
    "letters, keys first": lambda: _einsum("bkq", -1),
    "heads, queries": lambda: _heads(2),
    "heads, heads": lambda: _heads(1),
    "pooling, one number": lambda: (torch.softmax(PLACES(V), -1) * V).sum(1),
    "pooling, samples": lambda: torch.bmm(V.transpose(1, 2), torch.softmax(PLACES(V), 0)).squeeze(2),
    "experts, samples": lambda: _experts(0),
}


def _summed(output: Tensor) -> list[bool | None]:
    """What is told of each softmax."""
    return [one.get("summed") for one in operations([output.tanh()], {}, {}) if one["op"] == "softmax"]


@pytest.mark.parametrize("case", MEANS)
def test_a_weighted_mean_is_summed_over_the_axis_of_its_shares(case: str) -> None:
    """However the program moves its axes."""
    assert _summed(MEANS[case]()) == [True]


@pytest.mark.parametrize("case", NO_MEANS)
def test_shares_along_another_axis_than_is_summed_are_told(case: str) -> None:
    """They add up to one over the queries, the samples, the heads."""
    assert _summed(NO_MEANS[case]()) == [False]


@pytest.mark.parametrize("case", ["the output", "read twice"])
def test_nothing_is_told_of_shares_that_nobody_sums(case: str) -> None:
    """Of classes; or of shares that more than one operation takes."""
    shares = torch.softmax(Q, -1)
    assert _summed(shares if case == "the output" else shares @ V.transpose(1, 2) + shares.mean()) == [None]


IMAGES = torch.randn(2, 4, 3, 3, requires_grad=True)
FLAT: dict[str, tuple[Callable[[], Tensor], bool]] = {
    "channels last": (lambda: IMAGES.permute(0, 2, 3, 1).flatten(1), True),
    "channels last, dropout": (lambda: functional.dropout(IMAGES.permute(0, 2, 3, 1).reshape(2, -1).relu(), 0.2), True),
    "channels first": (lambda: IMAGES.flatten(1), False),
    "rows of a sequence": (lambda: Q.transpose(1, 2)[:, :, 0], False),
}


@pytest.mark.parametrize("case", FLAT)
def test_images_that_are_flattened_with_their_channels_last_are_told(case: str) -> None:
    """Their kernel is Keras's, transposed and no more."""
    rows, turned = FLAT[case][0](), FLAT[case][1]
    (dense,) = [one for one in operations([nn.Linear(rows.shape[1], 3)(rows)], {}, {}) if one["op"] == "dense"]
    assert dense.get("turned", False) is turned


CUT: dict[str, tuple[Callable[[Tensor], Tensor], bool | None]] = {
    "moved": (lambda x: x.view(2, 7, 2, 4).transpose(1, 2), False),
    "moved, permuted": (lambda x: x.view(2, 7, 2, 4).permute(0, 2, 1, 3), False),
    "as they lie": (lambda x: x.view(2, 2, 7, 4), True),
    "of one head": (lambda x: x.view(2, 1, 7, 8), None),
    "not cut": (lambda x: x, None),
}


@pytest.mark.parametrize("case", CUT)
def test_heads_that_are_cut_out_of_rows_as_they_lie_are_told(case: str) -> None:
    """A head has parts of several positions then."""
    cut, told = CUT[case]
    q, k = (cut(nn.Linear(8, 8)(torch.randn(2, 7, 8))) for _ in range(2))
    scores = torch.softmax(q / 2 @ k.transpose(-1, -2), -1)
    assert shares.settings(scores.grad_fn).get("mixed") is told
