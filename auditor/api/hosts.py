"""Hosts whose runs go bad more often than those of the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from auditor.model import RunStatus, Verdict
from auditor.store.store import Store

#: Rate of false alarms over all hosts together.
ALPHA: Final = 0.01


def hosts(store: Store, *, since: float | None, project: str | None) -> dict[str, Any]:
    """Each host with its runs and the bad ones, the most suspicious first.

    A run counts for every host that a rank of it ran on; it is bad if its verdict is ``diverged`` or it
    failed. ``p_value``: Fisher's exact test, one-sided, of the host's bad runs against those of all
    other hosts, as small or smaller by chance; a host is a ``suspect`` if it is below 0.01 after Holm's
    correction for the number of hosts, so that in one of a hundred looks at healthy clusters one is.
    """
    rows = _tested(store.hosts(since=since, project=project))
    return {"alpha": ALPHA, "hosts": sorted(rows, key=lambda row: (row["p_value"], row["host"]))}


def _tested(known: Iterable[tuple[str, str, str, str]]) -> list[dict[str, Any]]:
    from scipy import stats  # half a second: only for those who ask

    bad: dict[str, dict[str, bool]] = {}
    for host, run, status, verdict in known:
        if status != RunStatus.RUNNING or verdict == Verdict.DIVERGED:
            bad.setdefault(host, {})[run] = verdict == Verdict.DIVERGED or status == RunStatus.FAILED
    rows: list[dict[str, Any]] = []
    for host, own in bad.items():
        others = {(other, run): is_bad for other, runs in bad.items() if other != host for run, is_bad in runs.items()}
        here, there = sum(own.values()), sum(others.values())
        table = [[here, len(own) - here], [there, len(others) - there]]
        p_value = float(stats.fisher_exact(table, alternative="greater")[1]) if others else 1.0
        rows.append({"host": host, "runs": len(own), "bad": here, "p_value": p_value, "suspect": False})
    alive = True
    for place, row in enumerate(sorted(rows, key=lambda row: row["p_value"])):
        alive = alive and row["p_value"] * (len(rows) - place) <= ALPHA  # Holm: the first that passes ends it
        row["suspect"] = alive
    return rows
