"""Activations that a PyTorch program writes out itself, told by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

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
    (lambda u: u * torch.sigmoid(1.702 * u), ["quick_gelu"]),
    (lambda u: (h := 2 * u) * torch.sigmoid(h), ["silu"]),
    (lambda u: u * torch.tanh(nn.functional.softplus(u)), ["mish"]),
    (lambda u: u.clamp(min=0), ["relu"]),
    (lambda u: torch.maximum(u, torch.zeros_like(u)), ["relu"]),
    (lambda u: u + cubic(u), ["gelutanh", "add"]),
    (lambda u: cubic(u + GATE(u)), ["add", "gelutanh"]),
]


def gated(u: Tensor) -> Tensor:
    """One half by the sigmoid of the other, twice."""
    value, gate = u.chunk(2, dim=-1)
    return torch.cat([value * torch.sigmoid(gate)] * 2, dim=-1)


OTHERS: list[tuple[Function, list[str]]] = [
    (torch.tanh, ["tanh"]),
    (lambda u: u * torch.sigmoid(GATE(u)), ["sigmoid", "arithmetic"]),
    (gated, ["sigmoid", "arithmetic"]),
    (lambda u: u * torch.sigmoid(1.5 * u), ["sigmoid", "arithmetic"]),
    (lambda u: torch.tanh(u) * torch.sigmoid(u), ["tanh", "sigmoid", "arithmetic"]),
    (lambda u: u.clamp(min=-1), ["arithmetic"]),
    (lambda u: torch.maximum(u, torch.ones_like(u)), ["arithmetic"]),
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


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u: u + torch.randn(3, 4), ["shift"]),
        (lambda u: nn.functional.layer_norm(u + torch.ones(4), (4,)), ["shift", "layernorm"]),
        (lambda u: u / torch.sqrt((u * u).mean() + 1e-6), ["arithmetic"]),
        (lambda u: u * (1 + GATE(u)), ["arithmetic"]),
        (lambda u: torch.softmax(u + torch.zeros(4), -1), ["softmax"]),
        (lambda u: sum([u, GATE(u), u.relu()]), ["relu", "add", "add"]),
    ],
)
def test_a_constant_that_is_added_is_told(function: Function, expected: list[str]) -> None:
    """Positions, noise; not what keeps a root from zero, one and a share, masks, the zero a sum begins with."""
    assert told(function) == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u: u * 0.5 / 3, []),
        (lambda u: (u * torch.rand(3, 4)) / 0.8, ["arithmetic"]),
        (lambda u: u / (1 + torch.exp(-u)), ["arithmetic"]),
        (lambda u: (u - u.mean(0)) / torch.sqrt(((u - u.mean(0)) ** 2).mean(0) + 1e-5), ["arithmetic"]),
        (lambda u: u.relu() + 0.1 * GATE(u), ["relu", "add"]),
        (lambda u: u + GATE(u) * torch.rand(3, 4), ["arithmetic", "add of its own"]),
    ],
)
def test_arithmetic_that_no_word_is_known_for_is_told_where_it_stands(function: Function, expected: list[str]) -> None:
    """A product with one number is none; a sum of it may be a part of it."""
    last = nn.Linear(4, 4)
    found = operations([last(function(nn.Linear(4, 4)(torch.randn(3, 4))))], {}, {})
    told = [str(one["op"]) + " of its own" * bool(one.get("own")) for one in found if one["op"] != "dense"]
    assert told == expected


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda u: u.mean((2, 3)), "global_average_pool"),
        (lambda u: u.mean((2, 3), keepdim=True), "global_average_pool"),
        (lambda u: u.mean(1), "arithmetic"),
        (lambda u: u.mean((0, 2)), "arithmetic"),
        (lambda u: u.amax((2, 3)), "global_max_pool"),
        (lambda u: u.reshape(2, 3, 2, 2, 2, 2).amax((3, 5)), "arithmetic"),
        (lambda u: nn.functional.adaptive_max_pool2d(u, 1), "global_max_pool"),
        (lambda u: nn.functional.adaptive_avg_pool2d(u, (2, 1)), "average_pool"),
        (lambda u: nn.functional.adaptive_max_pool2d(u, 2), "max_pool"),
        (lambda u: nn.functional.adaptive_avg_pool2d(u, 3), "arithmetic"),
    ],
)
def test_a_mean_is_a_pool_over_all_positions_alone(function: Function, expected: str) -> None:
    """Over channels, or over samples as a normalisation takes it, it is arithmetic."""
    found = operations([function(torch.randn(2, 3, 4, 4, requires_grad=True) * 1)], {}, {})
    assert [one["op"] for one in found] == [expected]


def test_a_pool_that_is_told_how_much_it_gives_has_the_windows_that_this_makes() -> None:
    """As one that is told its windows, side by side."""
    given = torch.randn(2, 3, 12, 8, requires_grad=True) * 1
    [told] = operations([nn.functional.adaptive_avg_pool2d(given, (3, 4))], {}, {})
    assert (told["kernel_size"], told["stride"], told["from"]) == ([4, 2], [4, 2], [12, 8])


def test_a_layer_that_is_given_what_another_gave_without_its_gradient_is_told() -> None:
    """As ``detach`` leaves it."""
    first, last = nn.Linear(4, 4), nn.Linear(4, 4)
    given = first(torch.randn(3, 4))
    made = last(given.detach())
    found = operations([given + made], {given.grad_fn: "a", made.grad_fn: "b"}, {}, {}, {"b"})
    assert [one.get("layer", one["op"]) for one in found] == ["a", "stop", "b", "add"]


TRIANGLE = torch.tril(torch.ones(5, 5)).bool()


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, False),
        ({"is_causal": True}, True),
        ({"attn_mask": TRIANGLE}, True),
        ({"attn_mask": nn.Transformer.generate_square_subsequent_mask(5)}, True),
        ({"attn_mask": torch.ones(5, 5).bool()}, False),
        ({"attn_mask": torch.arange(5)[None, :].expand(5, 5) < 3}, False),
    ],
)
def test_attention_that_only_looks_back_is_told(settings: dict[str, Any], expected: bool) -> None:
    """Fused, and by a softmax of masked products."""
    given = torch.randn(2, 5, 8, requires_grad=True)
    heads = given[None]
    fused = nn.functional.scaled_dot_product_attention(heads, heads, heads, **settings)
    [told] = operations([fused], {}, {})
    told.pop("padded", None)
    shown = {"over": 5, "scale": pytest.approx(8**-0.5), "causal": expected, "summed": True}
    assert told == {"op": "softmax", **shown, "end": True}
    mask = settings.get("attn_mask", TRIANGLE if settings else torch.ones(5, 5).bool())
    mask = mask if mask.dtype is torch.bool else mask == 0
    shares = torch.softmax((given @ given.transpose(1, 2) * 8**-0.5).masked_fill(~mask, float("-inf")), -1)
    written_out = [one for one in operations([shares @ given], {}, {}) if one["op"] == "softmax"]
    assert [(one["causal"], one["summed"]) for one in written_out] == [(expected, True)]


@pytest.mark.parametrize("causal", [False, True])
def test_attention_within_a_layer_is_told_with_it(causal: bool) -> None:
    """Of the module, which hides what it does."""
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    given = nn.Linear(8, 8)(torch.randn(2, 5, 8))
    mask = nn.Transformer.generate_square_subsequent_mask(5) if causal else None
    made, _ = layer(given, given, given, attn_mask=mask)
    found = operations([made], {made.grad_fn: "att"}, {made.grad_fn: [given.grad_fn]})
    seen = {"layer": "att", "causal": causal, "over": 5, "of": 4, "end": True}  # two heads over two samples
    assert {**seen, **({} if causal else {"padded": False})} in found


def test_what_an_output_ends_in_is_told_of_each() -> None:
    """Of several outputs the sigmoid of the first stands before the layer of the last; a view is no operation."""
    given = nn.Linear(4, 4)(torch.randn(3, 4))
    first, second = torch.sigmoid(nn.functional.linear(given, torch.randn(1, 4))).squeeze(1), torch.tanh(given)
    found = operations([first, nn.functional.linear(torch.sigmoid(second), torch.randn(2, 4))], {}, {})
    ends = [(one["op"], one.get("end", False)) for one in found if one["op"] in {"sigmoid", "tanh"}]
    assert ends == [("sigmoid", True), ("tanh", False), ("sigmoid", False)]


@pytest.mark.parametrize("need_weights", [False, True], ids=["fused", "plain"])
@pytest.mark.parametrize(("batch_first", "expected"), [(True, (5, 6)), (False, (3, 10))])
def test_attention_tells_along_what_it_ran(batch_first: bool, expected: tuple[int, int], need_weights: bool) -> None:
    """Of samples that come first it looks at as many positions as there are samples, unless it is told."""
    layer = nn.MultiheadAttention(8, 2, batch_first=batch_first)
    given = nn.Linear(8, 8)(torch.randn(3, 5, 8))
    made, _ = layer(given, given, given, need_weights=need_weights)
    [found] = [one for one in operations([made], {made.grad_fn: "att"}, {made.grad_fn: [given.grad_fn]}) if "of" in one]
    assert (found["over"], found["of"]) == expected


@pytest.mark.parametrize(
    ("turned", "expected"),
    [
        (lambda h: h.view(6, -1), 1),
        (lambda h: h[0], 0),
        (lambda h: h.reshape(-1, 4), 0),
        (lambda h: h[:1].reshape(-1, 4), 0),
        (lambda h: h.permute(1, 0, 2).reshape(6, -1), 0),
    ],
)
def test_a_view_that_mixes_samples_is_told(turned: Function, expected: int) -> None:
    """The last states of a recurrent layer, (layers, samples, units): moved to the front, or only called so."""
    states = torch.randn(2, 6, 4, requires_grad=True) * 2
    made = turned(states)
    found = operations([nn.functional.linear(made, torch.randn(3, made.shape[-1]))], {}, {})
    assert [one["op"] for one in found].count("mix") == expected


def test_windows_of_images_that_come_together_again_are_samples() -> None:
    """Windows stand beside the samples at the front: a view takes them apart without mixing any."""
    windows = torch.randn(8, 4, 3, requires_grad=True) * 2  # two windows of each of four images, four places each
    made = windows.view(4, 2, 4, 3)
    assert operations([made.sum((1, 2, 3))], {}, {}) == [{"op": "arithmetic"}], "the sum"


PADDED = torch.tensor([[False, False, False, False, True], [False, False, False, True, True]])


@pytest.mark.parametrize(
    ("mask", "expected"),
    [(None, False), (PADDED, True), (torch.zeros_like(PADDED), None)],
    ids=["none", "padding", "open"],
)
@pytest.mark.parametrize("need_weights", [False, True], ids=["fused", "plain"])
def test_attention_that_leaves_out_padding_is_told(
    mask: torch.Tensor | None, expected: bool | None, need_weights: bool
) -> None:
    """Of the module, and written out; not where a mask closes nothing of this batch."""
    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    given = nn.Linear(8, 8)(torch.randn(2, 5, 8))
    made, _ = layer(given, given, given, key_padding_mask=mask, need_weights=need_weights)
    found = operations([made], {made.grad_fn: "att"}, {made.grad_fn: [given.grad_fn]})
    told = [one for one in found if one.get("layer") == "att"]
    assert [(one["causal"], one.get("padded")) for one in told] == [(False, expected)]
    products = given @ given.transpose(1, 2)
    shares = torch.softmax(products if mask is None else products.masked_fill(mask[:, None], -1e9), -1)
    [written_out] = [one for one in operations([shares @ given], {}, {}) if one["op"] == "softmax"]
    assert (written_out["causal"], written_out.get("padded")) == (False, expected)
