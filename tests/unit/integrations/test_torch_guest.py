"""G2, G3, G10: what watching a PyTorch loop does not do to the process, the device, the other ranks."""

from __future__ import annotations

import copy
import pickle
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.distributed.tensor.debug import CommDebugMode
from torch.utils._python_dispatch import TorchDispatchMode

from auditor_agent.capture import portable, transfer
from auditor_agent.capture.budget import FIRST
from auditor_agent.integrations.torch import audit as integration
from auditor_agent.integrations.torch import hooks as torch_hooks
from auditor_agent.integrations.torch import watcher as torch_watch
from auditor_agent.integrations.torch.audit import watch
from support.agent import child_env
from support.checkout import ROOT

WATCHED = """
import gc, json, sys, types
import torch, torch.amp, torch._dynamo, torch.nn.utils, torch.optim, torch.utils.data
import auditor_agent, auditor_agent.integrations.torch.audit
from tests.support.inventory import functions
def train(steps):
    for _ in range(steps):
        optimizer.zero_grad(); model(torch.ones(2, 3)).sum().backward(); optimizer.step()
def hooks():
    from torch.optim import optimizer as o
    of_class = [o._global_optimizer_pre_hooks, o._global_optimizer_post_hooks]
    of_instance = [optimizer._optimizer_step_pre_hooks, optimizer._optimizer_step_post_hooks]
    of_model = [hooks for m in model.modules() for name, hooks in vars(m).items() if name.endswith("_hooks")]
    of_weights = [p._backward_hooks or () for p in model.parameters()]
    return [sum(map(len, part)) for part in (of_class, of_instance, of_model, of_weights)]
model = torch.nn.Linear(3, 1)
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
train(3)
before, keep, said = functions(), [], {"hooks": [hooks()]}
def changed():
    now = functions()
    return sorted(name for name in before if name in now and now[name] != before[name])
run = auditor_agent.watch(model, optimizer)
at_first = changed()
train(3)
said["during"], said["hooks"] = sorted({*at_first, *changed()}), [*said["hooks"], hooks()]
run.finish()
train(1)
said["after"], said["hooks"] = changed(), [*said["hooks"], hooks()]
print(json.dumps(said))
"""


def documented() -> set[str]:
    """The names that docs/promises.md lists under what ``watch()`` replaces."""
    page = (ROOT / "docs" / "promises.md").read_text(encoding="utf-8")
    section = page.partition("## What `watch()` replaces")[2].partition("\n## ")[0]
    return set(re.findall(r"^- `([\w.]+)`", section, re.MULTILINE))


def test_g10_watching_replaces_what_the_page_lists_and_puts_it_back(repo_env: dict[str, str]) -> None:
    """Every callable of every loaded module and class, compared before, during and after a watched run."""
    import json

    env = child_env(repo_env, AUDITOR_MODE="offline")
    done = subprocess.run(
        [sys.executable, "-c", WATCHED], env=env, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert {_home(name) for name in said["during"]} == documented()
    assert said["after"] == []
    of_class, of_instance, of_model, of_weights = zip(*said["hooks"], strict=True)
    assert of_class == (0, 1, 1)  # stays for good, and does nothing
    assert of_instance[:2] == (0, 2)
    assert of_model == (0, 1, 0)  # step 4 is a sampled one: its forward pass is awaited
    assert of_weights == (0, 0, 0)


def _home(name: str) -> str:
    """The documented name of what several modules know under their own."""
    same = {"torch.amp.grad_scaler.GradScaler.step": "torch.amp.GradScaler.step"}
    return same.get(name, name.replace("torch.nn.utils.clip_grad.", "torch.nn.utils."))


class Reads(TorchDispatchMode):
    """Notes the operations that make the host wait for values."""

    WAITING = ("_local_scalar_dense", "nonzero", "is_nonzero", "equal", "unique", "masked_select")

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Look at one operation and carry it out."""
        name = func.overloadpacket.__name__
        if name in self.WAITING:
            self.waits.append(name)
        return func(*args, **(kwargs or {}))


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of what is copied off a device without values, whose copies are never done."""
    made: list[tuple[int, ...]] = []

    def to_host(tensor: Tensor) -> Tensor:
        if not tensor.is_cpu:
            made.append(tuple(tensor.shape))
        return torch.zeros(tensor.shape, dtype=tensor.dtype)

    monkeypatch.setattr(transfer, "_to_host", to_host)
    monkeypatch.setattr(transfer, "_mark", lambda _: Never())
    monkeypatch.setattr(torch_watch, "manifest", lambda *_: {"loss": {}, "precision": {}})  # read once, before step 1
    return made


class Never:
    """The mark of a copy that has not happened yet, until it is waited for."""

    def query(self) -> bool:
        """Not yet."""
        return False

    def synchronize(self) -> None:
        """Now."""


@pytest.mark.parametrize("make", [torch.optim.SGD, torch.optim.AdamW], ids=lambda make: make.__name__)
def test_g3_on_a_device_no_step_reads_a_value_and_two_copies_leave_it(
    run: Any, make: Callable[..., Any], copies: list[tuple[int, ...]]
) -> None:
    """On a device without values an attempt to read one raises; what is copied is counted.

    One copy carries all statistics, also at the steps that read weights, updates and activations; one
    the loss, and at those steps the digests and the share of dead units.
    """
    steps = FIRST + 2
    model = nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 1)).to("meta")
    optimizer = make(model.parameters(), lr=0.1)
    watch(model, optimizer)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.ones(4, 6, device="meta")).square().mean().backward()
        with Reads() as reads:  # the hooks alone: AdamW reads its own step counter
            torch_hooks._hooks[optimizer].before(optimizer, (optimizer,), {})
            torch_hooks._hooks[optimizer].after(optimizer, (optimizer,), {})
        assert reads.waits == []
    assert run.steps == []  # all are under way still
    first, sampled, plain = [(6,), (12, 12)], [(2,), (12, 17)], [(), (12, 4)]
    assert copies == first + sampled * (FIRST - 1) + plain * (steps - FIRST)


def test_g3_the_way_for_devices_reads_no_value() -> None:
    """Tensors without data: whatever looked at a value would raise."""
    tensors = [torch.empty(shape, device="meta") for shape in ((3, 4), (5,), (0,), (1 << 12,))]
    matrix = portable.words(tensors)
    assert matrix.shape == (12, 4)
    assert matrix.is_meta
    scaled = portable.scaled(matrix, torch.empty((), device="meta"), 2)
    assert scaled.is_meta


def test_g3_on_the_host_the_number_of_reads_does_not_grow_with_the_model(run: Any) -> None:
    """A healthy step reads as many scalars for two layers as for forty.

    The loss, once for the record and once for the flight recorder; the digest; whether all is well.
    """
    counts = []
    for depth in (1, 20):
        integration._scene.end()  # each is at its first step
        torch.manual_seed(0)
        model = nn.Sequential(*[layer for _ in range(depth) for layer in (nn.Linear(8, 8), nn.Tanh())])
        optimizer = torch.optim.SGD(model.parameters(), lr=0.01)
        watch(model, optimizer)
        model(torch.randn(16, 8)).square().mean().backward()
        with Reads() as reads:
            optimizer.step()
        counts.append(len(reads.waits))
    assert counts[0] == counts[1] <= 8


def test_g2_a_step_starts_no_collective(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Within a process group of one: the communication that torch itself counts in the hook is none."""
    torch.distributed.init_process_group("gloo", store=torch.distributed.HashStore(), rank=0, world_size=1)
    try:
        torch.manual_seed(0)
        model = nn.Linear(6, 3)
        optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
        watch(model, optimizer)
        for _ in range(FIRST + 1):
            model(torch.ones(2, 6)).sum().backward()
            with CommDebugMode() as communication:
                optimizer.step()
            assert communication.get_total_counts() == 0
    finally:
        torch.distributed.destroy_process_group()
    assert len(run.steps) == FIRST + 1


def test_a_watched_model_is_copied_and_saved_as_ever() -> None:
    """An average of the weights, the best model so far: the copy computes the same and needs no agent."""
    model, batch = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1)), torch.randn(5, 3)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = watch(model, optimizer)
    for _ in range(3):
        optimizer.zero_grad()
        model(batch).sum().backward()
        optimizer.step()
    saved = pickle.dumps(model)
    copies = [copy.deepcopy(model), copy.deepcopy(copy.deepcopy(model)), pickle.loads(saved)]
    expected = model.eval()(batch)
    for one in copies:
        assert torch.equal(one.eval()(batch), expected)
        hooks = [hook for module in one.modules() for hook in module._forward_pre_hooks.values()]
        assert all(type(hook).__module__ == "builtins" for hook in hooks)
    assert b"auditor" not in saved
    run.finish("completed")
