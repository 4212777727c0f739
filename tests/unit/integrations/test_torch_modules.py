"""Modules that no module of the program holds: an encoder and a decoder, layers in variables of their own."""

from __future__ import annotations

import gc
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.integrations.torch.audit import install
from auditor_agent.integrations.torch.manifest import manifest
from auditor_agent.integrations.torch.names import Several, find_model
from support.recordings import assembled

ROWS = 12


class Loop:
    """An encoder and a decoder under one optimizer, with a function between them."""

    def __init__(self) -> None:
        torch.manual_seed(3)
        self.encoder = nn.Sequential(nn.Linear(5, 8), nn.Tanh(), nn.Dropout(0.25), nn.Linear(8, 4))
        self.decoder = nn.Linear(4, 2)
        self.optimizer = torch.optim.Adam([*self.encoder.parameters(), *self.decoder.parameters()], lr=1e-2)
        self.x, self.y = torch.randn(ROWS, 5), torch.randn(ROWS, 2)

    def predict(self) -> Tensor:
        """What the decoder gives."""
        given: Tensor = self.decoder(nn.functional.silu(self.encoder(self.x)))
        return given

    def train(self, steps: int) -> list[Tensor]:
        """The weights behind these steps."""
        for _ in range(steps):
            self.optimizer.zero_grad()
            nn.functional.mse_loss(self.predict(), self.y).backward()
            self.optimizer.step()
        return [*self.encoder.parameters(), *self.decoder.parameters()]


def test_modules_side_by_side_are_one_model(run: Any) -> None:
    """Layers of both by name, one batch and one output to a step, and what is called between them."""
    install()
    Loop().train(4)
    run.finish()
    names = [layer["name"] for layer in run.manifests[0]["model"]["layers"]]
    assert names == ["Sequential0", *(f"Sequential0.{at}" for at in range(4)), "Linear1"]
    assert run.scalar("samples") == [ROWS] * 3
    steps = assembled(run.recordings)
    second = steps[1]
    assert [array.shape for array in second.of("batch").values()] == [(ROWS, 5)]
    assert second.of("output")["output0"].shape == (ROWS, 2)
    told = next(step.facts["operations"] for step in steps if "operations" in step.facts)
    assert [one.get("op", one.get("layer")) for one in told] == [
        *("dense", "tanh", "dropout", "dense"),
        *("silu", "dense"),
    ]
    dense = [one.get("layer") for one in told if one.get("op") == "dense"]
    assert dense == ["Sequential0.0", "Sequential0.3", "Linear1"]


def test_an_evaluation_of_modules_side_by_side_is_one(run: Any) -> None:
    """The first of them tells it, however many are called behind it."""
    install()
    loop = Loop()
    loop.train(2)
    for module in (loop.encoder, loop.decoder):
        module.eval()
    with torch.no_grad():
        expected = nn.functional.mse_loss(loop.predict(), loop.y).item()
        nn.functional.mse_loss(loop.predict(), loop.y)
    loop.encoder.train()
    loop.train(2)
    run.finish()
    told = [one for one in run.events if one["type"] == "evaluation"]
    assert [(one["batches"], one["samples"]) for one in told] == [(2, 2 * ROWS)]
    assert run.scalar("val_loss")[:1] in ([], [expected])
    modes = [(one["phase"], one["training"]) for one in run.events if one["type"] == "mode"]
    assert ("eval", "false") in modes
    kept = assembled(run.recordings, "eval")
    assert kept, "the first batch of an evaluation is recorded"
    for one in kept:
        assert [array.shape for array in one.of("batch").values()] == [(ROWS, 5)]
        assert one.of("output")["output0"].shape == (ROWS, 2)
        assert [layer["name"] for layer in one.facts["layers"]][-1] == "Linear1"


def test_g5_modules_side_by_side_train_bit_identically(run: Any) -> None:
    """Watched or not."""
    plain = Loop().train(6)
    install()
    watched = Loop().train(6)
    assert all(torch.equal(one, other) for one, other in zip(plain, watched, strict=True))


def test_a_module_that_holds_everything_is_the_model() -> None:
    """Several are only put together where none does; they go with their optimizer."""
    net = nn.Sequential(nn.Linear(3, 2), nn.Linear(2, 1))
    assert find_model(torch.optim.SGD(net.parameters(), lr=0.1)) is net
    loop = Loop()
    found = find_model(loop.optimizer)
    assert isinstance(found, Several)
    assert [name for name, _ in found.named_children()] == ["Sequential0", "Linear1"]
    assert find_model(torch.optim.SGD([torch.nn.Parameter(torch.ones(2))], lr=0.1)) is None
    del found, loop
    gc.collect()
    assert not [one for one in gc.get_objects() if type(one) is Several]


def test_what_is_frozen_and_held_by_no_optimizer_is_described(run: Any) -> None:
    """Its matrices, by name, with what shows whether anything trained them."""
    install()
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 1))
    model[0].requires_grad_(requires_grad=False)
    optimizer = torch.optim.SGD([p for p in model.parameters() if p.requires_grad], lr=0.01)
    for _ in range(3):
        optimizer.zero_grad()
        model(torch.randn(4, 8)).square().mean().backward()
        optimizer.step()
    run.finish()
    frozen = run.manifests[0]["model"]["frozen"]
    assert list(frozen) == ["0.weight"]
    assert frozen["0.weight"]["shape"] == [16, 8]
    assert frozen["0.weight"]["absmax"] == pytest.approx(model[0].weight.abs().max().item())


def test_of_a_square_that_is_frozen_the_first_rows_and_columns_are_told() -> None:
    """The rest is its shape and its moments, as of any other matrix."""
    model = nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 4), nn.Linear(4, 4)).requires_grad_(requires_grad=False)
    model[2].requires_grad_()
    told = manifest(model, list(model[2].named_parameters()), [None], None)["model"]["frozen"]
    assert [name for name, one in told.items() if "corner" in one] == ["0.weight"]
    assert torch.equal(torch.tensor(told["0.weight"]["corner"]), model[0].weight[:8, :8])


def test_an_input_that_a_layer_reshapes_has_no_gradient_that_could_be_stopped(run: Any) -> None:
    """The layer after it is given a view of what another gave, as after a ``detach``, and nothing was lost."""
    install()
    model = nn.Sequential(nn.Flatten(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    for _ in range(4):
        optimizer.zero_grad()
        model(torch.randn(5, 2, 2)).square().mean().backward()
        optimizer.step()
    run.finish()
    steps = assembled(run.recordings)
    told = next(step.facts["operations"] for step in steps if "operations" in step.facts)
    assert "dense" in [one.get("op") for one in told]
    assert "stop" not in [one.get("op") for one in told]
