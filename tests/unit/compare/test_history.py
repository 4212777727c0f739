"""What counts as history: seeds of one configuration, in the same project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from auditor.compare.history import priors
from auditor.compare.side import Side
from auditor.compare.trajectories import Curve


@dataclass
class Record:
    """A run as the store lists it."""

    run: str
    last_step: int = 100
    framework: str = "torch"
    status: str = "finished"
    project: str = "p"


@dataclass
class Held:
    """What a manifest and a series look like."""

    manifest: Mapping[str, Any]
    attempt: int = 0
    rank: int = 0


@dataclass
class Fake:
    """A store of runs with one validation loss each."""

    ends: dict[str, float] = field(default_factory=dict)
    told: dict[str, dict[str, Any]] = field(default_factory=dict)
    records: list[Record] = field(default_factory=list)

    def add(self, run: str, end: float, *, rate: float = 0.1, draw: float | None = None, **record: Any) -> None:
        """A run: its end, its learning rate, what its first weights were."""
        self.ends[run] = end
        weights = {"fc1": {"mean": end if draw is None else draw}}
        self.told[run] = {"optimizer": {"lr": rate}, "observed": {"weights": weights}}
        self.records.append(Record(run, **record))

    def runs(self, *, project: str | None = None, limit: int = 100) -> Sequence[Record]:
        """By project."""
        return [record for record in self.records if record.project == project][:limit]

    def manifests(self, run: str) -> Sequence[Held]:
        """One."""
        return [Held(self.told[run])]

    def scalars(self, run: str, names: Iterable[str], *, after: int | None = None) -> Mapping[str, Curve]:
        """The validation loss."""
        assert after is None
        return {name: Curve(np.array([100]), np.array([self.ends[run]])) for name in names}


def asked(store: Fake) -> Any:
    """History for two runs that end at 0.1."""
    curve = {"val_loss": Curve(np.array([100]), np.array([0.1]))}
    sides = [Side(run, "torch", "finished", curve, None, last_step=100, project="p") for run in "xy"]
    return priors(store, sides, ["val_loss"]).get("val_loss")  # type: ignore[arg-type]


def test_seeds_of_one_configuration_tell_the_noise() -> None:
    """Two configurations of three runs each: their distance from each other is no noise."""
    store = Fake()
    for i, end in enumerate((0.1, 0.11, 0.09)):
        store.add(f"slow{i}", end)
        store.add(f"fast{i}", end * 3, rate=1.0)
    found = asked(store)
    assert (found.runs, found.freedom) == (6, 4)
    assert 0.1 < found.variance**0.5 < 0.3


def test_a_seed_run_again_is_no_further_seed() -> None:
    """The same first weights, another end for want of determinism."""
    store = Fake()
    for i in range(6):
        store.add(f"again{i}", 0.1 + 1e-6 * i, draw=0.5)
    assert asked(store) is None


def test_other_projects_lengths_and_unfinished_runs_do_not_count() -> None:
    """Nor the runs that are compared, nor runs that ended somewhere else entirely."""
    store = Fake()
    for i, end in enumerate((0.1, 0.12, 0.08)):
        store.add(f"other{i}", end, project="q")
        store.add(f"long{i}", end, last_step=10_000)
        store.add(f"failed{i}", end, status="failed")
        store.add(f"far{i}", end * 1000, rate=2.0)
    store.add("x", 0.1)
    store.add("y", 0.2)
    assert asked(store) is None
