"""From a request's body to checked arrivals: the last room in which bytes are not to be trusted.

Pure: no clock, no store. A body that is no sequence of frames raises; a frame that is one but says
something impossible is rejected alone, so that the agent drops it and not its neighbours.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor.ingest import records
from auditor.ingest.decode import StepBatch, Tensor, step_batch, tensor_table
from auditor.ingest.histograms import histogram_batch
from auditor.store.records import Counts, StoredChunk
from auditor_agent import jsonfinite
from auditor_agent.stream.wire import Frame, Limits, WireError, decode

RUN_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,128}")
_SESSION: Final = re.compile(r"[0-9a-f]{16}")
#: What a database cannot store as text: NUL (PostgreSQL) and lone surrogates (UTF-8).
_UNSTORABLE: Final = re.compile("[\x00\ud800-\udfff]")
_TYPES: Final = ("start", "manifest", "steps", "record", "histograms", "finish")
ENDINGS: Final = ("finished", "failed", "stopped")

MAX_INT: Final = 2**53
MAX_SCALARS: Final = 1_000
MAX_EVENTS: Final = 10_000
MAX_NAME: Final = 1_024


@dataclass(frozen=True, slots=True)
class Rejected:
    """A frame that will never be taken, and why."""

    seq: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        """As it stands in an acknowledgement."""
        return {"seq": self.seq, "reason": self.reason}


@dataclass(frozen=True, slots=True)
class Arrival:
    """One checked frame. ``tensors`` is its table where it brings one, ``batch`` its steps if it has any."""

    type: str
    run: str
    attempt: int
    rank: int
    seq: int
    session: str
    floor: int
    time: float
    counts: Counts
    header: dict[str, Any]
    block: memoryview
    tensors: tuple[Tensor, ...] | None = None
    batch: StepBatch | None = None

    @property
    def stream(self) -> tuple[int, int]:
        """The process it came from: (attempt, rank)."""
        return self.attempt, self.rank


def arrivals(body: bytearray | bytes, inflated: int) -> tuple[list[Arrival], list[Rejected]]:
    """Every frame of ``body``, checked; at most ``inflated`` bytes of blocks altogether.

    Raises:
        WireError: if the body is no sequence of intact frames, or of more than one run.
    """
    taken: list[Arrival] = []
    rejected: list[Rejected] = []
    for frame in _frames(memoryview(body), inflated):
        try:
            taken.append(_arrival(frame))
        except WireError as error:
            rejected.append(Rejected(_seq(frame), str(error)))
    if len({arrival.run for arrival in taken}) > 1:
        raise WireError("frames of more than one run in one request")
    return taken, rejected


def replayed(chunk: StoredChunk) -> Arrival:
    """The arrival that a stored frame once was, without its tensor table: the store has that apart.

    Raises:
        WireError: if an older daemon took what this one would not.
    """
    header = json.loads(chunk.header_json)
    header.pop("tensors", None)
    return _arrival(Frame(header, memoryview(chunk.payload)))


def _frames(view: memoryview, inflated: int) -> Iterator[Frame]:
    left = inflated
    while view:
        frame, length = decode(view, Limits(raw=left))
        yield frame
        left -= len(frame.block)
        view = view[length:]


def _seq(frame: Frame) -> int:
    seq = frame.header.get("seq")
    return seq if isinstance(seq, int) and 0 <= seq <= MAX_INT else -1


def _arrival(frame: Frame) -> Arrival:
    header: dict[str, Any] = frame.header
    kind = header.get("type")
    if kind not in _TYPES:
        raise WireError(f"unknown frame type {_short(kind)}")
    tensors = _table(header) if kind == "steps" and "tensors" in header else None
    header = clean(header)
    arrival = Arrival(
        type=kind,
        run=run_id(header.get("run")),
        attempt=integer(header, "attempt", limit=2**31 - 1),
        rank=integer(header, "rank", limit=2**31 - 1),
        seq=integer(header, "seq"),
        session=_session(header.get("session")),
        floor=integer(header, "floor", default=0),
        time=moment(header.get("time")),
        counts=counts(header.get("counts")),
        header=header,
        block=frame.block,
        tensors=tensors,
        batch=_steps(frame, header) if kind == "steps" else None,
    )
    _check_body(arrival)
    return arrival


def run_id(value: Any) -> str:
    """``value`` if it is a run id. Raises WireError if not."""
    if not isinstance(value, str) or not RUN_ID.fullmatch(value):
        raise WireError(f"run id {_short(value)}: 1-128 characters out of A-Z a-z 0-9 . _ : -")
    return value


def integer(header: Mapping[str, Any], name: str, *, limit: int = MAX_INT, default: int | None = None) -> int:
    """The integer 0..``limit`` under ``name``. Raises WireError if it is none."""
    value = header.get(name, default)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= limit:
        raise WireError(f"{name} {_short(value)}: an integer from 0 to {limit}")
    return value


def counts(value: Any) -> Counts:
    """The counts of a header or heartbeat; what is missing is 0. Raises WireError if one is no count."""
    if value is None:
        return Counts()
    if not isinstance(value, dict):
        raise WireError(f"counts {_short(value)}: an object")
    dropped = value.get("dropped") or {}
    if not isinstance(dropped, dict) or len(dropped) > 64:
        raise WireError(f"dropped {_short(dropped)}: an object of at most 64 reasons")
    return Counts(
        produced=integer(value, "produced", default=0),
        sent=integer(value, "sent", default=0),
        pending=integer(value, "pending", default=0),
        dropped={str(clean(reason))[:64]: integer(dropped, reason) for reason in dropped},
    )


def digest(tensors: Any) -> str:
    """Digest of a tensor table as it stands in a header."""
    return hashlib.sha256(json.dumps(tensors, separators=(",", ":")).encode()).hexdigest()[:16]


def _table(header: dict[str, Any]) -> tuple[Tensor, ...]:
    if digest(header["tensors"]) != header.get("table"):
        raise WireError("the digest of the tensor table is not the declared one")
    table = tensor_table(clean(header["tensors"]))
    if any(len(tensor.name) > MAX_NAME or len(tensor.dtype) > MAX_NAME for tensor in table):
        raise WireError(f"a tensor's name is longer than {MAX_NAME} characters")
    return table


def _steps(frame: Frame, header: dict[str, Any]) -> StepBatch:
    for name, limit in (("scalars", MAX_SCALARS), ("events", MAX_EVENTS)):
        value = header.get(name, [])
        if not isinstance(value, list) or len(value) > limit:
            raise WireError(f"{name} {_short(value)}: a list of at most {limit}")
    batch = step_batch(Frame(header, frame.block))
    if len(batch.steps) and int(batch.steps.max()) > MAX_INT:
        raise WireError(f"a step number beyond {MAX_INT}")
    if any(not 0 < len(name) <= MAX_NAME for name in batch.scalars):
        raise WireError(f"a scalar's name is empty or longer than {MAX_NAME} characters")
    for event in batch.events:
        integer(event, "step")
        if not isinstance(event.get("type"), str) or len(event["type"]) > MAX_NAME:
            raise WireError(f"event type {_short(event.get('type'))}: a short string")
    return batch


def _check_body(arrival: Arrival) -> None:
    header = arrival.header
    if arrival.type == "manifest" and not isinstance(header.get("manifest"), dict):
        raise WireError("a manifest frame without a manifest object")
    if arrival.type == "record":
        records.check(Frame(header, arrival.block))
    if arrival.type == "histograms":
        histogram_batch(Frame(header, arrival.block))
    if arrival.type == "finish" and header.get("status") not in ENDINGS:
        raise WireError(f"status {_short(header.get('status'))}: one of {', '.join(ENDINGS)}")


def _session(value: Any) -> str:
    if not isinstance(value, str) or not _SESSION.fullmatch(value):
        raise WireError(f"session {_short(value)}: 16 hexadecimal digits")
    return value


def moment(value: Any) -> float:
    """The Unix seconds in a header or heartbeat. Raises WireError if it is no such time."""
    try:
        seconds = jsonfinite.number(value)
    except (ValueError, OverflowError) as error:
        raise WireError(f"time {_short(value)}: Unix seconds") from error
    if not abs(seconds) < float(MAX_INT):
        raise WireError(f"time {_short(value)}: Unix seconds")
    return seconds


def clean(value: Any) -> Any:
    """``value`` with every character that no database stores replaced by U+FFFD."""
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, list):
        return [clean(item) for item in value]
    if isinstance(value, dict):
        return {clean(key): clean(item) for key, item in value.items()}
    return value


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def span(batch: StepBatch) -> tuple[int | None, int | None]:
    """Smallest and largest step number of a batch, None if it has no steps."""
    if not len(batch.steps):
        return None, None
    return int(batch.steps.min()), int(batch.steps.max())


def tensor_ids_fit(batch: StepBatch, table: tuple[Tensor, ...]) -> bool:
    """Whether every tensor id of ``batch`` is in ``table``."""
    return all(int(np.max(block.tensors, initial=-1)) < len(table) for block in batch.blocks)
