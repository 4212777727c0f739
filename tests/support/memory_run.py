"""A run that keeps what it is told, in place of the real one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from auditor_agent.statistics import COUNTS, STATISTICS, WORDS
from auditor_agent.stream.recording import Recording


class MemoryRun:
    """Speaks the contract of ``auditor_agent.run.Run``; everything stays in lists."""

    def __init__(self) -> None:
        self.table: list[tuple[str, str, tuple[int, ...], str]] = []
        self.layouts: list[tuple[int, ...]] = []
        self._steps: list[tuple[int, dict[str, float], bool]] = []
        self._rows: list[dict[tuple[str, str], dict[str, float]]] = []
        self.settling: list[Callable[[], None]] = []
        self.events: list[dict[str, Any]] = []
        self.manifests: list[Mapping[str, Any]] = []
        self.closing: list[Callable[[], None]] = []
        self.logs: list[dict[str, float]] = []
        self.id, self.attempt = "memory", 0
        self.finished = self.should_stop = False
        self.verdict = "unknown"
        self.recordings: list[Recording] = []
        self.observed: dict[str, Any] = {}
        self.counted: dict[tuple[str, str], dict[int, dict[int, int]]] = {}
        self.ended: tuple[str, str | None] | None = None

    @property
    def steps(self) -> list[tuple[int, dict[str, float], bool]]:
        """Number, scalars and urgency of each step."""
        self._settle()
        return self._steps

    @property
    def rows(self) -> list[dict[tuple[str, str], dict[str, float]]]:
        """The statistics of each step, by kind and name."""
        self._settle()
        return self._rows

    def _settle(self) -> None:
        for callback in self.settling:
            callback()

    def on_settle(self, callback: Callable[[], None]) -> None:
        """As ``Run.on_settle``."""
        self.settling.append(callback)

    def tensor(self, kind: str, name: str, shape: Sequence[int], dtype: str) -> int:
        """As ``Run.tensor``."""
        entry = (kind, name, tuple(shape), dtype)
        if entry not in self.table:
            self.table.append(entry)
        return self.table.index(entry)

    def layout(self, tensors: Sequence[int]) -> int:
        """As ``Run.layout``."""
        self.layouts.append(tuple(tensors))
        return len(self.layouts) - 1

    def record(
        self,
        step: int,
        scalars: Mapping[str, float],
        layout: int,
        words: bytes,
        *,
        time: float,  # noqa: ARG002 - the contract's
        urgent: bool,
    ) -> None:
        """As ``Run.record``; the words are read back as the daemon reads them."""
        tensors = self.layouts[layout]
        matrix = np.frombuffer(words, "<u4").reshape(WORDS, len(tensors))
        rows = {n: m if n in COUNTS else m.view("<f4") for n, m in zip(STATISTICS, matrix, strict=True)}
        self._steps.append((step, dict(scalars), urgent))
        self._rows.append(
            {self.table[t][:2]: {n: float(rows[n][at]) for n in STATISTICS} for at, t in enumerate(tensors)}
        )

    def histograms(self, step: int, layout: int, counters: bytes) -> None:
        """As ``Run.histograms``; by kind and name, the occupied bins."""
        tensors = self.layouts[layout]
        for t, row in zip(tensors, np.frombuffer(counters, "<u4").reshape(len(tensors), 64), strict=True):
            occupied = {int(bin_): int(row[bin_]) for bin_ in np.flatnonzero(row)}
            self.counted.setdefault(self.table[t][:2], {})[step] = occupied

    def event(self, step: int, type: str, **fields: Any) -> None:  # noqa: A002 - the contract's name
        """As ``Run.event``."""
        self.events.append({"step": step, "type": type, **fields})

    def log(self, **scalars: float) -> None:
        """As ``Run.log``."""
        self.logs.append(scalars)

    def manifest(self, body: Mapping[str, Any]) -> None:
        """As ``Run.manifest``."""
        self.manifests.append(body)

    def recording(self, recording: Recording) -> None:
        """As ``Run.recording``."""
        self.recordings.append(recording)

    def observe(self, **sections: Any) -> None:
        """As ``Run.observe``."""
        self.observed |= sections

    def finish(self, status: str = "finished", reason: str | None = None) -> None:
        """As ``Run.finish``."""
        while self.closing:
            self.closing.pop()()
        self.ended, self.finished = (status, reason), True

    def on_finish(self, callback: Callable[[], None]) -> None:
        """As ``Run.on_finish``."""
        self.closing.append(callback)

    def scalar(self, name: str) -> list[float]:
        """The values of one scalar, step after step."""
        return [scalars[name] for _, scalars, _ in self.steps if name in scalars]
