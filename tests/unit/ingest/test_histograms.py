"""``histograms`` frames, read: what was put in comes out, what does not add up is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.ingest.histograms import histogram_batch
from auditor_agent.histogram import BINS
from auditor_agent.stream import wire
from auditor_agent.stream.histograms import Entry, pack
from auditor_agent.stream.wire import Frame, WireError

GOLDEN = Path(__file__).parents[2] / "contract/golden/histograms.frames"


def golden() -> Frame:
    """The golden frame."""
    return wire.decode(GOLDEN.read_bytes())[0]


def test_every_count_comes_back() -> None:
    """Empty histograms, single bins, all bins, both ends, the largest count."""
    batch = histogram_batch(golden())
    a, b = batch.of(0), batch.of(1)
    assert (a.steps.tolist(), b.steps.tolist()) == ([10, 11], [10, 11, 12])
    assert a.matrix().tolist() == [[0] * 64, list(range(1, 65))]
    single, _, ends = b.matrix()
    assert {bin_: int(n) for bin_, n in enumerate(single) if n} == {27: 7}
    assert {bin_: int(n) for bin_, n in enumerate(ends) if n} == {0: 2**32 - 1, 63: 3}
    assert b.pick(np.array([2, 0])).matrix().tolist() == [ends.tolist(), single.tolist()]
    assert batch.of(2).matrix().shape == (0, 64)


ROWS = st.dictionaries(st.integers(0, BINS - 1), st.integers(0, 2**32 - 1), max_size=5)


@given(st.lists(st.lists(ROWS, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_whatever_is_packed_is_read_back(steps: list[list[dict[int, int]]]) -> None:
    """Of every tensor at every step."""
    dense = np.zeros((len(steps), 3, BINS), np.uint32)
    for at, rows in enumerate(steps):
        for tensor, row in enumerate(rows):
            for bin_, count in row.items():
                dense[at, tensor, bin_] = count
    columns = pack([Entry(7 + at, 1, dense[at].tobytes()) for at in range(len(steps))])
    block = columns.steps.tobytes() + bytes(4 * len(steps)) + columns.counters + columns.ranges
    header = {"steps": len(steps), "rows": columns.rows, "counters": len(columns.counters) // 4, "table": ""}
    more = {"layouts": [[[0, 3]]], "first_step": 7, "last_step": 6 + len(steps)}
    batch = histogram_batch(Frame(header | more, memoryview(block)))
    for tensor in range(3):
        assert (batch.of(tensor).matrix() == dense[:, tensor]).all()


@pytest.mark.parametrize(
    "change",
    [
        {"steps": 2}, {"steps": -3}, {"steps": True}, {"steps": 0}, {"rows": 6}, {"counters": 2**40},
        {"layouts": []}, {"layouts": [[[0, 2]], [[0, 2]]]}, {"layouts": [[[0, 2**60]], [[1, 1]]]}, {"layouts": "no"},
        {"counters": None}, {"first_step": 9}, {"last_step": "12"}, {"first_step": 10.0}, {"table": None},
    ],
)  # fmt: skip
def test_a_header_that_does_not_add_up_is_refused(change: dict[str, Any]) -> None:
    """Before any array is made of it."""
    frame = golden()
    with pytest.raises(WireError):
        histogram_batch(Frame(frame.header | change, frame.block))


@pytest.mark.parametrize(("at", "value"), [(-2, 64), (-1, 255), (-3, 1), (24, 9), (7, 255)])
def test_a_block_that_does_not_add_up_is_refused(at: int, value: int) -> None:
    """Ranges beyond the bins, or with another number of counters; no such layout; a step beyond 2**53."""
    frame = golden()
    block = bytearray(frame.block)
    block[at] = value
    with pytest.raises(WireError):
        histogram_batch(Frame(frame.header, memoryview(block)))
