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


def run(loss: Loss, given: np.ndarray, outputs: int = 1, *, seed: int = 0, head: Any = None) -> Profile:
    """A small network trained on ``given``, with what the graph of its loss kept."""
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
        arrays += [array(role, name, kept.numpy()) for (role, name), kept in graph.tensors.items()]
        facts = {"loss": {**graph.facts, "graph": graph.nodes}}
        found.append(Recording(at + 1, arrays, {"loss": float(value.detach())}, facts))
        optimizer.zero_grad()
        value.backward()
        optimizer.step()
    return profile("a", "torch", assembled(found), Beside())
