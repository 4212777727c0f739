"""What a model's first layer is given, where the program changed the batch on its way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import fed
from auditor_agent.integrations.torch.arithmetic import OWN
from auditor_agent.integrations.torch.audit import watch
from auditor_agent.integrations.torch.manifest import manifest
from auditor_agent.integrations.torch.operations import given, operations
from auditor_agent.recorder import GIVEN
from support.recordings import assembled

BATCH = torch.arange(12.0).reshape(4, 3)


@pytest.mark.parametrize(
    ("way", "known"),
    [
        (lambda x: x / 255, True),
        (lambda x: x, False),
        (lambda x: x[:], False),
        (lambda x: x.reshape(3, 4) * 2, False),
        (lambda x: x @ torch.ones(3, 3, requires_grad=True), False),
    ],
)
def test_only_the_batch_with_other_numbers_is_told(way: Callable[[Tensor], Tensor], known: bool) -> None:
    """Not the batch itself, one of another shape, nor what weights have a part in."""
    taken = way(BATCH)
    found = fed.changed([BATCH], [taken])
    assert (found is not None) is known
    assert found is None or torch.equal(found, taken)


PIXELS = torch.arange(2 * 3 * 5 * 4, dtype=torch.uint8).reshape(2, 3, 5, 4)


@pytest.mark.parametrize(
    "way",
    [
        lambda x: (x.float() / 255).permute(0, 3, 1, 2),
        lambda x: x.permute(0, 3, 1, 2) / 255,
        lambda x: x.reshape(len(x), -1) / 255,
        lambda x: x.unsqueeze(1) / 255,
    ],
)
def test_what_was_made_of_it_has_its_axes(way: Callable[[Tensor], Tensor]) -> None:
    """Channels moved to the front, or rows made flat, beside the division."""
    found = fed.changed([PIXELS], [way(PIXELS)])
    assert found is not None
    assert torch.equal(found, PIXELS / 255)


def test_other_rows_are_not_the_batch() -> None:
    """Nor some of its numbers."""
    assert fed.changed([PIXELS], [PIXELS.float().flatten(0, 1)]) is None
    assert fed.changed([PIXELS], [PIXELS[:, 1:].float()]) is None


def test_pixels_that_a_model_divides_itself_are_looked_at(run: Any) -> None:
    """Of integers too, which autograd has nothing to do with: of each channel what the first layer was given."""
    model = Around(lambda s, x: s.first(x / 255))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for _ in range(3):
        model(PIXELS[0, ..., :3]).sum().backward()
        optimizer.step()
    given = assembled(run.recordings)[-1].of("units")[GIVEN].whole()
    np.testing.assert_allclose(given[0], PIXELS[0, ..., :3].float().mean((0, 1)) / 255, rtol=1e-6)


def test_of_several_inputs_nobody_knows_which() -> None:
    """Nor of a batch that is one row of numbers."""
    assert fed.changed([BATCH, BATCH], [BATCH * 2]) is None
    assert fed.changed([BATCH[0]], [BATCH[0] * 2]) is None
    assert fed.changed([BATCH], []) is None


def test_it_is_none_of_the_layers() -> None:
    """It stands among their outputs."""
    heard = {GIVEN: ({"name": GIVEN}, []), "first": ({"name": "first"}, [])}
    assert fed.layers(heard) == [{"name": "first"}]


class Around(nn.Module):
    """Something, then a layer."""

    def __init__(self, way: Callable[[Any, Tensor], Tensor]) -> None:
        super().__init__()
        self.drop, self.pool, self.first = nn.Dropout(0.5), nn.AvgPool1d(1), nn.Linear(3, 2)
        self.way = way

    def forward(self, x: Tensor) -> Tensor:
        """As the case has it."""
        return self.way(self, x)


WAYS: dict[str, tuple[Callable[[Any, Tensor], Tensor], list[Any]]] = {
    "the batch": (lambda s, x: s.first(x), []),
    "a view": (lambda s, x: s.first(x.reshape(2, 2, 3)), []),
    "a module": (lambda s, x: s.first(s.drop(x)), ["drop"]),
    "two modules": (lambda s, x: s.first(s.pool(s.drop(x)[None])), ["drop", "pool"]),
    "a function": (lambda s, x: s.first(functional.dropout(x)), [OWN]),
    "a function of a module's": (lambda s, x: s.first(s.drop(x) * 2), [OWN]),
    "a module of a function's": (lambda s, x: s.first(s.drop(x / 255)), [OWN, "drop"]),
    "no layer": (lambda s, x: functional.dropout(x) @ s.first.weight.T, [OWN]),
}


@pytest.mark.parametrize("case", WAYS)
def test_what_is_done_to_plain_inputs_stands_before_the_layer_that_takes_it(case: str) -> None:
    """Modules by their names; whatever else changed the numbers is arithmetic."""
    way, told = WAYS[case]
    model, seen, nodes, within, kept = Around(way), fed.Plain(), {}, {}, []

    def hear(name: str) -> Any:
        def hook(_: nn.Module, args: Any, output: Tensor) -> None:
            kept.append(output)  # as the probe holds them
            seen.called(name, [BATCH], args, [output])
            if output.grad_fn is not None:
                nodes[output.grad_fn], within[output.grad_fn] = name, given(args)

        return hook

    for name, module in model.named_children():
        module.register_forward_hook(hear(name))
    found = seen.told(operations([model(BATCH)], nodes, within))
    last = next(at for at, one in enumerate(found) if one.get("layer") == "first" or one.get("op") == "dense")
    assert [one.get("layer", one.get("op")) for one in found[:last]] == told
    assert all(one.get("plain") or one == {"op": OWN} for one in found[:last])


def test_a_module_may_have_a_name_of_its_own() -> None:
    """``nn.Upsample`` is called Upsample whatever the program calls it."""
    model = nn.Sequential(nn.Upsample(scale_factor=2), nn.Linear(6, 1))
    layers = manifest(model, list(model.named_parameters()), [], None)["model"]["layers"]
    assert [(one["name"], one["class"]) for one in layers] == [("0", "Upsample"), ("1", "Linear")]
