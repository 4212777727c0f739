"""Small networks in PyTorch whose loss the test writes, recorded with what the graph of that loss kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.integrations.torch.graph import read
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

ROWS, WIDE, STEPS = 24, 6, 10
Loss = Callable[[Tensor, Tensor], Tensor]
LABELS = (np.random.default_rng(0).random((STEPS, ROWS)) < 0.4).astype(np.float32)
CLASSES = np.random.default_rng(1).integers(0, 4, (STEPS, ROWS))
COUNTS = np.random.default_rng(2).poisson(2.0, (STEPS, ROWS)).astype(np.float32)
VECTORS = np.random.default_rng(3).normal(size=(STEPS, ROWS, 4)).astype(np.float32)


def run(
    loss: Loss,
    given: np.ndarray,
    outputs: int = 1,
    *,
    seed: int = 0,
    head: Any = None,
    told: np.ndarray | None = None,
) -> Profile:
    """A small network trained on ``given``, with what its loss's graph kept; or with ``told`` as Keras has targets."""
    torch.manual_seed(seed)
    model = nn.Sequential(nn.Linear(WIDE, 8), nn.Tanh(), nn.Linear(8, outputs), *([head] if head else []))
    optimizer = torch.optim.SGD(model.parameters(), 0.05)
    found = []
    for at in range(STEPS):
        x = torch.randn(ROWS, WIDE)
        out = model(x)
        met = out.squeeze(1) if outputs == 1 else out
        value = loss(met, torch.tensor(given[at]))
        graph = read(value, {out.grad_fn: "output0"}, {id(p): "weight" for p in model.parameters()})
        arrays = [array("batch", "input0", x.numpy()), array("output", "output0", out.detach().numpy())]
        kept = graph.tensors.items() if told is None else ()
        arrays += [array(role, name, values.numpy()) for (role, name), values in kept]
        arrays += [] if told is None else [array("target", "target0", told[at])]
        facts = {"loss": {**graph.facts, "graph": graph.nodes}} if told is None else {}
        found.append(Recording(at + 1, arrays, {"loss": float(value.detach())}, facts))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return profile("a", "torch", assembled(found), Beside())
