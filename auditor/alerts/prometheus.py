"""What a Prometheus server scrapes: the live runs and the daemon's own counters.

A custom collector: nothing is kept per run between scrapes, so a run that ends leaves nothing
behind. Facts that shape it: a NaN gauge poisons ``avg`` and ``sum`` for good, so only finite values
are exposed; series must stay bounded, so are runs, alerts, kinds and reasons; a run's name comes
from outside, so label values are cleaned (the client escapes quotes, but a lone surrogate would
make the whole exposition fail to encode).
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric as Family

import auditor_agent
from auditor.alerts.live import DaemonCounters, LiveRun
from auditor.alerts.metrics import BY_NAME, METRICS
from auditor.model import Severity

#: Series of one run, at most; the limits below add up to less.
MAX_SERIES_PER_RUN: Final = 50
MAX_ALERT_SERIES: Final = 20
MAX_KINDS: Final = 8
MAX_REASONS: Final = 8
MAX_LABEL_LENGTH: Final = 128

# Control characters (C0, DEL, C1), line and paragraph separators, lone surrogates.
_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")


def label_value(text: object, limit: int = MAX_LABEL_LENGTH) -> str:
    """``text`` as a label value that any reader of the exposition survives, ``limit`` characters at most."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", str(text)[:limit])


class RunCollector:
    """Collector over ``provider``, which returns a snapshot of the live and lately ended runs.

    Args:
        provider: called once per scrape, from the thread of the scrape.
        counters: the daemon's own; exposed when given.
        ready: whether the store takes writes; asked once per scrape when given.
        linger: seconds for which an ended run is still exposed.
        max_live_runs: runs exposed at most. Runs with firing alerts come first, then live ones.
        clock: Unix seconds.
    """

    def __init__(  # noqa: PLR0913 - settings, all passed by keyword
        self,
        provider: Callable[[], Iterable[LiveRun]],
        *,
        counters: DaemonCounters | None = None,
        ready: Callable[[], bool] | None = None,
        linger: float = 300.0,
        max_live_runs: int = 200,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._provider = provider
        self._counters = counters
        self._ready = ready
        self._linger = linger
        self._max = max_live_runs
        self._clock = clock

    def describe(self) -> Iterator[Family]:
        """The families without samples: registration must not ask the provider."""
        for metric in METRICS:
            yield Family(metric.name.removesuffix("_total"), metric.help, metric.kind)

    def collect(self) -> Iterator[Family]:
        """One exposition."""
        runs, overflow = self._select()
        families = _Families()
        for run in runs:
            _add_run(families, run)
        families.add("auditor_live_runs", (), len(runs))
        families.add("auditor_live_runs_overflow", (), overflow)
        families.add("auditor_build_info", (auditor_agent.__version__,), 1)
        if self._ready is not None:
            families.add("auditor_ready", (), float(self._ready()))
        yield from families
        if self._counters is not None:
            yield from self._counters.collect()

    def _select(self) -> tuple[list[LiveRun], int]:
        """The runs to expose, and how many were left out; the order is stable between scrapes."""
        horizon = self._clock() - self._linger
        live = {
            label_value(run.run): run for run in self._provider() if run.ended_at is None or run.ended_at >= horizon
        }
        ranked = sorted(live.values(), key=lambda run: (run.ended_at is not None, not run.firing, run.run))
        return ranked[: self._max], max(0, len(ranked) - self._max)


class _Families:
    """Families by name, made from the table on first use."""

    def __init__(self) -> None:
        self._families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}

    def __iter__(self) -> Iterator[Family]:
        return iter(self._families.values())

    def add(self, name: str, labels: tuple[str, ...], value: float | None) -> None:
        """One sample, unless it is absent or not finite."""
        if value is None or (number := _finite(value)) is None:
            return
        family = self._families.get(name)
        if family is None:
            metric = BY_NAME[name]
            make = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            family = self._families[name] = make(name, metric.help, labels=metric.labels)
        family.add_metric(labels, number)


def _finite(value: object) -> float | None:
    """``value`` as a finite float; None for all else: counts come from agents, whatever they say."""
    try:
        number = float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _add_run(families: _Families, run: LiveRun) -> None:
    labels = (label_value(run.run), label_value(run.project), label_value(run.framework))
    families.add("auditor_run_info", (*labels, label_value(run.name), label_value(run.status)), 1)
    families.add("auditor_run_live", labels, run.ended_at is None)
    families.add("auditor_run_loss", labels, run.loss)
    families.add("auditor_run_step", labels, run.step)
    families.add("auditor_run_gradient_norm", labels, run.grad_norm)
    families.add("auditor_run_progress_timestamp_seconds", labels, run.progress_at)
    families.add("auditor_run_heartbeat_timestamp_seconds", labels, run.heartbeat_at)
    families.add("auditor_run_ingested_steps_total", labels, run.ingested)
    for kind, count in _bounded(run.nonfinite, MAX_KINDS):
        families.add("auditor_run_nonfinite_total", (*labels, kind), count)
    for reason, count in _bounded(run.dropped, MAX_REASONS):
        families.add("auditor_run_dropped_steps_total", (*labels, reason), count)
    for (rule, severity), count in _alerts(run.alerts):
        root = label_value(run.roots.get(rule, rule))
        families.add("auditor_run_alerts", (*labels, rule, severity, root), count)


def _bounded(counts: Mapping[str, int], limit: int) -> Iterator[tuple[str, float]]:
    """At most ``limit`` cleaned names; those beyond it add up under "other"."""
    merged: dict[str, float] = {}
    for name, count in sorted(counts.items()):
        clean = label_value(name)
        if clean not in merged and len(merged) >= limit - 1:
            clean = "other"
        merged[clean] = merged.get(clean, 0.0) + (_finite(count) or 0.0)
    return iter(merged.items())


_URGENCY: Final = {str(severity): rank for rank, severity in enumerate(reversed(Severity))}


def _alerts(counts: Mapping[tuple[str, str], int]) -> Iterator[tuple[tuple[str, str], int]]:
    """At most ``MAX_ALERT_SERIES`` (rule, severity): the firing and the severe ones by name, the rest as "other"."""
    merged: dict[tuple[str, str], int] = {}
    ranked = sorted(counts.items(), key=lambda item: (item[1] == 0, _URGENCY.get(item[0][1], 3), item[0]))
    for (rule, severity), count in ranked:
        grade = severity if severity in _URGENCY else str(Severity.INFO)
        key = (label_value(rule), grade)
        if key not in merged and len(merged) >= MAX_ALERT_SERIES - len(_URGENCY):
            key = ("other", grade)
        merged[key] = merged.get(key, 0) + count
    return iter(merged.items())


def registry(collector: RunCollector) -> CollectorRegistry:
    """A registry of its own for ``collector``: two applications in one process do not mix."""
    own = CollectorRegistry(auto_describe=False)
    own.register(collector)
    return own


def exposition(own: CollectorRegistry, accept: str = "") -> tuple[bytes, str]:
    """The body of ``GET /metrics`` and its content type, as the ``Accept`` header asks."""
    encode, content_type = choose_encoder(accept)
    return encode(own), content_type
