from __future__ import annotations

from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from auditor.alerts.lifecycle import AlertBook
from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import StepBatch
from auditor.model import Alert
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table()
NAMES = [tensor.name for tensor in TABLE if tensor.kind == "gradient"]
STEPS = 40
FRAMES = 8


FAULTS = st.one_of(
    st.just(("none", 0, ())),
    st.just(("jump", 10, ())),
    st.tuples(st.just("loss"), st.integers(0, STEPS - 1), st.just(())),
    st.tuples(
        st.sampled_from(["nan", "inf"]),
        st.integers(0, STEPS - 1),
        st.lists(st.sampled_from(NAMES), min_size=1, max_size=3, unique=True).map(tuple),
    ),
)
Fault = tuple[str, int, tuple[str, ...]]


def frame(rank: int, seq: int, fault: Fault) -> StepBatch:
    """A frame in which a fault happens: a bad gradient, a bad loss, a jump, or none."""
    first = seq * STEPS
    loss = np.random.default_rng([rank, seq]).uniform(0.9, 1.1, STEPS)
    what, at, names = fault
    if what in {"loss", "jump"}:
        loss[at:] = np.nan if what == "loss" else 50.0
    bad = {(first + at, name): what for name in names}
    return batch(seq + 1, TABLE, first=first, steps=STEPS, rank=rank, loss=loss, lr=0.1, bad=bad)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[Fault], list[int]]:
    """A fault for each frame of two ranks, and an order in which they come, some of them twice."""
    faults = draw(st.lists(FAULTS, min_size=2 * FRAMES, max_size=2 * FRAMES))
    twice = draw(st.lists(st.sampled_from(range(2 * FRAMES)), max_size=6))
    return faults, draw(st.permutations([*range(2 * FRAMES), *twice]))


def frames(story: tuple[list[Fault], list[int]]) -> tuple[list[StepBatch], list[StepBatch]]:
    """The frames in order, and as the story has them come."""
    faults, order = story
    ordered = [frame(i // FRAMES, i % FRAMES, fault) for i, fault in enumerate(faults)]
    return ordered, [ordered[i] for i in order]


def audit(batches: list[StepBatch], book: AlertBook | None = None) -> list[Alert]:
    """The alerts, without the times at which the daemon wrote them."""
    auditor, book = RunAuditor(RUN), book or AlertBook(RUN)
    for rank in range(2):  # first in each lane: before a step of one rank is judged, the job is known to have two
        Sender(auditor, rank).start(world_size=2)
    for now, one in enumerate(batches):
        book.apply(auditor.observe(one, TABLE, 0), float(now))
    return book.alerts


def timeless(alerts: list[Alert]) -> list[Alert]:
    """What an alert says, without when it was written."""
    return [replace(alert, started_at=0.0, updated_at=0.0, resolved_at=None) for alert in alerts]


@settings(max_examples=300, deadline=None)
@given(stories())
def test_d6_order_and_duplicates_do_not_matter(story: tuple[list[Fault], list[int]]) -> None:
    """Any shuffle of the ranks' frames, with duplicates, ends in the same alerts."""
    ordered, shuffled = frames(story)
    assert timeless(audit(shuffled)) == timeless(audit(ordered))


@settings(max_examples=40, deadline=None)
@given(stories())
def test_d8_alerts_taken_back_and_frames_replayed_give_the_same_alerts(
    story: tuple[list[Fault], list[int]],
) -> None:
    """After a restart: stored alerts restored, stored frames replayed in order, nothing changes."""
    ordered, shuffled = frames(story)
    before = audit(shuffled)
    book = AlertBook(RUN)
    book.restore(before)
    assert audit(ordered, book) == before
