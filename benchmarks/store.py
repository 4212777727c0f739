"""Rows per second into the store, bytes per row, and how long history takes to answer.

``python benchmarks/store.py [--db URL] [--runs 20] [--steps 500] [--tensors 150]``: one row is the
twelve statistics of one tensor at one step. Frames of ten steps, one loss per step, a group of four
frames per commit, everything synced to the disk at each. Q1 one series of one run; Q2 the loss curves
of all runs, as the store returns them; Q4 any NaN in history. Medians of repeated questions.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

from auditor.store import Store
from auditor.store.records import TableRecord, WriteBatch
from tests.support.chunks import TABLE, scalar_rows, steps_chunk, tensors, words

FRAME_STEPS = 10
FRAMES_PER_COMMIT = 4


def batches(runs: int, steps: int, count: int) -> list[WriteBatch]:
    """Everything to write, made beforehand: only the store is measured."""
    made = []
    for run in range(runs):
        name = f"bench-{run:03d}"
        frames = []
        for seq, first in enumerate(range(0, steps, FRAME_STEPS)):
            at = range(first, first + FRAME_STEPS)
            block = words(at, count, seed=run)
            if (run, seq) == (runs - 1, 3):
                block[2, 1, count // 2] = 1  # the one NaN of history
            chunk = steps_chunk(name, seq, at, block, scalars={"loss": [1.0] * FRAME_STEPS})
            frames.append((chunk, scalar_rows(chunk, at, loss=[1.0 / (1 + step) for step in at])))
        for i in range(0, len(frames), FRAMES_PER_COMMIT):
            group = frames[i : i + FRAMES_PER_COMMIT]
            batch = WriteBatch(chunks=[c for c, _ in group], scalars=[s for _, rows in group for s in rows])
            made.append(replace(batch, tables=[TableRecord(name, TABLE, tensors(count))]) if i == 0 else batch)
    return made


def milliseconds(question: Callable[[], object], times: int = 15) -> float:
    """Median time of a question."""
    taken = []
    for _ in range(times):
        began = time.perf_counter()
        question()
        taken.append((time.perf_counter() - began) * 1e3)
    return round(median(taken), 3)


def main() -> None:
    """Measures and prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--db", help="URL of an empty database; default: an SQLite file in a temporary folder")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--tensors", type=int, default=150)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "bench.db"
        store = Store.open(options.db or f"sqlite:///{file}")
        work = batches(options.runs, options.steps, options.tensors)
        rows = sum(chunk.rows for batch in work for chunk in batch.chunks)
        commits = []
        began = time.perf_counter()
        for batch in work:
            before = time.perf_counter()
            store.write(batch)
            commits.append((time.perf_counter() - before) * 1e3)
        seconds = time.perf_counter() - began
        every = [f"bench-{run:03d}" for run in range(options.runs)]
        result = {
            "rows": rows,
            "rows_per_second": round(rows / seconds),
            "commit_ms_p50": round(median(commits), 2),
            "commit_ms_p99": round(sorted(commits)[int(len(commits) * 0.99)], 2),
            "Q1_ms": milliseconds(lambda: store.series(every[0], "gradient", "layer7.weight", "l2")),
            "Q2_ms": milliseconds(lambda: [store.scalars(run, ["loss"]) for run in every]),
            "Q4_ms": milliseconds(store.nonfinite),
        }
        store.close()
        if not options.db:
            result["bytes_per_row"] = round(sum(path.stat().st_size for path in Path(folder).iterdir()) / rows, 1)
        print(json.dumps(result, indent=2))


if __name__ == "__main__":
    main()
