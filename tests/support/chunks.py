"""Frames and chunks made of arrays, as an agent and the ingest would make them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from auditor.ingest.decode import Tensor
from auditor.store.records import Chunk, ScalarRows, Start, TableRecord, WriteBatch
from auditor_agent.statistics import STATISTICS, WORDS

TABLE = "00112233aabbccdd"
SESSION = "0123456789abcdef"


def tensors(count: int, kind: str = "gradient") -> tuple[Tensor, ...]:
    """A tensor table of ``count`` small tensors."""
    return tuple(Tensor(kind, f"layer{i}.weight", (4, 4), "float32") for i in range(count))


def words(steps: Sequence[int], count: int, seed: int = 0) -> npt.NDArray[np.uint32]:
    """Statistics of ``count`` tensors at each step: plausible noise, reproducible; shape (N, 12, R)."""
    random = np.random.default_rng([seed, *steps])
    block = np.zeros((len(steps), WORDS, count), np.uint32)
    block[:, 0, :] = 16
    block[:, 4:, :] = random.standard_normal((len(steps), 8, count), np.float32).view(np.uint32)
    l2 = STATISTICS.index("l2")
    block[:, l2, :] = np.abs(block[:, l2, :].view(np.float32)).view(np.uint32)
    return block


def steps_chunk(
    run: str,
    seq: int,
    steps: Sequence[int],
    block: npt.NDArray[np.uint32],
    *,
    attempt: int = 0,
    rank: int = 0,
    scalars: dict[str, Sequence[float]] | None = None,
    session: str = SESSION,
    **fields: Any,
) -> Chunk:
    """A ``steps`` frame: one layout with all tensors of ``block`` (N, 12, R), scalars at every step."""
    count, values = len(steps), scalars or {}
    header = {
        "type": "steps",
        "run": run,
        "attempt": attempt,
        "rank": rank,
        "seq": seq,
        "session": session,
        "steps": count,
        "values": count * len(values),
        "scalars": list(values),
        "layouts": [[[0, block.shape[2]]]],
        "table": TABLE,
        "events": [],
    }
    columns = [
        np.array(steps, "<u8"),
        np.array(steps, "<f8"),
        np.zeros(count, "<u4"),
        np.tile(np.arange(count, dtype="<u4"), len(values)),
        np.repeat(np.arange(len(values), dtype="<u4"), count),
        np.concatenate([np.array(v, "<f8") for v in values.values()]) if values else np.zeros(0, "<f8"),
        block,
    ]
    l2 = block[:, STATISTICS.index("l2"), :].view(np.float32)
    return Chunk(
        run=run,
        attempt=attempt,
        rank=rank,
        seq=seq,
        type="steps",
        session=session,
        header_json=json.dumps(header),
        payload=b"".join(column.tobytes() for column in columns),
        first_step=min(steps),
        last_step=max(steps),
        rows=block.shape[0] * block.shape[2],
        nonfinite=int(block[:, 1:3, :].sum()),
        max_norm=float(l2.max(initial=0.0)),
        table=TABLE,
        **fields,
    )


def scalar_rows(chunk: Chunk, steps: Sequence[int], **values: Sequence[float]) -> list[ScalarRows]:
    """Scalars that came with ``chunk``."""
    key = (chunk.run, chunk.attempt, chunk.rank, chunk.seq)
    at = np.array(steps, np.int64)
    return [ScalarRows(*key, name, at, np.array(column, np.float64)) for name, column in values.items()]


def steps_batch(run: str, seq: int, steps: Sequence[int], count: int = 3, **where: int) -> WriteBatch:
    """A batch of one ``steps`` frame with its table and a falling loss."""
    losses = [1 / (1 + step) for step in steps]
    chunk = steps_chunk(run, seq, steps, words(steps, count), scalars={"loss": losses}, **where)
    return WriteBatch(
        chunks=[chunk],
        scalars=scalar_rows(chunk, steps, loss=losses),
        tables=[TableRecord(run, TABLE, tensors(count))],
    )


def start_batch(run: str, *, attempt: int = 0, rank: int = 0, session: str = SESSION, **fields: Any) -> WriteBatch:
    """A batch of one ``start`` frame."""
    return WriteBatch(
        chunks=[Chunk(run, attempt, rank, 0, "start", session, "{}")],
        starts=[Start(run, attempt, rank, 0, session, 1.0, **fields)],
    )
