from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import replace

import pytest

from auditor.store import Store, StoreUnavailable, Writer, writer
from auditor.store.records import Committed, WriteBatch
from support.chunks import steps_batch


class SlowStore:
    """A store whose commits wait until they are let go; remembers what each transaction held."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.entered, self.go = threading.Semaphore(0), threading.Semaphore(0)

    def write_all(self, batches: Sequence[WriteBatch]) -> list[Committed]:
        """Waits to be let go, then says that everything is new."""
        self.groups.append(len(batches))
        self.entered.release()
        assert self.go.acquire(timeout=10)
        return [Committed(new=tuple(chunk.key for chunk in batch.chunks)) for batch in batches]


def test_what_arrives_during_a_commit_goes_into_the_next(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first alone, the nine that came meanwhile together."""
    slow = SlowStore()
    grouping = Writer(slow)  # type: ignore[arg-type]
    first = grouping.submit(steps_batch("r", 0, [0]))
    assert slow.entered.acquire(timeout=10)
    rest = [grouping.submit(steps_batch("r", seq, [seq])) for seq in range(1, 10)]
    assert not first.done()
    slow.go.release(2)
    assert [future.result(timeout=10).new[0].seq for future in [first, *rest]] == list(range(10))
    assert slow.groups == [1, 9]
    grouping.close()


def test_a_transaction_is_bounded_in_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A flood is written in parts."""
    slow = SlowStore()
    batch = steps_batch("r", 0, range(10), count=20)
    monkeypatch.setattr(writer, "COMMIT_BYTES", 5 * len(batch.chunks[0].payload))
    grouping = Writer(slow)  # type: ignore[arg-type]
    futures = [grouping.submit(batch)]
    assert slow.entered.acquire(timeout=10)
    futures += [grouping.submit(batch) for _ in range(9)]
    slow.go.release(10)
    for future in futures:
        future.result(timeout=10)
    assert slow.groups == [1, 4, 4, 1]
    grouping.close()


def test_who_submits_into_a_full_queue_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back-pressure: memory stays bounded while the disk is slow."""
    slow = SlowStore()
    monkeypatch.setattr(writer, "QUEUE_BYTES", 1)
    grouping = Writer(slow)  # type: ignore[arg-type]
    grouping.submit(steps_batch("r", 0, [0]))
    assert slow.entered.acquire(timeout=10)
    grouping.submit(steps_batch("r", 1, [1]))  # fills the queue
    waiting = threading.Thread(target=lambda: grouping.submit(steps_batch("r", 2, [2])))
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    slow.go.release(3)
    waiting.join(10)
    assert not waiting.is_alive()
    grouping.close()
    assert slow.groups == [1, 1, 1]


def test_each_submitter_learns_the_fate_of_its_own_frames(store: Store) -> None:
    """New for the first, duplicate for the second, refused for the intruder."""
    grouping = Writer(store)
    batches = [
        steps_batch("r", 0, [0]),
        steps_batch("r", 0, [0]),
        steps_batch("r", 1, [1], session="f" * 16),  # type: ignore[arg-type]
    ]
    first, second, third = [grouping.submit(batch).result(timeout=10) for batch in batches]
    assert (len(first.new), len(second.duplicates), len(third.refused)) == (1, 1, 1)
    grouping.close()


def test_a_batch_that_the_database_does_not_take_fails_alone(store: Store) -> None:
    """Its neighbours in the same transaction are committed."""
    grouping = Writer(store)
    good = [steps_batch("r", seq, [seq]) for seq in range(6)]
    bad = steps_batch("r", 9, [9])
    bad = replace(bad, chunks=[replace(bad.chunks[0], seq=2**70)])
    futures = [grouping.submit(batch) for batch in [*good[:3], bad, *good[3:]]]
    failed = [future.exception(timeout=10) for future in futures]
    assert [error is None for error in failed] == [True] * 3 + [False] + [True] * 3
    assert not isinstance(failed[3], StoreUnavailable)
    assert store.frontier("r") == {(0, 0): [(0, 5)]}
    grouping.close()


def test_closing_writes_what_waits_and_takes_no_more(store: Store) -> None:
    """Nothing that was taken is lost; closing twice is harmless."""
    grouping = Writer(store)
    futures = [grouping.submit(steps_batch("r", seq, [seq])) for seq in range(20)]
    grouping.close()
    grouping.close()
    assert all(future.result(timeout=0).new for future in futures)
    with pytest.raises(StoreUnavailable, match="shutting down"):
        grouping.submit(steps_batch("r", 99, [1]))
