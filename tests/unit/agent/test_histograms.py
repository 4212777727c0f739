"""Histograms between the training loop and the daemon: bounded, counted, exact."""

from __future__ import annotations

import struct
from collections.abc import Callable

import numpy as np
import pytest

from auditor.ingest.histograms import histogram_batch
from auditor_agent.histogram import BINS, HISTOGRAM_BYTES, lower_edge
from auditor_agent.run import Run
from auditor_agent.stream.histograms import FRAME_BYTES, MOST_BYTES, SHELF_BYTES, Entry, Shelf
from support.agent import ZEROS, balanced
from support.fake_daemon import FakeDaemon


def counters(*rows: dict[int, int]) -> bytes:
    """R x 64 counters from their occupied bins."""
    return b"".join(struct.pack("<64I", *[row.get(bin_, 0) for bin_ in range(BINS)]) for row in rows)


def two_tensors(run: Run) -> int:
    """A layout of a gradient of six elements and one of four."""
    return run.layout([run.tensor("gradient", "a", (2, 3), "float32"), run.tensor("gradient", "b", (4,), "float32")])


def test_the_edges_are_powers_of_two() -> None:
    """The first bin takes all that is smaller."""
    assert [lower_edge(bin_) for bin_ in (0, 1, 40, 63)] == [0.0, 2.0**-39, 1.0, 2.0**23]


def test_histograms_reach_the_daemon_after_the_steps_they_belong_to(
    fake_daemon: FakeDaemon, new_run: Callable[..., Run]
) -> None:
    """In a frame of their own, every count exact, in books of their own."""
    run = new_run()
    layout = two_tensors(run)
    for step in (1, 2):
        run.record(step, {"loss": 0.5}, layout, ZEROS)
        run.histograms(step, layout, counters({30: 5, 32: 1}, {0: 3, 63: step}))
    run.finish()
    kinds = [header["type"] for header in fake_daemon.headers()]
    assert kinds.index("steps") < kinds.index("histograms")
    frames = [frame for _, frame in sorted(fake_daemon.frames.items()) if frame.header["type"] == "histograms"]
    found = [histogram_batch(frame).of(1) for frame in frames]
    assert np.concatenate([rows.steps for rows in found]).tolist() == [1, 2]
    assert np.concatenate([rows.matrix()[:, 63] for rows in found]).tolist() == [1, 2]
    books = {"produced": 2, "sent": 2, "pending": 0, "dropped": {}}
    assert run.counts() == books | {"histograms": books}
    balanced(run)


def test_a_run_without_histograms_has_no_books_of_them(fake_daemon: FakeDaemon, new_run: Callable[..., Run]) -> None:
    """The header of its frames is what it was."""
    run = new_run()
    run.record(1, {"loss": 0.5})
    run.finish()
    assert all("histograms" not in header["counts"] for header in fake_daemon.headers())


def test_counters_that_do_not_fit_their_layout_are_refused_and_counted(
    no_daemon: str, new_run: Callable[..., Run], as_in_production: None
) -> None:
    """They would be read as another tensor's."""
    run = new_run()
    run.histograms(1, two_tensors(run), counters({1: 1}))
    assert run.counts()["histograms"]["dropped"] == {"invalid": 1}


def test_what_nobody_takes_is_bounded_and_counted(no_daemon: str, new_run: Callable[..., Run]) -> None:
    """However fast the loop, and however large the model."""
    shelf = Shelf()
    data = bytes(HISTOGRAM_BYTES * 100)
    kept = SHELF_BYTES // len(data)
    reasons = [shelf.put(Entry(step, 1, data)) for step in range(kept + 10)]
    assert reasons == [None] * kept + ["shelf_full"] * 10
    assert shelf.books.counts() == {"produced": kept + 10, "sent": 0, "pending": kept, "dropped": {"shelf_full": 10}}
    assert shelf.put(Entry(0, 1, bytes(MOST_BYTES + 256))) == "shelf_full"


def test_a_large_model_still_gets_its_steps_in() -> None:
    """Room grows with the size of a step, up to a bound; frames stay small, one step each if it must be."""
    shelf = Shelf()
    data = bytes(FRAME_BYTES // 2 + HISTOGRAM_BYTES)
    assert [shelf.put(Entry(step, 1, data)) for step in range(3)] == [None] * 3
    assert [[entry.step for entry in shelf.take()] for _ in range(4)] == [[0], [1], [2], []]


def test_frames_that_the_spool_pushed_out_are_dropped_in_the_books() -> None:
    """A frame below the floor that nobody acknowledged is lost; one that was settled is not."""
    shelf = Shelf()
    for step in range(6):
        shelf.put(Entry(step, 1, bytes(HISTOGRAM_BYTES)))
    shelf.take()
    for seq, steps in ((3, 1), (5, 2), (8, 3)):
        shelf.spooled(seq, steps)
    shelf.settled(5)
    shelf.settled(4)
    shelf.lost_below(8)
    assert shelf.books.counts() == {"produced": 6, "sent": 2, "pending": 3, "dropped": {"spool_full": 1}}
    shelf.settled(8, "rejected")
    assert shelf.books.counts()["dropped"] == {"spool_full": 1, "rejected": 3}


@pytest.mark.parametrize("closed", [True, False])
def test_after_the_end_nothing_is_taken(closed: bool) -> None:
    """It is counted under the reason."""
    shelf = Shelf()
    shelf.closed = closed
    assert shelf.put(Entry(1, 1, bytes(HISTOGRAM_BYTES))) == ("finished" if closed else None)
