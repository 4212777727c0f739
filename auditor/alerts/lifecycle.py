"""From findings to alerts: one alert per run, attempt and rule, whatever the ranks and tensors.

An alert is *pending* until its rule's ``hold_steps`` have gone by, *firing* while any rank shows
the fault, *resolved* when all have cleared it; the same fault seen again re-opens the same alert.
The book's content does not depend on the order in which ranks report (promise D6): the first
sighting is the smallest by (step, order, rank), the latest the largest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any, Final

from auditor.alerts import stories, texts
from auditor.detect.job import JobRule
from auditor.detect.registry import rules
from auditor.model import Alert, AlertState, Finding, Severity, Subject

#: Members listed in an alert; ``evidence["affected"]`` counts them all, up to MAX_COUNTED.
MAX_MEMBERS: Final = 64
MAX_COUNTED: Final = 65_536
_RANKING: Final = (Severity.INFO, Severity.WARNING, Severity.CRITICAL)

_Key = tuple[int, int, int, str, str]


def alert_id(run: str, attempt: int, rule: str) -> str:
    """The id of an alert: the same wherever and whenever it is computed."""
    return hashlib.sha256(f"{run}\0{attempt}\0{rule}".encode()).hexdigest()[:16]


@dataclass(slots=True)
class _Rank:
    """One rank's share of an alert; ``began``: the step of its current or last occurrence."""

    active: bool = False
    began: int = 0
    occurrences: int = 0


@dataclass(slots=True)
class _Entry:
    """An alert in the making."""

    attempt: int
    rule: str
    severity: Severity = Severity.INFO
    first: tuple[_Key, dict[str, Any]] | None = None
    latest: tuple[_Key, dict[str, Any]] | None = None
    members: dict[Subject, _Key] = field(default_factory=dict)
    counted: set[Subject] = field(default_factory=set)
    ranks: dict[int, _Rank] = field(default_factory=dict)
    fired: bool = False
    started_at: float | None = None
    updated_at: float = 0.0
    resolved_at: float | None = None
    affected_before: int = 0
    restored_to: int = -1
    """Last step known from the store: what comes again up to here is a replay, not an occurrence."""


class AlertBook:
    """The alerts of one run."""

    def __init__(self, run: str) -> None:
        self.run = run
        self._entries: dict[tuple[int, str], _Entry] = {}
        self._shown: dict[str, Alert] = {}

    @property
    def alerts(self) -> list[Alert]:
        """All alerts of the run, root causes first."""
        return stories.told(self._shown.values())

    def apply(self, findings: Iterable[Finding], now: float) -> list[Alert]:
        """Take in findings; ``now``: Unix seconds of the daemon.

        Returns:
            The alerts that changed, root causes first, ready to be stored by their id.
        """
        touched = set()
        for finding in findings:
            key = (finding.attempt, finding.rule)
            if finding.cleared and key not in self._entries:
                continue
            entry = self._entries.setdefault(key, _Entry(*key))
            (_clear if finding.cleared else _sight)(entry, finding, now)
            touched.add(key)
        return self._render(touched, now)

    def news(self, finding: Finding) -> bool:
        """Whether ``finding`` tells of a fault that no alert fires for."""
        entry = self._entries.get((finding.attempt, finding.rule))
        firing = entry is not None and entry.fired and any(rank.active for rank in entry.ranks.values())
        return not finding.cleared and not firing

    def restore(self, alerts: Iterable[Alert]) -> None:
        """Take back alerts from the store. A replay of their frames afterwards changes nothing."""
        for alert in alerts:
            entry = _restored(alert)
            self._entries[alert.attempt, alert.rule] = entry
            self._shown[alert.id] = alert

    def _render(self, touched: set[tuple[int, str]], now: float) -> list[Alert]:
        attempts = {attempt for attempt, _ in touched}
        fresh = {key: self._alert(entry) for key, entry in self._entries.items() if key[0] in attempts}
        changed, root = [], stories.roots(fresh.values())
        for key, bare in fresh.items():
            alert = _with_root(bare, root[bare.id])
            before = self._shown.get(alert.id)
            if before is None or _content(before) != _content(alert):
                self._entries[key].updated_at = now
                self._shown[alert.id] = replace(alert, updated_at=now)
                changed.append(self._shown[alert.id])
        return stories.told(changed)

    def _alert(self, entry: _Entry) -> Alert:
        assert entry.first is not None  # noqa: S101 - an entry is made by its first sighting
        assert entry.latest is not None  # noqa: S101 - likewise
        (step, _, rank, kind, name), evidence = entry.first
        latest, latest_evidence = entry.latest
        subject = Subject(kind, name, rank)
        others = sorted((key, member) for member, key in entry.members.items() if member != subject)
        members = [member for _, member in others]
        affected = max(len(entry.counted), entry.affected_before)
        ranks = sorted(entry.ranks)
        full = {
            **evidence,
            "affected": affected,
            "occurrences": max(rank.occurrences for rank in entry.ranks.values()),
            "ranks": len(ranks),
            "firing_ranks": [rank for rank in ranks if entry.ranks[rank].active][:MAX_MEMBERS],
        }
        if latest[0] > step:
            full["latest"] = {"step": latest[0], "name": latest[4], "rank": latest[2], **latest_evidence}
        rule = rules().get(entry.rule)
        fields = texts.facts(subject, step, evidence, ranks, affected)
        active = any(rank.active for rank in entry.ranks.values())
        state = AlertState.FIRING if entry.fired else AlertState.PENDING
        return Alert(
            id=alert_id(self.run, entry.attempt, entry.rule),
            run=self.run,
            attempt=entry.attempt,
            rule=entry.rule,
            severity=entry.severity,
            state=state if active else AlertState.RESOLVED,
            subject=subject,
            first_step=step,
            last_step=latest[0],
            started_at=entry.started_at or 0.0,
            updated_at=entry.updated_at,
            resolved_at=None if active else entry.resolved_at,
            evidence=full,
            members=tuple(members[: MAX_MEMBERS - 1]),
            summary=texts.summary(rule, entry.rule, fields),
            likely_causes=rule.likely_causes if rule else (),
            advice=texts.fill(rule.advice, fields) if rule else "",
        )


def _sight(entry: _Entry, finding: Finding, now: float) -> None:
    subject, rule = finding.subject, rules().get(finding.rule)
    key: _Key = (finding.step, finding.order, subject.rank, subject.kind, subject.name)
    evidence = dict(finding.evidence)
    entry.severity = max(entry.severity, finding.severity, key=_RANKING.index)
    if entry.first is None or key < entry.first[0]:
        entry.first = (key, evidence)
    if entry.latest is None or _recency(key) > _recency(entry.latest[0]):
        entry.latest = (key, evidence)
    _join(entry, subject, key)
    rank = entry.ranks.setdefault(subject.rank, _Rank())
    if _replayed(entry, finding):
        return
    if not rank.active:
        rank.active, rank.began = True, finding.step
        rank.occurrences += 1
    hold = rule.hold_steps if rule else 0
    entry.fired = entry.fired or finding.step - rank.began >= hold
    entry.started_at = now if entry.started_at is None else entry.started_at
    entry.resolved_at = None


def _clear(entry: _Entry, finding: Finding, now: float) -> None:
    rank = entry.ranks.get(finding.subject.rank)
    if rank is None or not rank.active or _replayed(entry, finding):
        return
    rank.active = False
    if not any(other.active for other in entry.ranks.values()):
        entry.resolved_at = now


def _replayed(entry: _Entry, finding: Finding) -> bool:
    return finding.step <= entry.restored_to


def _recency(key: _Key) -> tuple[int, int, int, str, str]:
    step, order, rank, kind, name = key
    return step, -order, -rank, kind, name


def _join(entry: _Entry, subject: Subject, key: _Key) -> None:
    if len(entry.counted) < MAX_COUNTED:
        entry.counted.add(subject)
    if subject not in entry.members or key < entry.members[subject]:
        entry.members[subject] = key
    if len(entry.members) > MAX_MEMBERS:
        del entry.members[max(entry.members, key=entry.members.__getitem__)]


def _with_root(alert: Alert, root: Alert) -> Alert:
    """``alert`` with the alert that began its story in the evidence, if it is a consequence."""
    if root.id == alert.id:
        return alert
    named = {"root": root.rule, "root_alert": root.id, "root_step": root.first_step}
    return replace(alert, evidence={**alert.evidence, **named})


def _content(alert: Alert) -> Alert:
    """What makes an alert another one: all but when it was written."""
    return replace(alert, updated_at=0.0)


def _restored(alert: Alert) -> _Entry:
    evidence = dict(alert.evidence)
    ours = {name: evidence.pop(name, None) for name in ("affected", "occurrences", "firing_ranks", "latest", "ranks")}
    for name in ("root", "root_alert", "root_step"):
        evidence.pop(name, None)
    subject, rule = alert.subject, rules().get(alert.rule)
    first: _Key = (alert.first_step, 0, subject.rank, subject.kind, subject.name)
    latest = dict(ours["latest"] or ()) or {
        "step": alert.first_step,
        "name": subject.name,
        "rank": subject.rank,
        **evidence,
    }
    last: _Key = (latest.pop("step"), 0, latest.pop("rank"), subject.kind, latest.pop("name"))
    entry = _Entry(alert.attempt, alert.rule, alert.severity, (first, evidence), (last, latest))
    everyone = (subject, *alert.members)
    # Their order within a step is not stored; their place in the list is.
    entry.members = {member: (alert.first_step, i, *_tail(member)) for i, member in enumerate(everyone)}
    entry.counted = set(everyone)
    firing = set(ours["firing_ranks"] or ())
    for rank in {member.rank for member in everyone} | firing:
        entry.ranks[rank] = _Rank(rank in firing, alert.last_step, int(ours["occurrences"] or 1))
    entry.fired = alert.state is not AlertState.PENDING
    entry.started_at, entry.updated_at, entry.resolved_at = alert.started_at, alert.updated_at, alert.resolved_at
    entry.affected_before = int(ours["affected"] or 0)
    # Clock rules are never replayed: their findings come from ticks. Those of the ranks' steps do not.
    ticks = rule is not None and rule.phase == "run" and not issubclass(rule, JobRule)
    entry.restored_to = -1 if ticks else alert.last_step
    return entry


def _tail(member: Subject) -> tuple[int, str, str]:
    return member.rank, member.kind, member.name
