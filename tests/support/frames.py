"""An agent in a few lines: frames as docs/wire-format.md has them, made without the agent's own code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from auditor_agent.stream import wire

SESSION = "00112233445566aa"
TABLE = (
    ("gradient", "fc1.weight", [4, 3], "float32"),
    ("gradient", "fc1.bias", [4], "float32"),
    ("weight", "fc1.weight", [4, 3], "float32"),
)


def table_digest(table: Sequence[Any]) -> str:
    """Digest of a tensor table, from its definition in the format's document."""
    text = json.dumps([list(entry) for entry in table], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def statistics(norms: Sequence[float], *, nan: Sequence[int] = ()) -> np.ndarray:
    """The 12 x R words of one step: tensor i has norm ``norms[i]`` and ``nan[i]`` NaN elements."""
    width = len(norms)
    words = np.zeros((12, width), np.uint32)
    words[0] = 12
    words[1, : len(nan)] = nan
    floats = words[4:].view(np.float32)
    l2 = np.asarray(norms, np.float32)
    floats[1], floats[3], floats[4], floats[5] = 0.1, l2, l2, l2
    floats[7] = l2**2
    return words


@dataclass
class Sender:
    """Numbers the frames of one (run, attempt, rank)."""

    run: str = "r1"
    attempt: int = 0
    rank: int = 0
    session: str = SESSION
    seq: int = 0
    floor: int = 0
    table: Sequence[Any] = TABLE
    produced: int = 0
    time: float = 1_700_000_000.0
    header: dict[str, Any] = field(default_factory=dict)

    def head(self, kind: str, **more: Any) -> dict[str, Any]:
        """The fields that every frame has; the next ``seq`` is used up."""
        counts = {"produced": self.produced, "sent": self.produced, "pending": 0, "dropped": {}}
        head = {
            "type": kind,
            "run": self.run,
            "attempt": self.attempt,
            "rank": self.rank,
            "session": self.session,
            "seq": self.seq,
            "floor": self.floor,
            "time": self.time,
            "counts": counts,
        }
        self.seq += 1
        return {**head, **self.header, **more}

    def start(self, **more: Any) -> bytes:
        """A start frame."""
        fields = {"project": "p", "name": "n", "framework": "torch", "world_size": 1, "host": "h", "pid": 7}
        return wire.encode(self.head("start", **{**fields, "agent": "0.1.0", "argv0": "train.py", **more}))

    def manifest(self, body: Mapping[str, Any]) -> bytes:
        """A manifest frame."""
        return wire.encode(self.head("manifest", manifest=dict(body)))

    def finish(self, status: str = "finished", step: int = 0) -> bytes:
        """A finish frame."""
        return wire.encode(self.head("finish", status=status, reason=None, step=step))

    def steps(
        self,
        numbers: Sequence[int],
        loss: Sequence[float] | float = 0.5,
        *,
        norms: Sequence[float] = (3.0, 4.0, 1.0),
        nan: Sequence[int] = (),
        tensors: bool | None = None,
        deflate: bool = False,
        events: Sequence[Mapping[str, Any]] = (),
    ) -> bytes:
        """A steps frame: ``loss`` and ``lr`` of every step, the same statistics in each."""
        count = len(numbers)
        self.produced += count
        losses = np.broadcast_to(np.asarray(loss, np.float64), (count,))
        bring = self.seq <= 1 if tensors is None else tensors
        more: dict[str, Any] = {"tensors": [list(entry) for entry in self.table]} if bring else {}
        head = self.head(
            "steps",
            steps=count,
            first_step=min(numbers),
            last_step=max(numbers),
            values=2 * count,
            scalars=["loss", "lr"],
            layouts=[[[0, len(norms)]]],
            table=table_digest(self.table),
            events=list(events),
            **more,
        )
        at = np.arange(count, dtype="<u4")
        block = b"".join(
            (
                np.asarray(numbers, "<u8").tobytes(),
                np.full(count, self.time, "<f8").tobytes(),
                np.zeros(count, "<u4").tobytes(),
                np.concatenate([at, at]).astype("<u4").tobytes(),
                np.repeat(np.array([0, 1], "<u4"), count).tobytes(),
                np.concatenate([losses, np.full(count, 0.01)]).astype("<f8").tobytes(),
                np.tile(statistics(norms, nan=nan), (count, 1, 1)).tobytes(),
            )
        )
        return wire.encode(head, block, deflate=deflate)
