"""What an agent left in its spool, read back as the daemon would: series by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from auditor.ingest.decode import Tensor, step_batch, tensor_table
from auditor.ingest.records import StepRecording, assemble
from auditor.store.records import StoredChunk
from auditor_agent import jsonfinite
from auditor_agent.statistics import STATISTICS
from auditor_agent.stream import wire

Row = dict[str, float]


@dataclass
class SpooledRun:
    """One attempt of one run."""

    run: str
    attempt: int
    framework: str = ""
    status: str | None = None
    reason: str | None = None
    manifests: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    #: Values by name and step.
    scalars: dict[str, dict[int, float]] = field(default_factory=dict)
    #: Statistics by (kind, name) and step.
    rows: dict[tuple[str, str], dict[int, Row]] = field(default_factory=dict)

    def kinds(self, step: int) -> set[str]:
        """Kinds of the tensors that ``step`` reports."""
        return {kind for (kind, _), rows in self.rows.items() if step in rows}

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """Events but those that every run has."""
        return [event for event in self.events if event["type"] not in {"epoch", "weights", "mode"}]

    def nonfinite(self) -> list[tuple[int, str, str]]:
        """(step, kind, name) of every row with NaN or infinities, in order."""
        found = [
            (step, kind, name)
            for (kind, name), rows in self.rows.items()
            for step, row in rows.items()
            if row["nan"] or row["inf"]
        ]
        return sorted(found)


def spooled(home: Path) -> list[SpooledRun]:
    """Every run and attempt in the spool under ``home``, in the order of their first frames."""
    runs: dict[tuple[str, int], SpooledRun] = {}
    tables: dict[str, tuple[Tensor, ...]] = {}
    for frame in sorted(_frames(home), key=lambda frame: (frame.header["run"], frame.header["seq"])):
        header = frame.header
        key = (header["run"], header["attempt"])
        run = runs.setdefault(key, SpooledRun(*key))
        if header["type"] == "start":
            run.framework = header["framework"]
        elif header["type"] == "manifest":
            run.manifests.append(header["manifest"])
        elif header["type"] == "finish":
            run.status, run.reason = header["status"], header["reason"]
        elif header["type"] == "steps":
            if "tensors" in header:
                tables[header["table"]] = tensor_table(header["tensors"])
            _take(run, frame, tables.get(header["table"], ()))
    return sorted(runs.values(), key=lambda run: run.attempt)


def _frames(home: Path) -> Iterator[wire.Frame]:
    for path in sorted((home / "spool").rglob("*.frames")):
        yield from wire.frames(path.read_bytes())


def _take(run: SpooledRun, frame: wire.Frame, table: tuple[Tensor, ...]) -> None:
    batch = step_batch(frame)
    run.events.extend(batch.events)
    for name, (at, values) in batch.scalars.items():
        run.scalars.setdefault(name, {}).update(zip(batch.steps[at].tolist(), values.tolist(), strict=True))
    for block in batch.blocks:
        columns = {name: block.stat(name) for name in STATISTICS}
        for n in range(len(block.words)):
            for at, tensor in enumerate(block.tensors):
                row = {name: float(column[n, at]) for name, column in columns.items()}
                key = (table[tensor].kind, table[tensor].name)
                run.rows.setdefault(key, {})[int(batch.steps[block.first + n])] = row


def spooled_recordings(home: Path, phase: str = "train") -> list[StepRecording]:
    """What the flight recorder of the one run under ``home`` left, step by step."""
    frames = sorted((f for f in _frames(home) if f.header["type"] == "record"), key=lambda f: int(f.header["seq"]))
    blank = (None, None, 0, 0, None, None)
    chunks = (
        StoredChunk("r", 0, 0, f.header["seq"], "record", "s", *blank, jsonfinite.dumps(f.header), bytes(f.block))
        for f in frames
    )
    return assemble(chunks, phase)
