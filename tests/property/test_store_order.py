"""D1 and D6: whatever the order and however often frames come, the store ends up the same."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.store import Store
from auditor.store.records import Chunk, Counts, Event, Finish, Manifest, Progress, WriteBatch
from support.chunks import SESSION, start_batch, steps_batch

FRESH = itertools.count()


def story(run: str) -> list[WriteBatch]:
    """What two attempts of two ranks send: the second resumes five steps back; a rewind within the first."""
    frames = []
    for attempt, rank in itertools.product(range(2), range(2)):
        where = {"attempt": attempt, "rank": rank}
        frames.append(start_batch(run, **where, name=f"{attempt}-{rank}", host=f"h{rank}"))
        firsts = (0, 5, 3, 8) if attempt == 0 else (6, 11)
        for seq, first in enumerate(firsts, start=1):
            batch = steps_batch(run, seq, range(first, first + 5), **where)
            counts = Counts(5 * seq, 5 * seq - 1, 1, {"ring": rank})
            event = Event(run, attempt, rank, seq, 0, first, "epoch", {"n": seq})
            progress = Progress(run, attempt, rank, float(seq), first + 4, counts)
            frames.append(replace(batch, events=[event], progress=[progress]))
        last = len(firsts) + 1
        chunk = Chunk(run, attempt, rank, last, "finish", SESSION, "{}")
        manifest = Manifest(run, attempt, rank, last, {"last": last})
        finish = Finish(run, attempt, rank, last, SESSION, "finished" if rank else "failed", f"of {attempt}")
        frames.append(WriteBatch(chunks=[chunk], manifests=[manifest], finishes=[finish]))
    return [replace(frame, time=1000.0) for frame in frames]


def told(store: Store, run: str) -> dict[str, Any]:
    """All that the store says of a run, without the run's id."""
    series = store.series(run, "gradient", "layer1.weight", "l2")
    answer = {
        "run": store.run(run),
        "streams": store.streams(run),
        "scalars": {name: (s.steps.tolist(), s.values.tolist()) for name, s in store.scalars(run).items()},
        "series": (series.steps.tolist(), series.values.tolist()),
        "chunks": list(store.chunks(run)),
        "events": store.events(run),
        "manifests": store.manifests(run),
        "tables": store.tables(run),
        "frontier": store.frontier(run),
    }
    return {key: str(value).replace(run, "RUN") for key, value in answer.items()}


@pytest.fixture
def in_order(store: Store) -> dict[str, Any]:
    """What the store says when everything comes once and in order."""
    for batch in story("in-order"):
        store.write(batch)
    return told(store, "in-order")


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_d1_d6_order_and_repetition_do_not_matter(store: Store, in_order: dict[str, Any], data: st.DataObject) -> None:
    """Shuffled, some of it twice, grouped at random into transactions."""
    run = f"run-{next(FRESH)}"
    batches = story(run)
    again = data.draw(st.lists(st.sampled_from(batches), max_size=12))
    arrivals = data.draw(st.permutations([*batches, *again]))
    cuts = sorted(data.draw(st.sets(st.integers(1, len(arrivals)), max_size=10)))
    fates = [
        fate
        for first, last in itertools.pairwise([0, *cuts, len(arrivals)])
        for fate in store.write_all(arrivals[first:last])
    ]
    assert sum(len(fate.new) for fate in fates) == len(batches)
    assert sum(len(fate.duplicates) for fate in fates) == len(again)
    assert told(store, run) == in_order
