"""What a model's first layer is given, where the program changed the batch on its way there."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import fed
from auditor_agent.integrations.torch.arithmetic import OWN
from auditor_agent.integrations.torch.manifest import manifest
from auditor_agent.integrations.torch.operations import given, operations
from auditor_agent.recorder import GIVEN

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
