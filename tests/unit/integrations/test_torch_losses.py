"""Whatever loss a program has, its graph is read without an error: one that is not costs the whole recording."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch.graph import read

ROWS, WIDE, CLASSES = 6, 5, 4
Loss = Callable[[Tensor, str], Tensor]
Y, T, W = torch.arange(ROWS) % CLASSES, torch.rand(ROWS, CLASSES), torch.rand(CLASSES)
SIGNS = T.round() * 2 - 1
LOSSES: dict[str, Loss] = {
    "cross entropy": lambda o, r: functional.cross_entropy(o, Y, reduction=r),
    "of weighted classes": lambda o, r: functional.cross_entropy(o, Y, weight=W, reduction=r),
    "smoothed": lambda o, r: functional.cross_entropy(o, Y, label_smoothing=0.1, weight=W, reduction=r),
    "of shares": lambda o, r: functional.cross_entropy(o, T.softmax(1), reduction=r),
    "without padding": lambda o, r: functional.nll_loss(o.log_softmax(1), Y, ignore_index=0, reduction=r),
    "squared": lambda o, r: functional.mse_loss(o, T, reduction=r),
    "absolute": lambda o, r: functional.l1_loss(o, T, reduction=r),
    "smooth": lambda o, r: functional.smooth_l1_loss(o, T, reduction=r),
    "huber": lambda o, r: functional.huber_loss(o, T, reduction=r),
    "binary": lambda o, r: functional.binary_cross_entropy(o.sigmoid(), T, reduction=r),
    "of logits": lambda o, r: functional.binary_cross_entropy_with_logits(o, T, pos_weight=W, reduction=r),
    "divergence": lambda o, r: functional.kl_div(o.log_softmax(1), T, reduction=r),
    "gaussian": lambda o, r: functional.gaussian_nll_loss(o, T, T + 0.1, reduction=r),
    "poisson": lambda o, r: functional.poisson_nll_loss(o, T, reduction=r),
    "cosine": lambda o, r: functional.cosine_embedding_loss(o, T, torch.ones(ROWS), reduction=r),
    "hinge": lambda o, r: functional.hinge_embedding_loss(o, SIGNS, reduction=r),
    "margins": lambda o, r: functional.multi_margin_loss(o, Y, reduction=r),
    "soft margins": lambda o, r: functional.soft_margin_loss(o, SIGNS, reduction=r),
    "labels": lambda o, r: functional.multilabel_soft_margin_loss(o, T.round(), reduction=r),
    "ranking": lambda o, r: functional.margin_ranking_loss(o[:, 0], o[:, 1], torch.ones(ROWS), reduction=r),
    "triplets": lambda o, r: functional.triplet_margin_loss(o, T, T.flip(0), reduction=r),
}


def some(value: Tensor) -> Tensor:
    """A mask."""
    return torch.arange(value.numel()) % 3 > 0


MADE: list[Callable[[Tensor], Tensor]] = [
    torch.mean, lambda v: (v * 2).mean(), lambda v: (2 * v).sum() / 3, lambda v: -v.neg().mean(),
    lambda v: (v.flatten() * torch.rand(v.numel())).mean(), lambda v: (torch.rand(v.numel()) * v.flatten()).sum(),
    lambda v: v.flatten().masked_fill(some(v), 0.0).mean(), lambda v: v.flatten()[: 1 + v.numel() // 2].mean(),
    lambda v: torch.where(some(v), v.flatten(), torch.zeros(())).mean(), lambda v: torch.logsumexp(v.flatten(), 0),
    lambda v: torch.where(some(v), torch.zeros(()), v.flatten()).mean(), lambda v: v.flatten().topk(1).values.mean(),
    lambda v: torch.stack([v.mean(), v.sum()]).sum(), lambda v: (v.flatten() ** 2 * 0.1).mean(),
]  # fmt: skip


@pytest.mark.parametrize("reduction", ["none", "mean", "sum"])
@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_read(name: str, reduction: str) -> None:
    """Each as it is, weighted, masked, scaled, put together, with a penalty on the weights."""
    layer = nn.Linear(WIDE, CLASSES)
    names: dict[int, Any] = {id(parameter): name for name, parameter in layer.named_parameters()}
    for made in MADE:
        for penalty in (False, True):
            output = layer(torch.randn(ROWS, WIDE))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of kl_div, whose mean is over the classes as well
                value = made(LOSSES[name](output, reduction))
            value = value + 0.01 * (layer.weight**2).sum() if penalty else value
            graph = read(value, {output.grad_fn: "output0"}, names)
            assert graph.nodes[0]["inputs"]
            assert sum(role == "factor" for role, _ in graph.tensors) <= 3
