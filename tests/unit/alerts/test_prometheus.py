from __future__ import annotations

import math
import time
from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families

from auditor.alerts.live import DaemonCounters, LiveRun, firing
from auditor.alerts.metrics import BY_NAME, METRICS, main
from auditor.alerts.prometheus import MAX_SERIES_PER_RUN, RunCollector, exposition, registry
from auditor.model import Alert, AlertState, Severity, Subject

Series = dict[tuple[str, ...], float]


def run(name: str = "r1", **fields: object) -> LiveRun:
    """A run with the given fields."""
    return replace(LiveRun(run=name, project="digits", framework="torch"), **fields)  # type: ignore[arg-type]


def scrape(collector: RunCollector, name: str) -> Series:
    """The samples called ``name``, by the values of their labels other than project and framework."""
    text = exposition(registry(collector))[0].decode()
    return {
        tuple(value for label, value in sample.labels.items() if label not in {"project", "framework"}): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == name
    }


def test_a_run_is_exposed_with_what_is_known_of_it() -> None:
    """Every value of a run comes out under its own name."""
    live = run(
        loss=0.5,
        step=41,
        grad_norm=3.0,
        nonfinite={"gradient": 4096},
        dropped={"queue_full": 2},
        progress_at=100.0,
        heartbeat_at=101.0,
        ingested=42,
        alerts={("nonfinite_gradient", "critical"): 1, ("nonfinite_loss", "critical"): 1},
        roots={"nonfinite_loss": "nonfinite_gradient"},
    )
    collector = RunCollector(lambda: [live])
    assert scrape(collector, "auditor_run_loss") == {("r1",): 0.5}
    assert scrape(collector, "auditor_run_step") == {("r1",): 41}
    assert scrape(collector, "auditor_run_gradient_norm") == {("r1",): 3.0}
    assert scrape(collector, "auditor_run_nonfinite_total") == {("gradient", "r1"): 4096}
    assert scrape(collector, "auditor_run_dropped_steps_total") == {("queue_full", "r1"): 2}
    assert scrape(collector, "auditor_run_progress_timestamp_seconds") == {("r1",): 100.0}
    assert scrape(collector, "auditor_run_heartbeat_timestamp_seconds") == {("r1",): 101.0}
    assert scrape(collector, "auditor_run_ingested_steps_total") == {("r1",): 42}
    assert scrape(collector, "auditor_run_live") == {("r1",): 1}
    assert scrape(collector, "auditor_run_alerts") == {
        ("nonfinite_gradient", "nonfinite_gradient", "r1", "critical"): 1,
        ("nonfinite_gradient", "nonfinite_loss", "r1", "critical"): 1,
    }


def test_v5_a_nonfinite_value_is_absent_rather_than_nan() -> None:
    """A NaN or Inf loss leaves no sample at all; nor does a value that is not known yet."""
    for value in (math.nan, math.inf, -math.inf, None):
        assert scrape(RunCollector(lambda value=value: [run(loss=value)]), "auditor_run_loss") == {}


def test_v5_an_ended_run_vanishes_after_its_linger() -> None:
    """It is exposed as not live for ``linger`` seconds, then not at all."""
    now = [1000.0]
    collector = RunCollector(lambda: [run(ended_at=1000.0)], linger=300, clock=lambda: now[0])
    assert scrape(collector, "auditor_run_live") == {("r1",): 0}
    now[0] = 1300.0
    assert scrape(collector, "auditor_run_info")
    now[0] = 1300.1
    assert scrape(collector, "auditor_run_info") == {}
    assert scrape(collector, "auditor_live_runs") == {(): 0}


def test_v5_runs_beyond_the_limit_are_counted_and_those_with_alerts_are_kept() -> None:
    """Of five runs and room for two, the firing one and the first live one are shown; three overflow."""
    runs = [run(f"r{i}") for i in range(4)] + [run("r9", alerts={("nonfinite_loss", "critical"): 1})]
    collector = RunCollector(lambda: runs, max_live_runs=2)
    assert set(scrape(collector, "auditor_run_info")) == {("", "r0", "running"), ("", "r9", "running")}
    assert scrape(collector, "auditor_live_runs_overflow") == {(): 3}


def test_v5_a_run_has_at_most_fifty_series_and_its_totals_survive() -> None:
    """Kinds, reasons and alerts beyond their limits are added up under "other"."""
    crowd = run(
        loss=1.0,
        step=1,
        grad_norm=1.0,
        progress_at=1.0,
        heartbeat_at=1.0,
        nonfinite={f"kind{i}": 1 for i in range(100)},
        dropped={f"reason{i}": 1 for i in range(100)},
        alerts={(f"rule{i}", severity): 1 for i in range(100) for severity in ("critical", "warning", "info")},
    )
    collector = RunCollector(lambda: [crowd])
    text = exposition(registry(collector))[0].decode()
    assert sum('run="r1"' in line for line in text.splitlines()) <= MAX_SERIES_PER_RUN
    for name, total in (("nonfinite_total", 100), ("dropped_steps_total", 100), ("alerts", 300)):
        assert sum(scrape(collector, f"auditor_run_{name}").values()) == total


def test_every_metric_of_the_table_is_exposed_and_nothing_else() -> None:
    """A daemon that has seen everything exposes the names of the table exactly, with its types and labels."""
    counters = DaemonCounters(reasons=["malformed"])
    everything = run(
        loss=1.0,
        step=1,
        grad_norm=1.0,
        progress_at=1.0,
        heartbeat_at=1.0,
        nonfinite={"loss": 1},
        dropped={"disk": 1},
        alerts={("loss_spike", "warning"): 1},
    )
    text = exposition(registry(RunCollector(lambda: [everything], counters=counters, ready=lambda: True)))[0].decode()
    families = list(text_string_to_metric_families(text))
    exposed = {sample.name for family in families for sample in family.samples}
    assert exposed == {name for metric in METRICS for name in metric.queryable}
    for family in families:
        metric = BY_NAME.get(family.name) or BY_NAME[f"{family.name}_total"]
        assert (family.type, family.documentation) == (metric.kind, metric.help)
        assert all(set(sample.labels) - {"le"} == set(metric.labels) for sample in family.samples)


def test_the_page_of_metrics_is_current() -> None:
    """docs/metrics.md is what the table says."""
    assert main(["--check"]) == 0


def test_counters_count_and_labels_stay_bounded() -> None:
    """A counter per request, frame, row and byte; the seventeenth rejection reason counts as other."""
    counters = DaemonCounters()
    counters.request(200, 1000)
    counters.request(429, 24)
    counters.stored("steps", 2, rows=300)
    counters.duplicate(3)
    counters.heartbeat()
    counters.commit(0.003)
    for i in range(20):
        counters.rejected(f"reason{i}")
    collector = RunCollector(list, counters=counters)
    assert scrape(collector, "auditor_ingest_requests_total") == {("200",): 1, ("429",): 1}
    assert scrape(collector, "auditor_ingest_bytes_total") == {(): 1024}
    assert scrape(collector, "auditor_ingest_frames_total")[("steps",)] == 2
    assert scrape(collector, "auditor_ingest_rows_total") == {(): 300}
    assert scrape(collector, "auditor_ingest_duplicate_frames_total") == {(): 3}
    assert scrape(collector, "auditor_ingest_heartbeats_total") == {(): 1}
    assert scrape(collector, "auditor_ingest_commit_seconds_bucket")[("0.005",)] == 1
    assert scrape(collector, "auditor_ingest_commit_seconds_bucket")[("0.0025",)] == 0
    rejected = scrape(collector, "auditor_ingest_rejected_frames_total")
    assert (len(rejected), rejected[("other",)], sum(rejected.values())) == (17, 4, 20)


def test_registering_does_not_ask_the_provider() -> None:
    """An application that registers its collector before its store is open does not fail."""
    registry(RunCollector(lambda: 1 / 0))  # type: ignore[arg-type,return-value]


def test_firing_counts_alerts_and_keeps_the_resolved_as_zero() -> None:
    """Pending ones are left out."""

    def alert(rule: str, state: AlertState) -> Alert:
        subject = Subject("loss", "loss")
        return Alert(rule, "r1", 0, rule, Severity.WARNING, state, subject, 1, 1, 0.0, 0.0)

    states = {"a": AlertState.FIRING, "b": AlertState.RESOLVED, "c": AlertState.PENDING}
    alerts = [alert(rule, state) for rule, state in states.items()]
    assert firing(alerts) == {("a", "warning"): 1, ("b", "warning"): 0}


def test_two_hundred_runs_are_scraped_in_well_under_a_second() -> None:
    """About 3,000 series; 10 us each would be 30 ms, the bound leaves room for a loaded machine."""
    runs = [
        run(f"r{i}", loss=1.0, step=1, grad_norm=1.0, progress_at=1.0, heartbeat_at=1.0, nonfinite={"gradient": 1})
        for i in range(200)
    ]
    own = registry(RunCollector(lambda: runs))
    started = time.perf_counter()
    body, _ = exposition(own)
    assert time.perf_counter() - started < 1.0
    assert body.count(b"auditor_run_loss{") == 200
