"""Curves of ended runs as columns: the same numbers as their rows, and never old ones."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from auditor.store import Store, packed
from auditor.store.records import ScalarRows, Series, WriteBatch
from auditor.store.tables import PACKED
from support.chunks import start_batch, steps_chunk, words


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten steps make a long curve here."""
    monkeypatch.setattr(packed, "LEAST", 10)


def told(store: Store, seq: int, steps: Sequence[int], values: Sequence[float], *, rank: int = 0) -> None:
    """Writes one frame with a loss at these steps."""
    chunk = steps_chunk("r", seq, steps, words(steps, 1), rank=rank)
    rows = ScalarRows("r", 0, rank, seq, "loss", np.array(steps, np.int64), np.array(values, np.float64))
    store.write(WriteBatch(chunks=[chunk], scalars=[rows]))


def packed_all(store: Store) -> int:
    """Packs until nothing is left; how many curves are packed then."""
    while store.pack("r"):
        pass
    with store.engine.connect() as connection:
        return len(connection.execute(PACKED.select()).all())


def same(one: Series, other: Series) -> bool:
    """Whether two are equal to the bit: NaN, signs of zero and infinities included."""
    return one.steps.tobytes() == other.steps.tobytes() and one.values.tobytes() == other.values.tobytes()


@pytest.mark.parametrize("steps", [range(3, 23), [*range(10), *range(40, 50)]])
def test_a_packed_curve_is_that_of_its_rows_to_the_bit(store: Store, steps: Sequence[int]) -> None:
    """Steps without a gap and with one, from any step on; both databases."""
    values = np.exp(np.random.default_rng(0).normal(size=len(steps)))
    values[[2, 5, 7, 11]] = np.nan, -0.0, np.inf, -np.inf
    store.write(start_batch("r"))
    told(store, 1, steps, values.tolist())
    rows = {after: store.scalars("r", ["loss"], after=after)["loss"] for after in (None, steps[0], steps[12])}
    assert packed_all(store) == 1
    with store.engine.connect() as connection:
        connection.exec_driver_sql("DELETE FROM scalars")
        connection.commit()
    assert all(same(store.scalars("r", ["loss"], after=after)["loss"], found) for after, found in rows.items())
    assert store.scalars("r", ["loss"], after=steps[-1]) == {}


def test_what_is_told_later_is_what_is_read(store: Store) -> None:
    """A step that is told anew, and one more: the copy goes with the commit that makes it old."""
    store.write(start_batch("r"))
    told(store, 1, range(20), [1.0] * 20)
    assert packed_all(store) == 1
    told(store, 2, [5, 20], [7.0, 8.0])
    found = store.scalars("r", ["loss"])["loss"]
    assert (found.values[5], found.values[20], len(found.steps)) == (7.0, 8.0, 21)
    assert packed_all(store) == 1
    assert same(store.scalars("r", ["loss"])["loss"], found)


def test_a_second_process_is_seen_whatever_is_packed(store: Store) -> None:
    """Steps that two ranks tell are resolved from the rows; such a run is not packed."""
    store.write(start_batch("r", rank=1))
    told(store, 1, range(20), [2.0] * 20, rank=1)
    assert packed_all(store) == 1
    store.write(start_batch("r", rank=0))
    told(store, 1, range(10), [1.0] * 10)
    assert store.scalars("r", ["loss"])["loss"].values.tolist() == [1.0] * 10 + [2.0] * 10
    assert packed_all(store) == 0


def test_short_curves_stay_rows(store: Store) -> None:
    """They are read as quickly."""
    store.write(start_batch("r"))
    told(store, 1, range(9), [1.0] * 9)
    assert packed_all(store) == 0


def test_nothing_packed_is_left_of_a_purged_run(store: Store) -> None:
    """And a run that is gone is not packed."""
    store.write(start_batch("r"))
    told(store, 1, range(20), [1.0] * 20)
    assert packed_all(store) == 1
    assert store.purge(run="r") == 1
    assert packed_all(store) == 0
