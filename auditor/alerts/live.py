"""A snapshot of a run that is live, or ended a moment ago: all that ``/metrics`` says of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from auditor.alerts.counters import DaemonCounters
from auditor.model import Alert, AlertState, RunStatus

__all__ = ["DaemonCounters", "LiveRun", "firing", "roots"]


@dataclass(frozen=True, slots=True)
class LiveRun:
    """One run as the daemon sees it now.

    Times are Unix seconds of the daemon's clock, never the agent's: a skewed agent is not late.
    ``loss`` and ``grad_norm`` are the last *finite* ones; None before the first. ``nonfinite``
    counts elements by kind of tensor, and losses under ``"loss"``; ``dropped`` counts steps by
    reason; ``ingested`` counts stored steps. ``alerts`` says how many alerts fire per
    (rule, severity); :func:`firing` makes it. ``roots``: the rule that began the story of a rule's
    alert, where that is another one.
    """

    run: str
    project: str
    framework: str
    name: str = ""
    status: str = RunStatus.RUNNING
    loss: float | None = None
    step: int | None = None
    grad_norm: float | None = None
    nonfinite: Mapping[str, int] = field(default_factory=dict)
    alerts: Mapping[tuple[str, str], int] = field(default_factory=dict)
    roots: Mapping[str, str] = field(default_factory=dict)
    progress_at: float | None = None
    heartbeat_at: float | None = None
    ended_at: float | None = None
    dropped: Mapping[str, int] = field(default_factory=dict)
    ingested: int = 0

    @property
    def firing(self) -> int:
        """Number of alerts that fire."""
        return sum(self.alerts.values())


def roots(alerts: Iterable[Alert]) -> dict[str, str]:
    """The rule of the root of each firing alert that is a consequence, by its rule."""
    known = [alert for alert in alerts if alert.state is AlertState.FIRING]
    return {alert.rule: str(alert.evidence["root"]) for alert in known if "root" in alert.evidence}


def firing(alerts: Iterable[Alert]) -> dict[tuple[str, str], int]:
    """How many of ``alerts`` fire, per (rule, severity).

    An alert that resolved stays as a 0, so that a graph shows its end; a pending one is left out.
    """
    counts: dict[tuple[str, str], int] = {}
    for alert in alerts:
        if alert.state is AlertState.PENDING:
            continue
        key = (alert.rule, str(alert.severity))
        counts[key] = counts.get(key, 0) + (alert.state is AlertState.FIRING)
    return counts
