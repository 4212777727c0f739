"""The nouns that pass between the rooms of the daemon: findings, alerts, verdicts.

Plain immutable values without behaviour beyond what they mean; nothing here reads a clock, a
database or a network.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any


class Severity(StrEnum):
    """``critical``: training is broken now. ``warning``: likely wasted. ``info``: worth a look."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"


class AlertState(StrEnum):
    """Life of an alert: seen but not yet held, held, gone."""

    PENDING = "pending"
    FIRING = "firing"
    RESOLVED = "resolved"


class RunStatus(StrEnum):
    """What became of a run's process. ``stopped``: ended by the auditor or by a signal."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    STOPPED = "stopped"


class Verdict(StrEnum):
    """What the audit says of a run."""

    HEALTHY = "healthy"
    SUSPECT = "suspect"
    DIVERGED = "diverged"


@dataclass(frozen=True, slots=True)
class Subject:
    """What an alert is about: a tensor (``gradient``, ``weight``, ...), the ``loss``, the ``run``."""

    kind: str
    name: str
    rank: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """What a rule saw at one moment. ``cleared``: the condition that it saw before has gone.

    ``evidence`` holds the numbers the rule saw, enough to recompute its judgement; ``order`` ranks
    subjects of one step by execution (smaller is earlier) so that the first one is named first.
    """

    rule: str
    severity: Severity
    subject: Subject
    step: int
    evidence: Mapping[str, Any] = field(default_factory=dict)
    cleared: bool = False
    order: int = 0
    time: float = 0.0
    """Unix seconds of the step (the agent's clock), or of the daemon for rules that watch clocks."""
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Alert:
    """One fault of one run: every rank and tensor that shows it, under one id.

    ``id`` is deterministic: a digest of (run, attempt, rule). ``members`` are the other subjects
    that show the same fault, in the order in which they were seen, bounded.
    """

    id: str
    run: str
    attempt: int
    rule: str
    severity: Severity
    state: AlertState
    subject: Subject
    first_step: int
    last_step: int
    started_at: float
    updated_at: float
    resolved_at: float | None = None
    evidence: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[Subject, ...] = ()
    summary: str = ""
    likely_causes: tuple[str, ...] = ()
    advice: str = ""


def verdict(alerts: Iterable[Alert]) -> Verdict:
    """The verdict over a run's alerts.

    A critical alert that fires says ``diverged``; a firing warning, or a critical that came and
    went, says ``suspect``; infos and warnings that resolved leave a run healthy.
    """
    worst = Verdict.HEALTHY
    for alert in alerts:
        if alert.severity is Severity.CRITICAL and alert.state is AlertState.FIRING:
            return Verdict.DIVERGED
        suspect = alert.severity is Severity.WARNING and alert.state is AlertState.FIRING
        came_and_went = alert.severity is Severity.CRITICAL and alert.state is AlertState.RESOLVED
        if suspect or came_and_went:
            worst = Verdict.SUSPECT
    return worst
