"""Turns a training loop's tensors into step batches and shows them to the detectors, in-process."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from auditor.alerts.lifecycle import AlertBook
from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import Block, StepBatch, Tensor
from auditor.model import Alert
from auditor_agent.statistics import WORDS

#: Steps per frame, as the agent's sender would bundle them.
FRAME = 20
#: Weights are reported at the first steps and at every fiftieth one.
SAMPLE = 50


def statistics(tensors: Iterable[np.ndarray]) -> np.ndarray:
    """The (12, R) words of one step."""
    columns = []
    for tensor in tensors:
        flat = tensor.astype(np.float64).ravel()
        finite = flat[np.isfinite(flat)]
        words = np.zeros(WORDS, np.uint32)
        words[:4] = flat.size, np.isnan(flat).sum(), np.isinf(flat).sum(), (flat == 0).sum()
        if finite.size:
            squares = float((finite**2).sum())
            moments = [finite.mean(), finite.std(), finite.min(), finite.max(), np.abs(finite).max()]
            limit = float(np.finfo(np.float32).max)
            values = np.clip([*moments, squares**0.5, finite.sum(), squares], -limit, limit)
            words[4:] = values.astype(np.float32).view(np.uint32)
        columns.append(words)
    return np.stack(columns, axis=1)


class Recorder:
    """One run: collects steps, judges a frame at a time, keeps the alerts."""

    def __init__(self, run: str = "run") -> None:
        self.auditor, self.book = RunAuditor(run), AlertBook(run)
        self.run, self.seq = run, 0
        self.table: list[Tensor] = []
        self.detected: dict[str, int] = {}
        self._ids: dict[tuple[str, str], int] = {}
        self._rows: list[tuple[int, float, float, tuple[int, ...], np.ndarray]] = []

    def torch(self, step: int, model: Any, loss: float, rate: float) -> None:
        """One step of a torch module, between backward and the optimizer's step."""
        named = list(model.named_parameters())
        tensors = [("gradient", n, p.grad.numpy()) for n, p in named if p.grad is not None]
        if step < 3 or step % SAMPLE == 0:
            tensors += [("weight", n, p.detach().numpy()) for n, p in named]
        self.step(step, loss, rate, tensors)

    def step(self, step: int, loss: float, rate: float, tensors: list[tuple[str, str, np.ndarray]]) -> None:
        """One step with its named tensors."""
        ids = tuple(self._id(kind, name, array) for kind, name, array in tensors)
        words = statistics(array for _, _, array in tensors) if tensors else np.zeros((WORDS, 0), np.uint32)
        self._rows.append((step, loss, rate, ids, words))
        if len(self._rows) == FRAME:
            self.flush()

    def flush(self) -> list[Alert]:
        """Judges what was collected; returns the run's alerts."""
        rows, self._rows = self._rows, []
        if rows:
            batch, last = self._batch(rows), rows[-1][0]
            changed = self.book.apply(self.auditor.observe(batch, tuple(self.table), 0), float(last))
            for alert in changed:
                self.detected.setdefault(alert.rule, last)
        return self.book.alerts

    def _batch(self, rows: list[tuple[int, float, float, tuple[int, ...], np.ndarray]]) -> StepBatch:
        count = np.arange(len(rows), dtype=np.int64)
        steps = np.array([row[0] for row in rows], np.uint64)
        scalars = {name: (count, np.array([row[i] for row in rows])) for i, name in ((1, "loss"), (2, "lr"))}
        blocks, first = [], 0
        for i in range(1, len(rows) + 1):
            if i == len(rows) or rows[i][3] != rows[first][3]:
                words = np.stack([row[4] for row in rows[first:i]])
                blocks.append(Block(first, np.array(rows[first][3], np.int64), words))
                first = i
        seq, self.seq = self.seq, self.seq + 1
        return StepBatch(self.run, 0, 0, seq, "", steps, steps.astype(np.float64), scalars, tuple(blocks))

    def _id(self, kind: str, name: str, array: np.ndarray) -> int:
        if (kind, name) not in self._ids:
            self._ids[kind, name] = len(self.table)
            self.table.append(Tensor(kind, name, tuple(array.shape), str(array.dtype)))
        return self._ids[kind, name]
