"""Baselines made of stored runs, and the one that a live run is held against."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from auditor.detect.envelope import GRADIENT, LOSS, MAX_TENSORS, MIN_RUNS, NORM, Binner, Envelope, envelope
from auditor.detect.facts import RunFacts
from auditor.detect.rules.baselines import fingerprint
from auditor.detect.view import F64, StepView
from auditor.ingest.intake import replayed, tensor_ids_fit
from auditor.store.baselines import BaselineRecord
from auditor.store.store import Store


class BaselineError(ValueError):
    """A baseline cannot be made of these runs; the message says why."""


def make(store: Store, name: str, runs: Sequence[str], now: float) -> BaselineRecord:
    """A baseline of stored runs, ready to be saved: the last attempt's rank 0 of each.

    Raises:
        BaselineError: if there are fewer than three, one is unknown, or they are not of one kind.
    """
    chosen = list(dict.fromkeys(runs))
    if len(chosen) < MIN_RUNS:
        raise BaselineError(f"a baseline needs {MIN_RUNS} runs or more, {len(chosen)} given: fewer show no spread")
    known = [_facts(store, run) for run in chosen]
    kinds = {(facts.project, fingerprint(facts)) for facts in known}
    if len(kinds) > 1:
        raise BaselineError("the runs are of several projects or models: a baseline is of one kind of run")
    names = _series(store, chosen)
    scales = [_samples_per_step(store, run) for run in chosen]
    by_samples, usual = all(scales), float(np.median(scales)) or 1.0
    units = scales if by_samples else [1.0] * len(chosen)
    cut = [
        _cut(_views(store, run), names, own, usual if by_samples else 1.0)
        for run, own in zip(chosen, units, strict=True)
    ]
    axis = {"axis": "samples" if by_samples else "steps", "samples_per_step": usual}
    if not all(cut):
        raise BaselineError(f"{chosen[cut.index([])]} has no complete bin of steps")
    project, kind = kinds.pop()
    made = envelope(name, names, cut, **axis)
    return BaselineRecord(name, project, kind, now, tuple(chosen), made.as_json())


def _facts(store: Store, run: str) -> RunFacts:
    record = store.run(run)
    if record is None:
        raise BaselineError(f"no run {run}")
    facts = RunFacts(framework=record.framework, project=record.project)
    manifests = store.manifests(run)
    return facts.declared(manifests[-1].manifest) if manifests else facts


def _series(store: Store, runs: Iterable[str]) -> list[str]:
    """The series that the runs share: loss, norm, and each gradient that all of them report."""
    shared: dict[str, int] = {}
    count = 0
    for run in runs:
        count += 1
        own = {t.name: None for table in store.tables(run).values() for t in table if t.kind == "gradient"}
        for name in own:
            shared[name] = shared.get(name, 0) + 1
    return [LOSS, NORM, *(GRADIENT + name for name, times in shared.items() if times == count)][: 2 + MAX_TENSORS]


def _samples_per_step(store: Store, run: str) -> float:
    told = store.scalars(run, names=["samples"]).get("samples")
    values = told.values[np.isfinite(told.values) & (told.values > 0)] if told is not None else np.zeros(0)
    return float(np.median(values)) if len(values) else 0.0


def _views(store: Store, run: str) -> Iterable[StepView]:
    tables = store.tables(run)
    attempt = max((stream.attempt for stream in store.streams(run)), default=0)
    last = -1
    for chunk in store.chunks(run, attempt=attempt, rank=0, type="steps"):
        batch = replayed(chunk).batch
        table = tables.get(batch.table) if batch is not None else None
        if batch is None or table is None or not len(batch.steps) or not tensor_ids_fit(batch, table):
            continue
        if int(batch.steps[0]) < last:
            return  # a second fit
        last = int(batch.steps[-1])
        yield StepView(batch, table)


def _cut(views: Iterable[StepView], names: Sequence[str], scale: float, unit: float) -> list[tuple[int, int, F64]]:
    binner = Binner()
    return [done for view in views for done in binner.take(view, names, scale, unit)]


@dataclass(slots=True)
class Shelf:
    """The baselines that there were when a run was taken up; envelopes are read when needed."""

    store: Store
    known: list[BaselineRecord]

    @classmethod
    def of(cls, store: Store, before: float | None = None) -> Shelf:
        """The baselines of ``store``, those made before a time if one is given."""
        return cls(store, [one for one in store.baselines() if before is None or one.created_at <= before])

    def find(self, facts: RunFacts, run: str, name: str = "") -> Envelope | None:
        """The baseline called ``name``, else the newest of the same project and kind; None if there is none.

        Never one that the run itself is part of.
        """
        kind = fingerprint(facts)
        alike = [one for one in self.known if kind and (one.project, one.fingerprint) == (facts.project, kind)]
        chosen = (
            [one for one in self.known if one.name == name] if name else sorted(alike, key=lambda one: one.created_at)
        )
        if not chosen or run in chosen[-1].runs:
            return None
        record = self.store.baseline(chosen[-1].name)
        return None if record is None else Envelope.from_json(record.name, record.envelope)
