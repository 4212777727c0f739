"""A small network trained with NumPy, told to the engine as an agent would tell it; faults by switch."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np

from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import Block, StepBatch, Tensor
from auditor.model import Finding
from auditor_agent.statistics import STATISTICS, WORDS
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array

SHAPES = {"fc0.weight": (16, 8), "fc0.bias": (16,), "fc1.weight": (3, 16), "fc1.bias": (3,)}


def words(tensors: Sequence[Any]) -> np.ndarray:
    """The twelve statistics of each, (12, R)."""
    out = np.zeros((WORDS, len(tensors)), np.uint32)
    floats = out.view(np.float32)
    for column, tensor in enumerate(tensors):
        flat = np.asarray(tensor, np.float64).ravel()
        out[0, column], out[3, column] = flat.size, int((flat == 0).sum())
        norm = float((flat**2).sum())
        values = [flat.mean(), flat.std(), flat.min(), flat.max(), np.abs(flat).max(), norm**0.5, flat.sum(), norm]
        for name, value in zip(STATISTICS[4:], values, strict=True):
            floats[STATISTICS.index(name), column] = np.clip(value, -3e38, 3e38)
    return out


@dataclass
class Training:
    """Softmax regression on three clusters through one hidden layer, plain SGD.

    ``frozen``: weights that the step leaves alone; ``cut``: whose gradient is never computed (None) and
    ``zero``: whose gradient is zeros. ``rate`` may be a function of the step. ``dtype`` is that of the weights;
    ``begin`` are weights to go on from; ``facts`` those of each recording beside its phase.
    """

    framework: ClassVar[str] = "torch"
    rate: float | Callable[[int], float] = 0.1
    batch: int = 16
    keep: bool = False
    frozen: tuple[str, ...] = ()
    cut: tuple[str, ...] = ()
    zero: tuple[str, ...] = ()
    dtype: str = "float32"
    targets: str = "learnable"
    scale: float = 1.0
    seed: int = 0
    clip: float | None = None
    manifest: Mapping[str, Any] = field(default_factory=dict)
    begin: Mapping[str, np.ndarray] | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)

    def run(self, steps: int = 160, per_frame: int = 7) -> list[Finding]:
        """Everything that all rules say of the run."""
        self.rng = np.random.default_rng(self.seed)
        bound = {name: 1 / np.sqrt(shape[-1]) for name, shape in SHAPES.items()}
        self.weights = {n: self.rng.uniform(-bound[n], bound[n], s).astype(self.dtype) for n, s in SHAPES.items()}
        self.weights = {n: w * self.dtype_of(self.scale) for n, w in self.weights.items()}
        self.weights |= {name: weight.copy() for name, weight in (self.begin or {}).items()}
        self.sums = {name: np.zeros(shape) for name, shape in SHAPES.items()}
        centres = self.rng.normal(size=(3, 8))
        self.sender = Sender(RunAuditor(RUN))
        self.sender.start(framework=self.framework)
        self.sender.manifest({"loss": {"class": "CrossEntropy", "from_logits": True}, **self.manifest})
        found: list[Finding] = []
        names = [name for name in SHAPES if name not in self.cut]
        table = tuple(
            Tensor(kind, name, SHAPES[name], self.dtype) for kind in ("gradient", "weight") for name in names
        ) + tuple(Tensor("weight", name, SHAPES[name], self.dtype) for name in self.cut)
        pending: list[tuple[int, float, float, np.ndarray, np.ndarray | None]] = []
        for step in range(1, steps + 1):
            labels = self.rng.integers(0, 3, self.batch)
            inputs = centres[labels] + 0.5 * self.rng.normal(size=(self.batch, 8))
            if self.targets == "noise":
                labels = self.rng.integers(0, 3, self.batch)
            rate = self.rate(step) if callable(self.rate) else self.rate
            before = {name: weight.copy() for name, weight in self.weights.items()}
            loss, gradients, output = self.step(inputs, labels, rate)
            if step <= 20:
                arrays = [array("weight", n, before[n]) for n in names]
                arrays += [array("gradient", n, gradients[n].astype(self.dtype)) for n in names]
                arrays += [array("updated", n, self.weights[n]) for n in names]
                arrays += [array("batch", "input0", inputs), array("target", "target0", labels)]
                arrays += [array("output", "output0", output)]
                facts = {"phase": "train", **self.facts}
                found += self.sender.record(Recording(step, arrays, {"loss": loss, "lr": rate}, facts))
            sampled = step <= 5 or step % 50 == 0
            weights = words([before[t.name] for t in table if t.kind == "weight"]) if sampled else None
            pending.append((step, loss, rate, words([gradients[n] for n in names]), weights))
            if sampled or len(pending) == per_frame or step == steps:
                found += self.tell(pending, table)
                pending = []
        return found

    def dtype_of(self, value: float) -> Any:
        """A scalar of the weights' type."""
        return np.dtype(self.dtype).type(value)

    def step(self, inputs: Any, labels: Any, rate: float) -> tuple[float, dict[str, np.ndarray], np.ndarray]:
        """One step of SGD on the mean cross entropy."""
        w = {name: weight.astype(np.float64) for name, weight in self.weights.items()}
        before = inputs @ w["fc0.weight"].T + w["fc0.bias"]
        hidden = np.maximum(before, 0)
        output = hidden @ w["fc1.weight"].T + w["fc1.bias"]
        shifted = output - output.max(axis=1, keepdims=True)
        share = np.exp(shifted) / np.exp(shifted).sum(axis=1, keepdims=True)
        own = np.arange(len(labels))
        loss = float(-np.log(np.maximum(share[own, labels], 1e-300)).mean())
        error = share.copy()
        error[own, labels] -= 1
        error /= len(labels)
        back = (error @ w["fc1.weight"]) * (before > 0)
        fresh = {
            "fc0.weight": back.T @ inputs, "fc0.bias": back.sum(0),
            "fc1.weight": error.T @ hidden, "fc1.bias": error.sum(0),
        }  # fmt: skip
        for name, new in fresh.items():
            kept = self.sums[name] if self.keep else 0.0
            self.sums[name] = np.zeros_like(new) if name in self.zero else kept + new
        gradients = dict(self.sums)
        if self.clip is not None:
            norm = float(np.sqrt(sum((g**2).sum() for g in gradients.values())))
            gradients = {name: g * min(1.0, self.clip / norm) for name, g in gradients.items()}
        for name, gradient in gradients.items():
            if name not in self.frozen and name not in self.cut:
                self.weights[name] = (self.weights[name] - (rate * gradient).astype(self.dtype)).astype(self.dtype)
        return loss, gradients, output

    def tell(self, pending: Sequence[tuple[int, float, float, Any, Any]], table: Sequence[Tensor]) -> list[Finding]:
        """A frame of steps; of these only the last may hold weights."""
        numbers = np.array([entry[0] for entry in pending])
        gradients = np.array([i for i, tensor in enumerate(table) if tensor.kind == "gradient"], np.int64)
        blocks = [Block(0, gradients, np.stack([entry[3] for entry in pending]))]
        if pending[-1][4] is not None:
            weights = np.array([i for i, tensor in enumerate(table) if tensor.kind == "weight"], np.int64)
            blocks.append(Block(len(pending) - 1, weights, pending[-1][4][None]))
        at = np.arange(len(pending))
        scalars = {"loss": (at, np.array([e[1] for e in pending])), "lr": (at, np.array([e[2] for e in pending]))}
        times = 1000.0 + numbers
        batch = StepBatch(RUN, 0, 0, 0, "t", numbers.astype(np.uint64), times, scalars, tuple(blocks), ())
        return self.sender.steps(batch, tuple(table))


def rules(found: Sequence[Finding]) -> list[str]:
    """Ids in the order in which they were said first."""
    return list(dict.fromkeys(one.rule for one in found if not one.cleared))
