"""What a frame's statistics say about a step as a whole: the global gradient norm, the non-finite count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from auditor.ingest.decode import F64, I64, Block, StepBatch, Tensor

_F32_MAX = float(np.finfo(np.float32).max)
_F32_TINY = float(np.finfo(np.float32).tiny)


@dataclass(frozen=True, slots=True)
class Zone:
    """A frame's zone map: statistics rows, NaN and Inf elements, largest L2 norm of a tensor."""

    rows: int = 0
    nonfinite: int = 0
    max_norm: float | None = None


def zone(batch: StepBatch) -> Zone:
    """The zone map over every tensor of ``batch``."""
    if not batch.blocks:
        return Zone()
    broken = sum(int(block.stat(name).sum(dtype=np.uint64)) for block in batch.blocks for name in ("nan", "inf"))
    norms = [float(np.nanmax(block.stat("l2"))) for block in batch.blocks if block.stat("l2").size]
    finite = [norm for norm in norms if np.isfinite(norm)]
    return Zone(batch.rows, min(broken, 2**62), max(finite) if finite else None)


def step_scalars(batch: StepBatch, table: tuple[Tensor, ...]) -> dict[str, tuple[I64, F64]]:
    """``grad_norm`` of every step that reports gradients, ``nonfinite`` where there is a NaN or Inf.

    ``grad_norm`` is the L2 norm of all gradient tensors of this rank together: NaN where an element is
    NaN, else infinite where one is infinite. ``nonfinite`` counts these elements. As in
    ``StepBatch.scalars``: indices into the steps, and values. A name that the job logs itself is left
    to the job.
    """
    is_gradient = np.array([tensor.kind == "gradient" for tensor in table], dtype=bool)
    at: list[I64] = []
    norms: list[F64] = []
    broken: list[F64] = []
    for block in batch.blocks:
        chosen = is_gradient[block.tensors]
        if not chosen.any():
            continue
        at.append(np.arange(block.first, block.first + len(block.words), dtype=np.int64))
        nan, inf = (block.stat(name)[:, chosen].sum(axis=1, dtype=np.float64) for name in ("nan", "inf"))
        norm = np.sqrt(_squares(block)[:, chosen].sum(axis=1))
        norms.append(np.where(nan > 0, np.nan, np.where(inf > 0, np.inf, norm)))
        broken.append(nan + inf)
    if not at:
        return {}
    index, count = np.concatenate(at), np.concatenate(broken)
    some = count > 0
    derived = {"grad_norm": (index, np.concatenate(norms)), "nonfinite": (index[some], count[some])}
    return {name: value for name, value in derived.items() if len(value[0]) and name not in batch.scalars}


def _squares(block: Block) -> F64:
    """Sum of squares per step and tensor, float64; from the norm where float32 could not hold the sum."""
    sums, norms = block.stat("sumsq").astype(np.float64), block.stat("l2").astype(np.float64)
    squares: F64 = np.where((sums < _F32_TINY) | (sums >= _F32_MAX), norms * norms, sums)
    return squares
