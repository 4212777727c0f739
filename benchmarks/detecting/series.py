"""A recording as series by name: what rules other than ours are given to read."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor.ingest.decode import StepBatch, Tensor
from auditor_agent.statistics import COUNTS, STATISTICS
from detecting.judge import frames

F64 = npt.NDArray[np.float64]
I64 = npt.NDArray[np.int64]
_NOTHING: Final = (np.zeros(0, np.int64), np.zeros(0))


@dataclass(slots=True)
class Series:
    """The first rank's numbers: ``scalars`` {name: (steps, values)}, ``tensors`` {(kind, name): (steps, words)}.

    ``words`` (N, 12), float64, the statistics in the order of ``STATISTICS``.
    """

    scalars: dict[str, tuple[I64, F64]] = field(default_factory=dict)
    tensors: dict[tuple[str, str], tuple[I64, F64]] = field(default_factory=dict)

    def scalar(self, *names: str) -> tuple[I64, F64]:
        """The first of the scalars ``names`` that was given; empty if none was."""
        return next((self.scalars[name] for name in names if name in self.scalars), _NOTHING)

    def of(self, kind: str) -> dict[str, tuple[I64, F64]]:
        """The tensors of one kind by name."""
        return {name: series for (known, name), series in self.tensors.items() if known == kind}


def stat(words: F64, name: str) -> F64:
    """One statistic of a tensor, (N,)."""
    column: F64 = words[:, STATISTICS.index(name)]
    return column


def load(recording: Path) -> Series:
    """The series of a recording's first rank."""
    scalars: dict[str, list[tuple[I64, F64]]] = {}
    tensors: dict[tuple[str, str], list[tuple[I64, F64]]] = {}
    tables: dict[str, tuple[Tensor, ...]] = {}
    for arrival in frames(recording):
        if arrival.batch is None or arrival.rank:
            continue
        if arrival.tensors is not None:
            tables[arrival.batch.table] = arrival.tensors
        _add(arrival.batch, tables.get(arrival.batch.table, ()), scalars, tensors)
    return Series(
        {name: (_joined(parts, 0), _joined(parts, 1)) for name, parts in scalars.items()},
        {name: (_joined(parts, 0), _joined(parts, 1)) for name, parts in tensors.items()},
    )


def _joined(parts: list[tuple[Any, Any]], which: int) -> Any:
    return np.concatenate([part[which] for part in parts])


def _add(
    batch: StepBatch,
    table: tuple[Tensor, ...],
    scalars: dict[str, list[tuple[I64, F64]]],
    tensors: dict[tuple[str, str], list[tuple[I64, F64]]],
) -> None:
    steps = batch.steps.astype(np.int64)
    for name, (at, values) in batch.scalars.items():
        scalars.setdefault(name, []).append((steps[at], values))
    for block in batch.blocks:
        words = block.words.view(np.float32).astype(np.float64)
        words[:, : len(COUNTS), :] = block.words[:, : len(COUNTS), :]
        rows = steps[block.first : block.first + len(words)]
        for column, tensor in enumerate(block.tensors):
            if tensor < len(table):
                found = table[int(tensor)]
                tensors.setdefault((found.kind, found.name), []).append((rows, words[:, :, column]))
