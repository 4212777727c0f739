"""Step batches made by hand for tests of detectors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from auditor.ingest.decode import Block, StepBatch, Tensor
from auditor_agent.statistics import STATISTICS, WORDS

RUN = "run"


def table(layers: int = 3, kinds: Sequence[str] = ("gradient", "weight")) -> tuple[Tensor, ...]:
    """A multilayer perceptron's tensors, in forward order, 8 wide with 10 outputs."""
    out = []
    for kind in kinds:
        for i in range(layers):
            width = 10 if i == layers - 1 else 8
            out.append(Tensor(kind, f"fc{i}.weight", (width, 8), "float32"))
            out.append(Tensor(kind, f"fc{i}.bias", (width,), "float32"))
    return tuple(out)


def words(steps: int, tensors: Sequence[Tensor], l2: Any = 1.0) -> np.ndarray:
    """Statistics of healthy tensors, shape (steps, 12, R); ``l2`` broadcasts to (steps, R)."""
    out = np.zeros((steps, WORDS, len(tensors)), np.uint32)
    out[:, 0] = [int(np.prod(tensor.shape)) for tensor in tensors]
    norms = np.broadcast_to(np.asarray(l2, np.float64), (steps, len(tensors)))
    out.view(np.float32)[:, STATISTICS.index("l2")] = norms
    out.view(np.float32)[:, STATISTICS.index("sumsq")] = norms**2
    return out


def batch(
    seq: int,
    tensors: Sequence[Tensor],
    *,
    first: int = 0,
    steps: int = 10,
    rank: int = 0,
    attempt: int = 0,
    loss: Any = None,
    lr: Any = None,
    l2: Any = 1.0,
    kind: str | None = "gradient",
    bad: Mapping[tuple[int, str], str] | None = None,
    events: Sequence[dict[str, Any]] = (),
) -> StepBatch:
    """A frame of ``steps`` steps from ``first`` on that reports the tensors of ``kind`` (None: no tensor).

    ``bad``: {(step, tensor name): "nan" or "inf"}, two such values from that step on to the frame's end.
    """
    numbers = np.arange(first, first + steps)
    ids = np.array([i for i, tensor in enumerate(tensors) if tensor.kind == kind], np.int64)
    block = words(steps, [tensors[i] for i in ids], l2)
    names = [tensors[i].name for i in ids]
    for (step, name), what in (bad or {}).items():
        block[step - first :, STATISTICS.index(what), names.index(name)] = 2
    scalars = {}
    for scalar, values in (("loss", loss), ("lr", lr)):
        if values is not None:
            scalars[scalar] = (np.arange(steps), np.broadcast_to(np.asarray(values, float), (steps,)).copy())
    blocks = (Block(0, ids, block),) if len(ids) else ()
    times = 1000.0 + numbers * 0.1
    return StepBatch(
        RUN, attempt, rank, seq, "t", numbers.astype(np.uint64), times, scalars, blocks, tuple(dict(e) for e in events)
    )
