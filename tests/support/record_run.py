"""A run that keeps what it is told, for tests of integrations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from auditor_agent.statistics import STATISTICS
from auditor_agent.stream.recording import Recording


class MemoryRun:
    """A run that keeps what it is told."""

    def __init__(self, name: str = "memory") -> None:
        self.id, self.should_stop, self.verdict = name, False, "unknown"
        self.tensors: dict[tuple[str, str], int] = {}
        self.layouts: list[tuple[int, ...]] = []
        self.records: list[dict[str, Any]] = []
        self.events: list[dict[str, Any]] = []
        self.logs: list[dict[str, float]] = []
        self.manifests: list[Mapping[str, Any]] = []
        self.counted: dict[int, dict[tuple[str, str], list[int]]] = {}
        self.recordings: list[Recording] = []
        self.observed: dict[str, Any] = {}
        self.closing: list[Callable[[], None]] = []
        self.finished = False
        self.ended: tuple[Any, ...] | None = None

    def tensor(self, kind: str, name: str, shape: Sequence[int], dtype: str) -> int:  # noqa: ARG002 -- the contract's signature
        """Id of a tensor."""
        return self.tensors.setdefault((kind, name), len(self.tensors))

    def layout(self, tensors: Sequence[int]) -> int:
        """Id of a layout."""
        key = tuple(tensors)
        if key not in self.layouts:
            self.layouts.append(key)
        return self.layouts.index(key)

    def record(
        self,
        step: int,
        scalars: Mapping[str, float],
        layout: int | None = None,
        words: bytes | None = None,
        *,
        time: float | None = None,
        urgent: bool = False,
    ) -> None:
        """Keep a step, its words as statistics by (kind, name)."""
        table: dict[tuple[str, str], dict[str, float]] = {}
        if words is not None and layout is not None:
            matrix = np.frombuffer(words, "<u4").reshape(len(STATISTICS), -1)
            names = {place: key for key, place in self.tensors.items()}
            for column, tensor in enumerate(self.layouts[layout]):
                moments = np.ascontiguousarray(matrix[4:, column]).view("<f4").tolist()
                table[names[tensor]] = dict(zip(STATISTICS, [*matrix[:4, column].tolist(), *moments], strict=True))
        self.records.append({"step": step, "scalars": dict(scalars), "table": table, "time": time, "urgent": urgent})

    def histograms(self, step: int, layout: int, counters: bytes) -> None:
        """Keep a step's histograms, 64 counters by (kind, name)."""
        names = {place: key for key, place in self.tensors.items()}
        rows = np.frombuffer(counters, "<u4").reshape(len(self.layouts[layout]), 64).tolist()
        self.counted[step] = {names[tensor]: row for tensor, row in zip(self.layouts[layout], rows, strict=True)}

    def log(self, **scalars: float) -> None:
        """The user's scalars."""
        self.logs.append(scalars)

    def event(self, step: int, kind: str, /, **fields: Any) -> None:
        """What happened."""
        self.events.append({"step": step, "type": kind, **fields})

    def manifest(self, body: Mapping[str, Any]) -> None:
        """What the run is."""
        self.manifests.append(body)

    def on_finish(self, callback: Callable[[], None]) -> None:
        """Called when the run is finished."""
        self.closing.append(callback)

    def recording(self, recording: Recording) -> None:
        """What the flight recorder saw."""
        self.recordings.append(recording)

    def observe(self, **sections: Any) -> None:
        """What was seen of the run."""
        self.observed |= sections

    def finish(self, *args: Any, **_: Any) -> None:
        """The end."""
        while self.closing:
            self.closing.pop()()
        self.finished, self.ended = True, args

    @property
    def steps(self) -> list[int]:
        """Numbers of the recorded steps, as they came."""
        return [record["step"] for record in self.records]

    def scalar(self, name: str) -> list[float]:
        """One scalar over the steps."""
        return [record["scalars"][name] for record in self.records]
