from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from auditor.store import Store, export
from auditor.store.records import TableRecord, WriteBatch
from auditor_agent.statistics import COUNTS, STATISTICS
from support.chunks import TABLE, scalar_rows, start_batch, steps_chunk, tensors, words


def filled(store: Store, frames: int = 5, count: int = 4) -> dict[int, np.ndarray]:
    """Writes a run of frames of three steps; the statistics by frame."""
    blocks = {}
    for seq in range(frames):
        steps = range(3 * seq, 3 * seq + 3)
        blocks[seq] = words(steps, count, seed=seq)
        chunk = steps_chunk("r", seq, steps, blocks[seq])
        values = [math.nan, math.inf, 0.5 + seq]
        batch = WriteBatch([chunk], scalar_rows(chunk, steps, loss=values), [TableRecord("r", TABLE, tensors(count))])
        store.write(batch)
    return blocks


def test_every_statistic_of_every_step_is_a_row(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own type, exact, over several row groups."""
    monkeypatch.setattr(export, "GROUP_ROWS", 24)
    blocks = filled(store)
    path = tmp_path / "r.parquet"
    assert export.export_parquet(store, "r", path) == 5 * 3 * 4
    file = pq.ParquetFile(path)
    assert file.num_row_groups == 3
    table = file.read()
    assert table.column("step").to_pylist() == [step for step in range(15) for _ in range(4)]
    assert table.column("name").to_pylist()[:4] == [f"layer{i}.weight" for i in range(4)]
    assert set(table.column("kind").to_pylist()) == {"gradient"}
    for i, stat in enumerate(STATISTICS):
        column = np.concatenate([blocks[seq][:, i, :].ravel() for seq in range(5)])
        expected = column if stat in COUNTS else column.view(np.float32)
        assert table.column(stat).to_numpy().tolist() == expected.tolist()


def test_scalars_keep_their_special_values(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NaN is NaN in the file, not a null; page by page."""
    monkeypatch.setattr(export, "GROUP_ROWS", 4)
    filled(store)
    assert export.export_parquet(store, "r", tmp_path / "s.parquet", "scalars") == 15
    table = pq.read_table(tmp_path / "s.parquet")
    assert table.column("step").to_pylist() == list(range(15))
    assert table.column("value").null_count == 0
    assert str(table.column("value").to_pylist()[:3]) == "[nan, inf, 0.5]"


def test_a_run_without_steps_makes_an_empty_file_with_all_columns(store: Store, tmp_path: Path) -> None:
    """So that whoever reads many runs finds the same columns in each."""
    store.write(start_batch("r"))
    for what in ("statistics", "scalars"):
        assert export.export_parquet(store, "r", tmp_path / what, what) == 0  # type: ignore[arg-type]
    assert pq.read_table(tmp_path / "statistics").column_names[-12:] == list(STATISTICS)


def test_no_file_is_left_when_the_export_fails(store: Store, tmp_path: Path) -> None:
    """An unknown run, an unknown kind of export, a frame that does not decode."""
    with pytest.raises(KeyError, match="unknown"):
        export.export_parquet(store, "unknown", tmp_path / "x")
    chunk = steps_chunk("r", 0, [1], words([1], 2))
    damaged = WriteBatch(chunks=[type(chunk)("r", 0, 0, 0, "steps", "s", chunk.header_json, b"short", 1, 1)])
    store.write(damaged)
    with pytest.raises(ValueError, match="cannot export 'pictures'"):
        export.export_parquet(store, "r", tmp_path / "x", "pictures")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="steps block"):
        export.export_parquet(store, "r", tmp_path / "x")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("x")] == []
