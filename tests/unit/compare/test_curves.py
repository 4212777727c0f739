from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import pytest

from auditor.compare.curves import Curves, last_finite
from auditor.compare.trajectories import Curve
from auditor.store import Store
from auditor.store.records import WriteBatch
from support.chunks import scalar_rows, start_batch, steps_chunk, words

STEPS = 3000


class Spy:
    """A store that notes which scalars are read, and from where on."""

    def __init__(self, store: Store) -> None:
        self.store, self.read = store, list[tuple[str, int | None]]()

    def scalar_names(self, run: str) -> list[str]:
        """Names of the run's scalars."""
        return self.store.scalar_names(run)

    def scalars(self, run: str, names: Iterable[str] | None = None, *, after: int | None = None) -> Mapping[str, Any]:
        """The scalars; whole ones have an ``after`` of None."""
        assert names is not None, "a comparison reads by name"
        chosen = list(names)
        self.read += [(name, after) for name in chosen]
        return self.store.scalars(run, chosen, after=after)


@pytest.fixture
def spy(store: Store) -> Spy:
    """A run of one process with four scalars, of which two do not end well."""
    at = range(1, STEPS + 1)
    step = np.array(at, np.float64)
    told = {
        "loss": 1 / step,
        "step_time": step,
        "broken": np.where(step > STEPS - 1500, np.nan, step),
        "lost": np.full(STEPS, np.inf),
    }
    chunk = steps_chunk("r", 1, at, words(at, 1, 0), scalars=told)
    store.write(start_batch("r"))
    store.write(WriteBatch(chunks=[chunk], scalars=scalar_rows(chunk, at, **told)))
    return Spy(store)


def test_the_names_are_known_and_nothing_is_read(spy: Spy) -> None:
    """Which curves there are is asked without reading one."""
    curves = Curves(spy, "r", STEPS)
    assert sorted(curves) == ["broken", "loss", "lost", "step_time"]
    assert ("loss" in curves, "val_loss" in curves, len(curves)) == (True, False, 4)
    assert spy.read == []


def test_a_curve_is_read_once_and_no_other_beside_it(spy: Spy) -> None:
    """Looked up twice, read once; one that the run lacks is a KeyError and ``get`` gives None."""
    curves = Curves(spy, "r", STEPS)
    assert curves["loss"] is curves["loss"]
    assert curves["loss"].values.tolist() == [1 / step for step in range(1, STEPS + 1)]
    assert spy.read == [("loss", None)]
    assert curves.get("val_loss") is None
    with pytest.raises(KeyError, match="val_loss"):
        curves["val_loss"]


def test_the_end_alone_is_read_where_the_end_alone_is_asked_for(spy: Spy) -> None:
    """A short tail; the whole curve where nothing in the tail is finite, and None where nothing is at all."""
    curves = Curves(spy, "r", STEPS)
    assert curves.last_finite("step_time") == STEPS
    assert [name for name, after in spy.read if after is None] == []
    assert curves.last_finite("broken") == STEPS - 1500
    assert curves.last_finite("lost") is None
    whole = {name: curves[name] for name in curves}
    assert {name: last_finite(whole, name) for name in whole} == {name: curves.last_finite(name) for name in curves}


def test_a_run_whose_last_step_is_unknown_is_read_whole(spy: Spy) -> None:
    """Without it there is no tail to speak of."""
    assert Curves(spy, "r").last_finite("step_time") == STEPS
    assert spy.read == [("step_time", None)]


def test_curves_at_hand_serve_as_well() -> None:
    """``last_finite`` takes any mapping of curves."""
    curve = Curve(np.arange(3), np.array([1.0, 2.0, math.nan]))
    assert last_finite({"loss": curve}, "loss") == 2.0
