from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.store import Store
from auditor.store.read import PAGE
from auditor.store.records import TableRecord, WriteBatch
from auditor_agent.statistics import COUNTS, STATISTICS
from support.chunks import TABLE, scalar_rows, start_batch, steps_batch, steps_chunk, tensors, words


def test_runs_are_listed_by_last_change_and_filtered(store: Store) -> None:
    """Project, status, time and number."""
    for i in range(4):
        batch = start_batch(f"r{i}", project="even" if i % 2 == 0 else "odd")
        store.write(replace(batch, time=100.0 + i))
    assert [run.run for run in store.runs()] == ["r3", "r2", "r1", "r0"]
    assert [run.run for run in store.runs(project="even")] == ["r2", "r0"]
    assert [run.run for run in store.runs(since=102.0)] == ["r3", "r2"]
    assert [run.run for run in store.runs(limit=1)] == ["r3"]
    assert store.runs(status="failed") == []
    assert store.run("r9") is None


def test_times_are_of_the_daemons_clock(store: Store) -> None:
    """The first and the last word that arrived; a batch with an older time does not turn it back."""
    for time in (100.0, 300.0, 200.0):
        store.write(replace(steps_batch("r", int(time), [1]), time=time))
    run = store.run("r")
    assert run is not None
    assert (run.created_at, run.updated_at) == (100.0, 300.0)


def test_every_statistic_of_a_tensor_comes_back_by_step(store: Store) -> None:
    """Exactly the numbers of the frames, counts and moments alike, in the order of steps."""
    blocks = {seq: words(range(10 * seq, 10 * seq + 10), 5, seed=seq) for seq in (2, 0, 1)}
    for seq, block in blocks.items():
        store.write(WriteBatch(chunks=[steps_chunk("r", seq, range(10 * seq, 10 * seq + 10), block)]))
    store.write(WriteBatch(chunks=[], tables=[]))
    store.write(replace(steps_batch("r", 3, [30], count=5), tables=[TableRecord("r", TABLE, tensors(5))]))
    whole = np.concatenate([blocks[seq][:, :, 3] for seq in range(3)])
    for i, stat in enumerate(STATISTICS):
        series = store.series("r", "gradient", "layer3.weight", stat)
        assert series.steps.tolist() == list(range(31))
        column = whole[:, i] if stat in COUNTS else whole[:, i].view(np.float32)
        assert series.values[:30].tolist() == column.astype(np.float64).tolist()


def test_series_know_attempts_and_ranks(store: Store) -> None:
    """Without a choice: the last attempt that took a step, its lowest rank."""
    values = {}
    for attempt, rank, steps in ((0, 0, range(6)), (1, 0, range(4, 8)), (1, 1, range(4, 9))):
        block = words(steps, 2, seed=10 * attempt + rank)
        chunk = steps_chunk("r", 0, steps, block, attempt=attempt, rank=rank)
        store.write(WriteBatch(chunks=[chunk], tables=[TableRecord("r", TABLE, tensors(2))]))
        values[attempt, rank] = block[:, STATISTICS.index("l2"), 1].view(np.float32)
    series = store.series("r", "gradient", "layer1.weight", "l2")
    assert series.steps.tolist() == list(range(9))
    expected = [*values[0, 0][:4], *values[1, 0], values[1, 1][-1]]
    assert series.values.tolist() == [float(value) for value in expected]
    assert store.series("r", "gradient", "layer1.weight", "l2", attempt=0).steps.tolist() == list(range(6))
    of_rank = store.series("r", "gradient", "layer1.weight", "l2", rank=1)
    assert of_rank.values.tolist() == values[1, 1].astype(float).tolist()


def test_a_tensor_that_nobody_reported_has_an_empty_series(store: Store) -> None:
    """Unknown name, unknown kind, unknown run; an unknown statistic is an error."""
    store.write(steps_batch("r", 0, range(3)))
    for run, kind, name in (("r", "gradient", "x"), ("r", "weight", "layer0.weight"), ("q", "gradient", "x")):
        assert store.series(run, kind, name, "l2").steps.tolist() == []
    with pytest.raises(ValueError, match="unknown statistic 'norm'"):
        store.series("r", "gradient", "layer0.weight", "norm")


def test_scalars_are_chosen_by_name_attempt_rank_and_step(store: Store) -> None:
    """Names without values are absent."""
    for attempt, rank in ((0, 0), (0, 1), (1, 0)):
        steps = range(3 * attempt, 3 * attempt + 5)
        chunk = steps_chunk("r", 0, steps, words(steps, 1), attempt=attempt, rank=rank)
        loss, lr = [100.0 * attempt + 10 * rank + step for step in steps], [0.1] * 5
        store.write(WriteBatch(chunks=[chunk], scalars=scalar_rows(chunk, steps, loss=loss, lr=lr)))
    assert sorted(store.scalars("r")) == ["loss", "lr"]
    assert sorted(store.scalars("r", ["loss", "accuracy"])) == ["loss"]
    assert store.scalars("r", ["loss"])["loss"].values.tolist() == [0, 1, 2, 103, 104, 105, 106, 107]
    assert store.scalars("r", ["loss"], rank=1)["loss"].values.tolist() == [10, 11, 12, 13, 14]
    assert store.scalars("r", ["loss"], attempt=0, rank=0)["loss"].values.tolist() == [0, 1, 2, 3, 4]
    assert store.scalars("r", ["loss"], after=5)["loss"].steps.tolist() == [6, 7]
    assert store.scalars("q") == {}


def test_frames_come_in_order_over_many_pages(store: Store) -> None:
    """By attempt, rank and seq, each once, while others are being written."""
    count = 2 * PAGE + 7
    for rank in (1, 0):
        store.write(
            WriteBatch(chunks=[c for seq in range(count) for c in steps_batch("r", seq, [seq], rank=rank).chunks])
        )
    chunks = store.chunks("r")
    seen = [next(chunks)]
    store.write(steps_batch("r", count, [count], rank=1))
    seen += chunks
    assert [(chunk.rank, chunk.seq) for chunk in seen] == [
        *((0, seq) for seq in range(count)),
        *((1, seq) for seq in range(count + 1)),
    ]
    assert [chunk.seq for chunk in store.chunks("r", rank=1, after_seq=count - 2)] == [count - 1, count]
    assert list(store.chunks("r", attempt=1)) == []
    assert list(store.chunks("r", type="manifest")) == []


def test_the_frontier_shows_what_is_missing(store: Store) -> None:
    """Ranges by process, both ends included."""
    for seq in (0, 1, 2, 5, 7, 8):
        store.write(steps_batch("r", seq, [seq]))
    store.write(steps_batch("r", 4, [4], attempt=1, rank=3))
    assert store.frontier("r") == {(0, 0): [(0, 2), (5, 5), (7, 8)], (1, 3): [(4, 4)]}
    assert store.frontier("q") == {}


def test_any_nan_in_history_is_found_by_index_alone(store: Store) -> None:
    """Of one run or of all; SQLite's plan reads no table."""
    for run in ("a", "b"):
        for seq in range(6):
            block = words([seq], 2)
            block[0, 1, 0] = 7 if (run, seq) == ("b", 4) else 0
            store.write(WriteBatch(chunks=[steps_chunk(run, seq, [seq], block)]))
    assert store.nonfinite() == [("b", 4, 4, 7)]
    assert store.nonfinite("a") == []
    if store.engine.dialect.name == "sqlite":
        with store.engine.connect() as connection:
            question = "EXPLAIN QUERY PLAN SELECT run, first_step, last_step, nonfinite FROM chunks WHERE nonfinite > 0"
            plan = [row[-1] for row in connection.exec_driver_sql(question)]
        assert plan == ["SCAN chunks USING COVERING INDEX chunks_nonfinite"]
