"""Live runs and counters in which every metric has a value: for rules and dashboards to look at."""

from __future__ import annotations

import time

from auditor.alerts.live import DaemonCounters, LiveRun
from auditor.alerts.prometheus import RunCollector


def sample_runs() -> list[LiveRun]:
    """A healthy run, and one of everything that can be wrong."""
    now = time.time()
    healthy = LiveRun(
        "healthy", "digits", "torch", loss=0.3, step=100, grad_norm=1.5, progress_at=now, heartbeat_at=now, ingested=100
    )
    broken = LiveRun(
        "broken",
        'hostile "project"\n{}',
        "keras",
        loss=2.3,
        step=37,
        grad_norm=4e5,
        nonfinite={"gradient": 4096, "loss": 3},
        alerts={
            ("nonfinite_gradient", "critical"): 1,
            ("exploding_gradient", "critical"): 1,
            ("run_stalled", "critical"): 1,
            ("agent_silent", "critical"): 1,
            ("loss_spike", "warning"): 1,
        },
        progress_at=now - 1000,
        heartbeat_at=now - 1000,
        dropped={"queue_full": 12},
        ingested=37,
    )
    return [healthy, broken]


def sample_collector() -> RunCollector:
    """A daemon that has done everything once; room for one run less than it has."""
    counters = DaemonCounters(reasons=["malformed"])
    counters.request(200, 10_000)
    counters.request(503)
    counters.stored("steps", 2, rows=300)
    counters.heartbeat()
    counters.duplicate()
    counters.rejected("malformed")
    counters.commit(0.012)
    counters.posted("sent")
    counters.retried()
    ready = [True]
    return RunCollector(sample_runs, counters=counters, ready=lambda: ready[0])
