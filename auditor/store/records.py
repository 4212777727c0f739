"""What goes into the store and what comes out of it: plain immutable records, no database in sight.

Times are Unix seconds: of the daemon's clock, unless a field says that it is the agent's. Steps are
the job's own step numbers. A record that came with a frame names the frame's ``seq``: when that
frame is refused, nothing that came with it is stored.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from auditor.ingest.decode import Tensor
from auditor.model import Alert


class StreamKey(NamedTuple):
    """One process of a job: what one agent sends under one count of ``seq``."""

    run: str
    attempt: int
    rank: int


class ChunkKey(NamedTuple):
    """What identifies a frame."""

    run: str
    attempt: int
    rank: int
    seq: int

    @property
    def stream(self) -> StreamKey:
        """The process that the frame came from."""
        return StreamKey(self.run, self.attempt, self.rank)


@dataclass(frozen=True, slots=True)
class Chunk:
    """One frame of any type as it is to be stored.

    ``payload`` is the frame's block, inflated, byte for byte; ``header_json`` its header. ``rows``,
    ``nonfinite`` (NaN and Inf elements in all of its tensors) and ``max_norm`` (largest L2 norm of a
    tensor) are the zone map, which finds frames without decoding any.
    """

    run: str
    attempt: int
    rank: int
    seq: int
    type: str
    session: str
    header_json: str
    payload: bytes | memoryview = b""
    first_step: int | None = None
    last_step: int | None = None
    rows: int = 0
    nonfinite: int = 0
    max_norm: float | None = None
    table: str | None = None
    """Digest of the tensor table that the payload's ids mean."""

    @property
    def key(self) -> ChunkKey:
        """What identifies the frame."""
        return ChunkKey(self.run, self.attempt, self.rank, self.seq)


@dataclass(frozen=True, slots=True)
class ScalarRows:
    """Values of one scalar from one frame: ``steps`` int64 (N,), ``values`` float64 (N,)."""

    run: str
    attempt: int
    rank: int
    seq: int
    name: str
    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class TableRecord:
    """A tensor table of a run under its digest."""

    run: str
    digest: str
    tensors: tuple[Tensor, ...]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What one process said it is. Of one attempt and rank the one with the largest ``seq`` counts."""

    run: str
    attempt: int
    rank: int
    seq: int
    manifest: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened beside the numbers. ``index``: its place among its frame's events."""

    run: str
    attempt: int
    rank: int
    seq: int
    index: int
    step: int
    type: str
    fields: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Start:
    """A process began. ``time`` by the agent's clock."""

    run: str
    attempt: int
    rank: int
    seq: int
    session: str
    time: float
    project: str = "default"
    name: str = ""
    framework: str = ""
    host: str = ""
    world_size: int = 1
    pid: int = 0
    agent: str = ""
    argv0: str = ""


@dataclass(frozen=True, slots=True)
class Finish:
    """A process ended by its own account: ``status`` ``finished``, ``failed`` or ``stopped``."""

    run: str
    attempt: int
    rank: int
    seq: int
    session: str
    status: str
    reason: str | None = None
    step: int | None = None


@dataclass(frozen=True, slots=True)
class Counts:
    """Steps of one process, cumulative: sent + sum of dropped + pending = produced."""

    produced: int = 0
    sent: int = 0
    pending: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Progress:
    """A sign of life, from a heartbeat or from any frame.

    ``agent_time`` is the agent's clock when it made the counts: older counts never replace newer ones.
    """

    run: str
    attempt: int
    rank: int
    agent_time: float
    step: int | None = None
    counts: Counts | None = None
    session: str | None = None


@dataclass(frozen=True, slots=True)
class Exit:
    """What the parent process saw: the exit code, or the name of the signal that killed the job."""

    run: str
    code: int
    signal: str | None = None


@dataclass(frozen=True, slots=True)
class WriteBatch:
    """All that one transaction stores. Every part is idempotent: writing a batch twice changes nothing.

    Records that came with a frame are stored when their frame is, in this batch, new: put the frame
    among ``chunks``. ``verdicts`` by run. ``time`` is when the daemon received it all.
    """

    chunks: Sequence[Chunk] = ()
    scalars: Sequence[ScalarRows] = ()
    tables: Sequence[TableRecord] = ()
    manifests: Sequence[Manifest] = ()
    events: Sequence[Event] = ()
    starts: Sequence[Start] = ()
    finishes: Sequence[Finish] = ()
    progress: Sequence[Progress] = ()
    exits: Sequence[Exit] = ()
    stops: Sequence[str] = ()
    """Runs that were asked to stop."""
    alerts: Sequence[Alert] = ()
    verdicts: Mapping[str, str] = field(default_factory=dict)
    unjudged: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """By run: the rules that could not judge it so far, each with the reason."""
    time: float = field(default_factory=time.time)


@dataclass(frozen=True, slots=True)
class Committed:
    """What became of a batch's frames, in the order in which they were given.

    ``refused``: another session holds (run, attempt, rank); nothing of those frames was stored.
    """

    new: tuple[ChunkKey, ...] = ()
    duplicates: tuple[ChunkKey, ...] = ()
    refused: tuple[ChunkKey, ...] = ()


@dataclass(frozen=True, slots=True)
class StreamRecord:
    """One process of a run as the store knows it. ``status`` is None until it ended by its own account."""

    run: str
    attempt: int
    rank: int
    session: str | None
    status: str | None
    reason: str | None
    step: int | None
    """Largest step known of it, stored or reported by a heartbeat."""
    started_at: float
    heartbeat_at: float
    progress_at: float | None
    """When its last new step arrived."""
    counts: Counts


@dataclass(frozen=True, slots=True)
class RunRecord:
    """One run as a list of runs shows it.

    ``steps`` is the span of its step numbers, ``last_step - first_step + 1``: a step that a restart
    repeats counts once. ``loss`` is the last finite one of the lowest rank of the last attempt.
    ``alerts`` counts the firing ones by severity. ``unjudged``: rules that could not judge the run,
    each with the reason; None while nothing was said.
    """

    run: str
    project: str
    name: str
    framework: str
    host: str
    status: str
    verdict: str
    reason: str | None
    created_at: float
    updated_at: float
    first_step: int | None
    last_step: int | None
    loss: float | None
    attempts: int
    ranks: int
    alerts: Mapping[str, int]
    pending: int
    dropped: Mapping[str, int]
    """Steps that were lost, by reason."""
    stop: bool
    """Somebody asked it to stop."""
    exit_code: int | None
    exit_signal: str | None
    unjudged: Mapping[str, str] | None = None

    @property
    def steps(self) -> int:
        """Number of steps between the first and the last one, both counted."""
        if self.first_step is None or self.last_step is None:
            return 0
        return self.last_step - self.first_step + 1


@dataclass(frozen=True, slots=True)
class Series:
    """One quantity by step, ascending: ``steps`` int64 (N,), ``values`` float64 (N,)."""

    steps: npt.NDArray[np.int64]
    values: npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """One frame as it came back from the store."""

    run: str
    attempt: int
    rank: int
    seq: int
    type: str
    session: str
    first_step: int | None
    last_step: int | None
    rows: int
    nonfinite: int
    max_norm: float | None
    table: str | None
    header_json: str
    payload: bytes
