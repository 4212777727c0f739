"""The daemon's counters about itself: what it took in, refused, committed and posted.

Instruments of prometheus_client that belong to no global registry: every application has its own,
and :class:`auditor.alerts.prometheus.RunCollector` exposes them beside the runs.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import Final

from prometheus_client import Counter, Histogram
from prometheus_client.metrics_core import Metric as Family

from auditor.alerts.metrics import BY_NAME

#: Distinct values that one label may take; whatever comes later counts under "other".
MAX_LABEL_VALUES: Final = 16

#: Frame types of the wire format.
FRAME_TYPES: Final = ("start", "manifest", "steps", "record", "histograms", "finish")

#: Bounds of the commit histogram, in seconds: a group commit takes about 10 ms.
COMMIT_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class DaemonCounters:
    """Counts of one daemon since its start. Every method may be called from any thread.

    Args:
        reasons: for which the daemon refuses frames. Like every label value known beforehand they
            start at 0: ``increase()`` does not see a series that is born with its first count.
    """

    def __init__(self, *, reasons: Iterable[str] = ()) -> None:
        self._lock = threading.Lock()
        self._labels: dict[str, set[str]] = {}
        self._requests = self._counter("auditor_ingest_requests_total")
        self._frames = self._counter("auditor_ingest_frames_total")
        self._rows = self._counter("auditor_ingest_rows_total")
        self._bytes = self._counter("auditor_ingest_bytes_total")
        self._heartbeats = self._counter("auditor_ingest_heartbeats_total")
        self._duplicates = self._counter("auditor_ingest_duplicate_frames_total")
        self._rejected = self._counter("auditor_ingest_rejected_frames_total")
        self._posted = self._counter("auditor_alertmanager_alerts_total")
        self._retries = self._counter("auditor_alertmanager_retries_total")
        commit = BY_NAME["auditor_ingest_commit_seconds"]
        self._commit = Histogram(commit.name, commit.help, buckets=COMMIT_BUCKETS, registry=None)
        self._requests.labels(self._bounded("code", "200"))
        for kind in FRAME_TYPES:
            self.stored(kind, 0)
        for outcome in ("sent", "dropped"):
            self.posted(outcome, 0)
        for reason in reasons:
            self.rejected(reason, 0)

    @staticmethod
    def _counter(name: str) -> Counter:
        metric = BY_NAME[name]
        return Counter(name, metric.help, metric.labels, registry=None)

    def request(self, code: int, size: int = 0) -> None:
        """An ingest request was answered with HTTP status ``code``; its body had ``size`` bytes."""
        self._requests.labels(self._bounded("code", str(code))).inc()
        self._bytes.inc(size)

    def stored(self, kind: str, frames: int = 1, rows: int = 0) -> None:
        """``frames`` new frames of type ``kind`` were committed, with ``rows`` statistics rows."""
        self._frames.labels(self._bounded("type", kind)).inc(frames)
        self._rows.inc(rows)

    def heartbeat(self) -> None:
        """A heartbeat came."""
        self._heartbeats.inc()

    def duplicate(self, frames: int = 1) -> None:
        """``frames`` frames came that the store held already."""
        self._duplicates.inc(frames)

    def rejected(self, reason: str, frames: int = 1) -> None:
        """``frames`` frames were refused for good; ``reason`` is a short fixed word."""
        self._rejected.labels(self._bounded("reason", reason)).inc(frames)

    def commit(self, seconds: float) -> None:
        """A request waited ``seconds`` for its frames to be committed."""
        self._commit.observe(seconds)

    def posted(self, outcome: str, alerts: int = 1) -> None:
        """``alerts`` alerts for Alertmanager were ``sent`` or ``dropped``."""
        self._posted.labels(self._bounded("outcome", outcome)).inc(alerts)

    def retried(self) -> None:
        """A post to Alertmanager failed and will be tried again."""
        self._retries.inc()

    def collect(self) -> Iterator[Family]:
        """The families for an exposition, without the client's ``_created`` series."""
        instruments = (
            self._requests,
            self._frames,
            self._rows,
            self._bytes,
            self._heartbeats,
            self._duplicates,
            self._rejected,
            self._commit,
            self._posted,
            self._retries,
        )
        for instrument in instruments:
            for family in instrument.collect():
                family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
                yield family

    def _bounded(self, label: str, value: str) -> str:
        with self._lock:
            known = self._labels.setdefault(label, set())
            if value not in known and len(known) >= MAX_LABEL_VALUES:
                return "other"
            known.add(value)
        return value
