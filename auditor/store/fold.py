"""How what arrives changes a run's and a process's row: pure, and indifferent to order.

Frames come in any order, twice, and interleaved with those of other ranks. So every change here is
guarded by what it is about (attempt, rank, seq, the agent's clock) and not by when it came.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from auditor.model import Alert, RunStatus, Verdict
from auditor.store.records import (
    Chunk,
    ChunkKey,
    Counts,
    Event,
    Exit,
    Finish,
    Manifest,
    Progress,
    ScalarRows,
    Start,
    StreamKey,
    TableRecord,
    WriteBatch,
)
from auditor.store.text import clean, from_json, to_json

Row = dict[str, Any]

#: Of the processes of one attempt that ended differently, the worst says what became of the run.
_WORST = (RunStatus.FAILED, RunStatus.STOPPED, RunStatus.FINISHED)
#: Exit codes and signals of a job that was told to end: SIGINT and SIGTERM, as a shell reports them.
_TOLD_TO_END = {130, 143}
_ENDING_SIGNALS = {"SIGINT", "SIGTERM"}


def runs_of(batch: WriteBatch) -> set[str]:
    """Every run that the batch says something about."""
    records: tuple[Chunk | TableRecord | Progress | Exit | Alert, ...] = (
        *batch.chunks,
        *batch.tables,
        *batch.progress,
        *batch.exits,
        *batch.alerts,
    )
    return {record.run for record in records} | set(batch.stops) | set(batch.verdicts) | set(batch.unjudged)


def streams_of(batch: WriteBatch) -> set[StreamKey]:
    """Every process that the batch says something about."""
    records: tuple[Chunk | Progress, ...] = (*batch.chunks, *batch.progress)
    return {StreamKey(record.run, record.attempt, record.rank) for record in records}


def key_of(record: Manifest | Event | Start | Finish | ScalarRows) -> ChunkKey:
    """The frame that a record came with."""
    return ChunkKey(record.run, record.attempt, record.rank, record.seq)


def columns_of(record: Manifest | Event) -> Row:
    """The record's fields as columns of the same names."""
    return {f.name: getattr(record, f.name) for f in fields(record)}


def new_run(run: str, time: float) -> Row:
    """The row of a run of which nothing is known but that it exists since ``time``."""
    unknown = (
        *("reason", "first_step", "last_step", "loss", "loss_attempt", "loss_rank", "loss_seq"),
        *("named_by_attempt", "named_by_rank", "exit_attempt", "exit_code", "exit_signal", "stop_attempt", "unjudged"),
    )
    return {
        "run": run,
        "project": "default",
        "name": "",
        "framework": "",
        "host": "",
        "status": str(RunStatus.RUNNING),
        "verdict": str(Verdict.HEALTHY),
        "created_at": time,
        "updated_at": time,
        **dict.fromkeys(unknown),
    }


def new_stream(key: StreamKey, time: float) -> Row:
    """The row of a process of which nothing is known but that it lives since ``time``."""
    return {
        **key._asdict(),
        "session": None,
        "status": None,
        "reason": None,
        "step": None,
        "started_at": time,
        "heartbeat_at": time,
        "progress_at": None,
        "counted_at": None,
        "produced": 0,
        "sent": 0,
        "pending": 0,
        "dropped": "{}",
    }


def counts_of(row: Row) -> Counts:
    """The counts in a row of ``streams``."""
    return Counts(row["produced"], row["sent"], row["pending"], from_json(row["dropped"]))


class State:
    """The rows of the runs and processes that a transaction touches, and what it makes of them."""

    def __init__(self, locked: tuple[list[Row], list[Row]]) -> None:
        runs, streams = locked
        self._runs = {row["run"]: row for row in runs}
        self._streams = {StreamKey(row["run"], row["attempt"], row["rank"]): row for row in streams}
        self._before = [dict(row) for row in (*runs, *streams)]

    def hold(self, key: StreamKey, session: str) -> bool:
        """Whether ``session`` may write for ``key``: it does already, or nobody did before."""
        stream = self._streams[key]
        if stream["session"] is None:
            stream["session"] = clean(session)
        return bool(stream["session"] == clean(session))

    def apply(self, batch: WriteBatch, new: Collection[ChunkKey]) -> None:
        """Folds in everything of ``batch`` that touches runs and processes; ``new``: its frames that are."""
        self._apply_frames(batch, new)
        for progress in batch.progress:
            self._progress(progress, batch.time)
        for run, verdict in batch.verdicts.items():
            self._runs[run]["verdict"] = str(verdict)
        for run, reasons in batch.unjudged.items():
            self._runs[run]["unjudged"] = to_json(dict(reasons))
        for run in batch.stops:
            self._runs[run]["stop_attempt"] = self._last_attempt(run)
        for exit_ in batch.exits:
            self._exit(exit_)
        for run in runs_of(batch):
            _larger(self._runs[run], "updated_at", batch.time)
            self._settle(run)

    def _apply_frames(self, batch: WriteBatch, new: Collection[ChunkKey]) -> None:
        for chunk in batch.chunks:
            if chunk.key in new:
                self._chunk(chunk, batch.time)
        for rows in batch.scalars:
            if rows.name == "loss" and key_of(rows) in new:
                self._loss(rows)
        for start in batch.starts:
            if key_of(start) in new:
                self._start(start)
        for finish in batch.finishes:
            if key_of(finish) in new:
                self._finish(finish)

    def changed_runs(self) -> list[Row]:
        """Rows of ``runs`` to write back."""
        return list(self._changed(self._runs.values(), 0))

    def changed_streams(self) -> list[Row]:
        """Rows of ``streams`` to write back."""
        return list(self._changed(self._streams.values(), len(self._runs)))

    def _changed(self, rows: Collection[Row], first: int) -> Iterator[Row]:
        return (row for row, before in zip(rows, self._before[first:], strict=False) if row != before)

    def _chunk(self, chunk: Chunk, time: float) -> None:
        run, stream = self._runs[chunk.run], self._streams[chunk.key.stream]
        _larger(stream, "heartbeat_at", time)
        if chunk.last_step is None:
            return
        _larger(stream, "progress_at", time)
        _larger(stream, "step", chunk.last_step)
        _larger(run, "last_step", chunk.last_step)
        first = chunk.last_step if chunk.first_step is None else chunk.first_step
        run["first_step"] = first if run["first_step"] is None else min(first, run["first_step"])

    def _loss(self, rows: ScalarRows) -> None:
        finite = np.flatnonzero(np.isfinite(rows.values))
        run = self._runs[rows.run]
        # The last frame of the lowest rank of the last attempt.
        known = (run["loss_attempt"], -(run["loss_rank"] or 0), run["loss_seq"])
        if len(finite) and (run["loss"] is None or (rows.attempt, -rows.rank, rows.seq) >= known):
            run["loss"] = float(rows.values[finite[-1]])
            run["loss_attempt"], run["loss_rank"], run["loss_seq"] = rows.attempt, rows.rank, rows.seq

    def _start(self, start: Start) -> None:
        run = self._runs[start.run]
        by = (run["named_by_attempt"], run["named_by_rank"])
        if by == (None, None) or (start.attempt, start.rank) <= by:
            run["named_by_attempt"], run["named_by_rank"] = start.attempt, start.rank
            for name in ("project", "name", "framework", "host"):
                run[name] = clean(getattr(start, name))

    def _finish(self, finish: Finish) -> None:
        stream = self._streams[key_of(finish).stream]
        stream["status"] = str(RunStatus(finish.status))
        stream["reason"] = None if finish.reason is None else clean(finish.reason)
        if finish.step is not None:
            _larger(stream, "step", finish.step)

    def _progress(self, progress: Progress, time: float) -> None:
        stream = self._streams[StreamKey(progress.run, progress.attempt, progress.rank)]
        if None not in (progress.session, stream["session"]) and progress.session != stream["session"]:
            return  # another process, that borrows the name
        _larger(stream, "heartbeat_at", time)
        if progress.step is not None and (stream["step"] is None or progress.step > stream["step"]):
            stream["step"] = progress.step
            _larger(stream, "progress_at", time)
        newer = stream["counted_at"] is None or progress.agent_time >= stream["counted_at"]
        if progress.counts is not None and newer:
            counts = progress.counts
            stream |= {"produced": counts.produced, "sent": counts.sent, "pending": counts.pending}
            stream |= {"dropped": to_json(dict(counts.dropped)), "counted_at": progress.agent_time}

    def _exit(self, exit_: Exit) -> None:
        run = self._runs[exit_.run]
        run["exit_attempt"] = self._last_attempt(exit_.run)
        run["exit_code"], run["exit_signal"] = exit_.code, exit_.signal

    def _last_attempt(self, run: str) -> int:
        return max((key.attempt for key in self._streams if key.run == run), default=0)

    def _settle(self, run: str) -> None:
        """The run's status: what its last attempt's processes say, and what their parent saw.

        A process that ends by ``sys.exit(7)`` knows no better than that it finished: a parent that saw
        a failure is believed.
        """
        row, attempt = self._runs[run], self._last_attempt(run)
        streams = [stream for key, stream in self._streams.items() if (key.run, key.attempt) == (run, attempt)]
        row["status"], row["reason"] = str(RunStatus.RUNNING), None
        if streams and all(stream["status"] for stream in streams):
            worst = next(status for status in _WORST if any(stream["status"] == status for stream in streams))
            row["status"] = str(worst)
            row["reason"] = next((s["reason"] for s in streams if s["status"] == worst and s["reason"]), None)
        if row["exit_attempt"] is not None and row["exit_attempt"] >= attempt:
            seen = _status_of_exit(row["exit_code"], row["exit_signal"])
            if row["status"] in {RunStatus.RUNNING, RunStatus.FINISHED}:
                row["status"] = str(seen)


def _status_of_exit(code: int, signal: str | None) -> RunStatus:
    if signal in _ENDING_SIGNALS or code in _TOLD_TO_END:
        return RunStatus.STOPPED
    return RunStatus.FINISHED if code == 0 and signal is None else RunStatus.FAILED


def _larger(row: Row, name: str, value: float) -> None:
    row[name] = value if row[name] is None else max(row[name], value)


def finite_or_none(value: float | None) -> float | None:
    """A number that every database keeps as it is; a norm that is not finite is in ``nonfinite``."""
    return None if value is None or not math.isfinite(value) else value
