"""What Alertmanager has to hear, and when: the book behind :mod:`auditor.alerts.alertmanager`.

No clock, no thread, no socket: events and the time go in, posts come out. Alertmanager forgets what
is not repeated, so a firing alert is due again and again, each time with an end that lies a few
repeats ahead: a daemon that dies leaves no alert behind for good.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import quote

from auditor.alerts.prometheus import label_value
from auditor.model import Alert, AlertState

#: Alerts that a ledger holds at most; new ones beyond it are left out.
MAX_ALERTS: Final = 2000
#: Alerts in one request.
BATCH: Final = 100
#: An alert's end lies this many repeats ahead, so that two lost posts do not resolve it.
REPEATS_AHEAD: Final = 4
MAX_TEXT: Final = 2000

#: What Alertmanager knows an alert by: run, rule, severity. The attempts of a run share it.
Key = tuple[str, str, str]


@dataclass(slots=True)
class _Entry:
    labels: dict[str, str]
    alerts: dict[str, Alert] = field(default_factory=dict)
    due: float = 0.0
    changed: float = 0.0
    version: int = 0

    @property
    def firing(self) -> list[Alert]:
        return [alert for alert in self.alerts.values() if alert.state is AlertState.FIRING]

    def touch(self, now: float) -> None:
        self.due = self.changed = now
        self.version += 1


@dataclass(frozen=True, slots=True)
class Post:
    """One alert to be posted: its key, the version of what it says, whether it says the end, the JSON object."""

    key: Key
    version: int
    final: bool
    body: Mapping[str, Any]


class Ledger:
    """The alerts that Alertmanager should know.

    Args:
        external_url: where people reach the daemon; annotations link there.
        repeat: seconds after which a firing alert is due again.
        linger: seconds for which the alerts of an ended run stay up. A run that dies within
            Alertmanager's ``group_wait`` would otherwise be resolved before anyone is told.
        limit: alerts held at most.
    """

    def __init__(
        self, *, external_url: str = "", repeat: float = 60.0, linger: float = 300.0, limit: int = MAX_ALERTS
    ) -> None:
        self._url = external_url.rstrip("/")
        self._repeat = repeat
        self._linger = linger
        self._limit = limit
        self._entries: dict[Key, _Entry] = {}
        self._keys: dict[str, Key] = {}
        self._ended: dict[str, float] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def apply(self, alert: Alert, project: str, framework: str, now: float) -> bool:
        """Take in a changed alert. False if the ledger is full and the alert was left out."""
        if alert.state is AlertState.PENDING:
            return True
        key = (alert.run, alert.rule, str(alert.severity))
        entry = self._entries.get(key)
        if entry is None:
            if len(self._entries) >= self._limit:
                return False
            entry = self._entries[key] = _Entry(_labels(alert, project, framework))
        self._leave(alert, key, now)
        known = entry.alerts.get(alert.id)
        entry.alerts[alert.id] = alert
        self._keys[alert.id] = key
        if known is None or known.state is not alert.state:  # later steps of a known alert wait for its repeat
            entry.touch(now)
        return True

    def run_ended(self, run: str, now: float) -> None:
        """The run is over: its alerts resolve ``linger`` seconds from now.

        They are repeated until then: Alertmanager ignores an end that lies ahead but before the end
        it has been told already, so the end can only be announced once it has come.
        """
        if len(self._ended) >= self._limit:
            del self._ended[next(iter(self._ended))]
        until = self._ended[run] = now + self._linger
        for (owner, _, _), entry in self._entries.items():
            if owner == run:
                entry.due = min(entry.due, until)

    def run_resumed(self, run: str) -> None:
        """Another attempt of a run that had ended has begun: its alerts stay up."""
        self._ended.pop(run, None)

    def due(self, now: float, limit: int = BATCH) -> list[Post]:
        """What has to be posted now, at most ``limit``, the longest due first."""
        late = sorted((entry.due, key) for key, entry in self._entries.items() if entry.due <= now)
        return [self._post(key, now) for _, key in late[:limit]]

    def next_due(self) -> float | None:
        """When :meth:`due` will have something; None while nothing is held."""
        return min((entry.due for entry in self._entries.values()), default=None)

    def posted(self, posts: Iterable[Post], now: float) -> None:
        """Alertmanager took ``posts``: forget what is over, repeat the rest."""
        for post in posts:
            entry = self._entries.get(post.key)
            if entry is None or entry.version != post.version:  # it changed on the way: still due
                continue
            if post.final:
                self._forget(post.key)
            else:
                entry.due = min(now + self._repeat, self._ended.get(post.key[0], math.inf))

    def failed(self, posts: Iterable[Post], now: float, retry_at: float) -> int:
        """``posts`` did not get through: due again at ``retry_at``.

        Returns:
            How many were given up: resolved so long ago that Alertmanager has let go by itself.
        """
        given_up = 0
        for post in posts:
            entry = self._entries.get(post.key)
            if entry is None:
                continue
            entry.due = retry_at
            if post.final and now - entry.changed > self._repeat * REPEATS_AHEAD:
                self._forget(post.key)
                given_up += 1
        return given_up

    def refused(self, posts: Iterable[Post]) -> None:
        """Alertmanager will never take ``posts``: forget them."""
        for post in posts:
            self._forget(post.key)

    def _forget(self, key: Key) -> None:
        entry = self._entries.pop(key, None)
        for known in entry.alerts if entry is not None else ():
            if self._keys.get(known) == key:
                del self._keys[known]

    def _leave(self, alert: Alert, key: Key, now: float) -> None:
        """Resolve the alert under its former severity: to Alertmanager that is another alert."""
        former = self._entries.get(self._keys.get(alert.id, key)) if self._keys.get(alert.id, key) != key else None
        if former is not None:
            former.alerts[alert.id] = replace(alert, state=AlertState.RESOLVED, resolved_at=now)
            former.touch(now)

    def _post(self, key: Key, now: float) -> Post:
        entry = self._entries[key]
        final = not entry.firing or self._ended.get(key[0], math.inf) <= now
        return Post(key, entry.version, final, self._body(key, entry, now, final=final))

    def _body(self, key: Key, entry: _Entry, now: float, *, final: bool) -> dict[str, Any]:
        shown = entry.firing or list(entry.alerts.values())
        starts = [alert.started_at for alert in shown]
        newest = max(shown, key=lambda alert: alert.updated_at)
        link = f"{self._url}/v1/runs/{quote(label_value(key[0]), safe='')}" if self._url else ""
        body: dict[str, Any] = {
            "labels": entry.labels,
            "annotations": _annotations(newest, link),
            # The agent's clock may run ahead; Alertmanager refuses an alert that ends before it starts.
            "startsAt": _rfc3339(min([now, *(started for started in starts if math.isfinite(started))])),
            "endsAt": _rfc3339(now if final else now + self._repeat * REPEATS_AHEAD),
        }
        return body | {"generatorURL": link} if link else body


def _labels(alert: Alert, project: str, framework: str) -> dict[str, str]:
    values = {
        "alertname": alert.rule,
        "severity": str(alert.severity),
        "run": alert.run,
        "project": project,
        "framework": framework,
    }
    return {name: label_value(value) for name, value in values.items()}


def _annotations(alert: Alert, link: str) -> dict[str, str]:
    subject = alert.subject
    texts = {
        "summary": alert.summary or f"{alert.rule} at step {alert.first_step}",
        "advice": alert.advice,
        "first_step": str(alert.first_step),
        "subject": f"{subject.kind} {subject.name} rank {subject.rank}",
        "url": link,
    }
    return {name: label_value(text, MAX_TEXT) for name, text in texts.items() if text}


def _rfc3339(seconds: float) -> str:
    moment = datetime.fromtimestamp(min(max(seconds, 0.0), 253402300799.0), UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
