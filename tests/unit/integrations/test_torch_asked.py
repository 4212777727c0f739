"""Loops that ask for the gradients, ``torch.autograd.grad(loss, weights)``, and call no ``backward()``."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from auditor_agent.integrations.torch import loss
from auditor_agent.integrations.torch.audit import install
from auditor_agent.integrations.torch.byhand import asked
from auditor_agent.integrations.torch.wraps import UntilImported
from support.recordings import assembled

RATE, STEPS = 0.05, 12


@pytest.fixture(autouse=True)
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a process of its own: other tests' optimizers have imported the compiler."""
    monkeypatch.setattr(loss._asking, "_module", "no.compiler")


def weights() -> list[Tensor]:
    """A small classifier's, as bare tensors."""
    torch.manual_seed(3)
    return [torch.randn(shape).mul_(0.3).requires_grad_() for shape in ((5, 8), (8,), (8, 3))]


def loss_of(given: Sequence[Tensor]) -> Tensor:
    """Of noise."""
    first, bias, second = given
    return functional.cross_entropy(torch.relu(torch.randn(6, 5) @ first + bias) @ second, torch.randint(3, (6,)))


def train(given: Sequence[Tensor], steps: int = STEPS, **more: Any) -> list[float]:
    """Plain descent; the losses."""
    torch.manual_seed(4)
    losses = []
    for _ in range(steps):
        value = loss_of(given)
        gradients = torch.autograd.grad(value, given, **more)
        assert all(one.grad is None for one in given), "what was looked at is gone again"
        with torch.no_grad():
            for one, gradient in zip(given, gradients, strict=True):
                one -= RATE * gradient  # noqa: PLW2901 - the update that is meant
        losses.append(value.item())
    return losses


def test_gradients_that_are_asked_for_are_steps(run: Any) -> None:
    """As with ``backward()``: from the third on, with the gradients that the script was given."""
    install()
    losses = train(weights())
    run.finish()
    assert [number for number, *_ in run.steps] == [*range(3, STEPS + 1)]
    assert run.scalar("loss") == pytest.approx(losses[2:])
    assert run.scalar("lr") == pytest.approx([RATE] * (STEPS - 3), rel=1e-3)
    for step in assembled([one for one in run.recordings if one.phase == "train"])[:-1]:
        for name, weight in step.of("weight").items():
            wanted = weight.whole() - np.float32(RATE) * step.of("gradient")[name].whole()
            updated = step.of("updated")[name].whole()
            np.testing.assert_allclose(updated, wanted, rtol=1e-6, atol=1e-6 * float(np.abs(wanted).max()))


def test_training_is_bit_identical(run: Any) -> None:
    """Watched or not."""
    plain, watched = weights(), weights()
    losses = train(plain)
    install()
    assert train(watched) == losses
    assert len(run.steps) > STEPS // 2
    assert all(torch.equal(a, b) for a, b in zip(plain, watched, strict=True))


def test_weights_that_an_optimizer_holds_are_stepped_by_it(run: Any) -> None:
    """A penalty on gradients, or an attack, beside a loop of the usual kind: none of them is a step."""
    model = nn.Linear(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), RATE)
    install()
    for _ in range(6):
        x = torch.randn(4, 5, requires_grad=True)
        torch.autograd.grad(model(x).square().mean(), list(model.parameters()))
        torch.autograd.grad(model(x).square().mean(), x)
        optimizer.zero_grad()
        model(x).square().mean().backward()
        optimizer.step()
    run.finish()
    assert len(run.steps) == 6
    assert not run.scalar("micro_batches")


def test_inputs_that_are_attacked_are_no_steps(run: Any) -> None:
    """Without any optimizer: the weights stay."""
    model, x = nn.Linear(5, 3), torch.randn(4, 5, requires_grad=True)
    install()
    for _ in range(8):
        (gradient,) = torch.autograd.grad(model(x).square().mean(), x)
        with torch.no_grad():
            x += 0.1 * gradient.sign()
    run.finish()
    assert not run.steps


def test_nothing_is_in_its_place_once_a_compiler_is_imported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It would trace what it leaves alone otherwise; one that is there already finds nothing changed either."""
    (tmp_path / "some_compiler.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    owner = type("owner", (), {"ask": staticmethod(lambda: "plain")})
    wraps = UntilImported("some_compiler")
    for here in (True, False):
        wraps.put(owner, "ask", lambda original: lambda: "heard " + original())
        assert owner.ask() == ("heard plain" if here else "plain")
        importlib.import_module("some_compiler")
        assert owner.ask() == "plain"
        wraps.off()
        assert wraps not in sys.meta_path
    monkeypatch.delitem(sys.modules, "some_compiler")


def test_the_stand_in_for_a_script_imports_no_compiler(repo_env: dict[str, str]) -> None:
    """As torch does for every other optimizer that is made."""
    code = """
import sys, torch
from auditor_agent.integrations.torch.byhand import UpdateByHand
made = UpdateByHand([torch.ones(2, requires_grad=True)], 2)
print(len(made.param_groups[0]["params"]), "torch._dynamo" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], env=repo_env, capture_output=True, text=True, check=True)
    assert done.stdout == "1 False\n"


LEAF = torch.ones(3, requires_grad=True)
LOSS = LEAF.square().sum()


@pytest.mark.parametrize(
    ("outputs", "inputs", "further", "known"),
    [
        (LOSS, LEAF, {}, 1),
        (LOSS, [LEAF], {"allow_unused": True, "create_graph": False}, 1),
        (LOSS, [LEAF], {"create_graph": True}, 0),
        (LOSS, [LEAF], {"retain_graph": True}, 0),
        (LEAF.square(), [LEAF], {"grad_outputs": torch.ones(3)}, 0),
        (LEAF.square(), [LEAF], {}, 0),
        (LOSS, [LEAF.square()], {}, 0),
        ([LOSS], [LEAF], {}, 0),
        (LOSS, [], {}, 0),
        (LOSS, None, {}, 0),
    ],
)
def test_what_is_asked_for_like_a_backward_pass(outputs: Any, inputs: Any, further: dict[str, Any], known: int) -> None:
    """Derivatives of derivatives and products with vectors are none."""
    assert len(asked(outputs, inputs, further)) == known
