"""A run as a Parquet file: the open format for whoever wants the numbers elsewhere.

``statistics``: one row per (attempt, rank, seq, step, tensor) with the tensor's kind and name and the
twelve statistics in their own types. ``scalars``: one row per (attempt, rank, name, step), non-finite
values as they are. Both are written piece by piece: memory does not grow with the run.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import sqlalchemy as sa

from auditor.ingest.decode import Block, StepBatch, Tensor
from auditor.store import read, special
from auditor.store.errors import unavailable
from auditor.store.store import Store
from auditor.store.tables import SCALARS
from auditor_agent.statistics import COUNTS, STATISTICS

#: Rows of one row group, about: a few megabytes, enough for columns to compress well.
GROUP_ROWS: Final = 1 << 17

_STATISTICS: Final = pa.schema(
    [
        ("attempt", pa.int32()),
        ("rank", pa.int32()),
        ("seq", pa.int64()),
        ("step", pa.int64()),
        ("time", pa.float64()),
        ("kind", pa.dictionary(pa.int32(), pa.string())),
        ("name", pa.dictionary(pa.int32(), pa.string())),
        *((name, pa.uint32() if name in COUNTS else pa.float32()) for name in STATISTICS),
    ]
)
_SCALARS: Final = pa.schema(
    [
        ("attempt", pa.int32()),
        ("rank", pa.int32()),
        ("name", pa.dictionary(pa.int32(), pa.string())),
        ("step", pa.int64()),
        ("value", pa.float64()),
    ]
)


def export_parquet(
    store: Store, run: str, path: str | Path, what: Literal["statistics", "scalars"] = "statistics"
) -> int:
    """Writes ``run`` to ``path``, which appears only once it is whole; the number of rows.

    Raises:
        KeyError: if there is no such run.
        ValueError: if ``what`` is neither.
        OSError: if ``path`` cannot be written.
    """
    pieces = {"statistics": _statistics, "scalars": _scalars}
    if what not in pieces:
        raise ValueError(f"cannot export {what!r}: statistics or scalars")
    if store.run(run) is None:
        raise KeyError(run)
    schema = _STATISTICS if what == "statistics" else _SCALARS
    target = Path(path)
    partial = target.with_name(f"{target.name}.{os.getpid()}.partial")
    try:
        rows = _write(partial, schema, pieces[what](store, run))
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return rows


def _write(path: Path, schema: Any, pieces: Iterator[Any]) -> int:
    total, waiting, count = 0, [], 0
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for piece in pieces:
            waiting.append(piece)
            count += piece.num_rows
            if count >= GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(waiting, schema).unify_dictionaries())
                total, waiting, count = total + count, [], 0
        writer.write_table(pa.Table.from_batches(waiting, schema).unify_dictionaries())
    return total + count


def _statistics(store: Store, run: str) -> Iterator[Any]:
    tables = store.tables(run)
    for chunk in store.chunks(run, type="steps"):
        batch = read.steps_of(chunk)
        for block in batch.blocks:
            yield _block(batch, block, tables.get(chunk.table or "", ()))


def _block(batch: StepBatch, block: Block, table: tuple[Tensor, ...]) -> Any:
    count, _, width = block.words.shape
    rows = slice(block.first, block.first + count)
    tensors = np.tile(block.tensors, count)
    columns = [
        pa.array(np.full(count * width, batch.attempt, np.int32)),
        pa.array(np.full(count * width, batch.rank, np.int32)),
        pa.array(np.full(count * width, batch.seq, np.int64)),
        pa.array(np.repeat(batch.steps[rows].astype(np.int64), width)),
        pa.array(np.repeat(batch.times[rows], width)),
        _labels(tensors, [tensor.kind for tensor in table]),
        _labels(tensors, [tensor.name for tensor in table]),
        *(pa.array(np.ascontiguousarray(block.stat(name)).ravel()) for name in STATISTICS),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_STATISTICS)


def _labels(tensors: npt.NDArray[np.int64], of_table: list[str]) -> Any:
    """What the table says of each tensor id; null for an id beyond it."""
    distinct = list(dict.fromkeys(of_table))
    place = {label: i for i, label in enumerate(distinct)}
    codes = np.array([place[label] for label in of_table], dtype=np.int32)
    known = tensors < len(codes)
    indices = np.zeros(len(tensors), np.int32)
    indices[known] = codes[tensors[known]]
    return pa.DictionaryArray.from_arrays(pa.array(indices, mask=~known), pa.array(distinct, pa.string()))


def _scalars(store: Store, run: str) -> Iterator[Any]:
    c = SCALARS.c
    order = (c.name, c.attempt, c.rank, c.step)
    query = sa.select(*order, c.value, c.special).where(c.run == run).order_by(*order).limit(GROUP_ROWS)
    position: sa.ColumnElement[bool] = sa.true()
    while True:
        with unavailable(), store.engine.connect() as connection:
            rows = connection.execute(query.where(position)).all()
        if not rows:
            return
        names, attempts, ranks, steps, values, kinds = (list(column) for column in zip(*rows, strict=True))
        columns = [
            pa.array(attempts, pa.int32()),
            pa.array(ranks, pa.int32()),
            pa.array(names, pa.string()).dictionary_encode(),
            pa.array(steps, pa.int64()),
            pa.array(special.join(values, kinds)),
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=_SCALARS)
        position = sa.tuple_(*order) > sa.tuple_(*map(sa.literal, rows[-1][:4]))
