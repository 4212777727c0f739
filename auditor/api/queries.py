"""What the API answers: pure functions from the store to JSON values (``jsonfinite`` when written)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from auditor.alerts import stories
from auditor.api.thin import thin
from auditor.ingest.decode import Tensor
from auditor.ingest.histograms import gather
from auditor.ingest.intake import run_id
from auditor.ingest.records import StepRecording, recordings
from auditor.model import Alert, Subject, Verdict
from auditor.store.baselines import BaselineRecord
from auditor.store.read import resolve
from auditor.store.records import RunRecord, Series
from auditor.store.store import Store
from auditor_agent.histogram import BINS, lower_edge


class NoSuchRunError(LookupError):
    """The store does not know the run; the message says which."""

    def __init__(self, run: str) -> None:
        super().__init__(f"no run {run}")


def find(store: Store, run: str) -> RunRecord:
    """The run's record.

    Raises:
        NoSuchRunError: if there is none.
    """
    record = store.run(run)
    if record is None:
        raise NoSuchRunError(run)
    return record


def runs_of(store: Store, listed: str | None, baseline: str | None) -> list[str]:
    """The runs of one side of a comparison: those listed, and those of a baseline that are still there.

    Args:
        store: where they lie.
        listed: run ids, separated by commas.
        baseline: name of a baseline.

    Raises:
        NoSuchRunError: if there is no such run or baseline, or nothing was named.
    """
    named = [run_id(run) for run in (listed or "").split(",") if run]
    for run in named:
        find(store, run)
    if baseline is None and not named:
        raise NoSuchRunError(repr(listed or ""))
    kept = _kept(store, baseline) if baseline is not None else []
    return list(dict.fromkeys([*named, *kept]))


def _kept(store: Store, baseline: str) -> list[str]:
    record = store.baseline(baseline)
    kept = [run for run in record.runs if store.run(run) is not None] if record is not None else []
    if not kept:
        raise NoSuchRunError(f"of a baseline {baseline!r}")
    return kept


def run_row(record: RunRecord) -> dict[str, Any]:
    """A run as a list shows it. Times are Unix seconds of the daemon's clock.

    A run of which no step was recorded is not called healthy, for nothing was judged.
    """
    names = ("run", "project", "name", "framework", "host", "status", "verdict", "reason", "created_at", "updated_at")
    row: dict[str, Any] = {name: getattr(record, name) for name in (*names, "steps", "attempts", "ranks", "loss")}
    row["alerts"] = dict(record.alerts)
    if not record.steps and row["verdict"] == Verdict.HEALTHY:
        row["verdict"] = "unknown"
    row["lost"] = {"dropped": sum(record.dropped.values()), "reasons": dict(record.dropped)}
    return row


def runs(store: Store, *, project: str | None, status: str | None, since: float | None, limit: int) -> dict[str, Any]:
    """The runs, the one that changed last first."""
    records = store.runs(project=project, status=status, since=since, limit=limit)
    return {"runs": [run_row(record) for record in records]}


def show(store: Store, run: str) -> dict[str, Any]:
    """All about one run at a glance: what ``auditor show --json`` prints."""
    record = find(store, run)
    counts = dict(record.alerts)
    alerts = _told(store.alerts(run=run))
    more = {"first_step": record.first_step, "last_step": record.last_step, "pending": record.pending}
    ending = {"stop": record.stop, "exit": {"code": record.exit_code, "signal": record.exit_signal}}
    told = {"unjudged": dict(record.unjudged) if record.unjudged is not None else None}
    return {**run_row(record), **told, "alert_counts": counts, "alerts": alerts, **more, **ending}


def _told(alerts: Iterable[Alert]) -> list[dict[str, Any]]:
    """The alerts of a run story by story: each with its ``root`` (None: itself) and its ``consequences``."""
    known = stories.told(alerts)
    root = stories.roots(known)
    return [
        alert_json(alert)
        | {
            "root": _named(root[alert.id]) if root[alert.id].id != alert.id else None,
            "consequences": [_named(o) for o in known if root[o.id].id == alert.id and o.id != alert.id],
        }
        for alert in known
    ]


def _named(alert: Alert) -> dict[str, Any]:
    return {"rule": alert.rule, "alert": alert.id, "step": alert.first_step}


def alert_json(alert: Alert) -> dict[str, Any]:
    """An alert with everything that is known of it."""
    plain = ("id", "run", "attempt", "rule", "first_step", "last_step", "started_at", "updated_at", "resolved_at")
    return {
        **{name: getattr(alert, name) for name in plain},
        "severity": str(alert.severity),
        "state": str(alert.state),
        "subject": _subject(alert.subject),
        "members": [_subject(member) for member in alert.members],
        "evidence": dict(alert.evidence),
        "summary": alert.summary,
        "likely_causes": list(alert.likely_causes),
        "advice": alert.advice,
    }


def _subject(subject: Subject) -> dict[str, Any]:
    return asdict(subject)


def alerts(  # noqa: PLR0913 - the filters
    store: Store, *, run: str | None, since: float | None, state: str | None, rule: str | None, limit: int
) -> dict[str, Any]:
    """Alerts over all runs or of one, the one that changed last first."""
    found = store.alerts(run=run, since=since, state=state, rule=rule, limit=limit)
    return {"alerts": [alert_json(alert) for alert in found]}


def baselines(store: Store, *, name: str | None) -> dict[str, Any]:
    """The baselines, or one of them with its envelope and what the bound of it is."""
    found = store.baselines() if name is None else [one for one in [store.baseline(name)] if one is not None]
    return {"baselines": [baseline_json(one) for one in found]}


def baseline_json(record: BaselineRecord) -> dict[str, Any]:
    """A baseline; ``envelope`` only where it was asked for by name."""
    plain = {name: getattr(record, name) for name in ("name", "project", "fingerprint", "created_at")}
    row = {**plain, "runs": list(record.runs)}
    return row | ({"envelope": dict(record.envelope)} if record.envelope else {})


def manifests(store: Store, run: str) -> dict[str, Any]:
    """The manifest of each process of a run."""
    find(store, run)
    found = store.manifests(run)
    return {"manifests": [{"attempt": m.attempt, "rank": m.rank, "manifest": dict(m.manifest)} for m in found]}


def scalars(  # noqa: PLR0913 - the filters
    store: Store,
    run: str,
    *,
    names: Iterable[str] | None,
    attempt: int | None,
    rank: int | None,
    points: int | None,
    after: int | None,
) -> dict[str, Any]:
    """Scalars by name; the last attempt speaks for a step that several took."""
    find(store, run)
    found = store.scalars(run, names, attempt=attempt, rank=rank, after=after)
    return {"run": run, "scalars": {name: columns(series, points) for name, series in found.items()}}


def norms(store: Store, run: str, *, points: int | None) -> dict[str, Any]:
    """The global gradient norm by step."""
    find(store, run)
    found: Mapping[str, Series] = store.scalars(run, ["grad_norm"])
    return columns(found["grad_norm"], points) if "grad_norm" in found else {"step": [], "value": []}


def tensors(store: Store, run: str) -> dict[str, Any]:
    """Every tensor that any process of the run reports, in the order of the tables."""
    find(store, run)
    known: dict[tuple[str, str], Tensor] = {}
    for table in store.tables(run).values():
        for tensor in table:
            known.setdefault((tensor.kind, tensor.name), tensor)
    return {"tensors": [{**asdict(tensor), "shape": list(tensor.shape)} for tensor in known.values()]}


def records(store: Store, run: str, *, step: int | None, attempt: int | None, rank: int | None) -> dict[str, Any]:
    """What the flight recorder saw of the first steps: names, shapes, scalars, facts; no elements."""
    find(store, run)
    found = recordings(store, run, attempt=attempt, rank=rank)
    return {"records": [_record(recording) for recording in found if step in (None, recording.step)]}


def _record(recording: StepRecording) -> dict[str, Any]:
    plain = ("role", "name", "dtype", "shape", "elements", "sampled")
    told = {name: getattr(recording, name) for name in ("attempt", "rank", "step", "complete", "scalars", "facts")}
    arrays = [{name: getattr(array, name) for name in plain} for array in recording.arrays.values()]
    return {**told, "left_out": recording.left_out, "arrays": arrays}


def series(  # noqa: PLR0913 - what identifies a series
    store: Store,
    run: str,
    *,
    kind: str,
    name: str,
    stat: str,
    attempt: int | None,
    rank: int | None,
    points: int | None,
) -> dict[str, Any]:
    """One statistic of one tensor by step.

    Raises:
        ValueError: if ``stat`` is none of the twelve.
    """
    find(store, run)
    return columns(store.series(run, kind, name, stat, attempt=attempt, rank=rank), points)


def histogram(  # noqa: PLR0913 - what identifies the steps
    store: Store,
    run: str,
    *,
    kind: str,
    name: str,
    step: int | None,
    first: int | None,
    last: int | None,
    attempt: int | None,
    rank: int | None,
    points: int | None,
) -> dict[str, Any]:
    """The magnitudes of one tensor by step: of one step, or of several as a matrix of steps and bins."""
    find(store, run)
    within = (first, last) if step is None else (step, step)
    chunks = store.chunks(run, attempt=attempt, rank=rank, type="histograms")
    found = gather(chunks, store.tables(run), (kind, name), within)
    order = np.arange(len(found.rows.steps), dtype=np.float64)
    chosen = resolve(found.rows.steps, order, *found.origins.T).values.astype(np.int64)
    if points is not None and len(chosen) > points:
        chosen = chosen[np.linspace(0, len(chosen) - 1, max(points, 1)).astype(np.int64)]
    rows = found.rows.pick(chosen)
    return {
        "run": run,
        "kind": kind,
        "name": name,
        "lower": [lower_edge(bin_) for bin_ in range(BINS)],
        "step": rows.steps.tolist(),
        "counts": rows.matrix().tolist(),
        "lost": {"dropped": sum(found.dropped.values()), "reasons": found.dropped},
    }


def columns(series: Series, points: int | None) -> dict[str, Any]:
    """A series as two columns, thinned to about ``points``."""
    keep = thin(series.values, points)
    return {"step": series.steps[keep].tolist(), "value": series.values[keep].tolist()}
