"""Every metric that the daemon exposes, in one table; ``docs/metrics.md`` is generated from it.

``python -m auditor.alerts.metrics`` writes the page, ``--check`` fails when it is out of date. The
collector makes its families from this table and from nothing else, so a metric that is not
documented cannot be exposed; a test holds the rules and dashboards to the same table.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

#: Labels of every series about a run. Never rank, tensor or step: they would be unbounded.
RUN_LABELS: Final = ("run", "project", "framework")

PAGE: Final = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"


@dataclass(frozen=True, slots=True)
class Metric:
    """One exposed metric. ``name`` is what a query says: counters end in ``_total``."""

    name: str
    kind: Literal["gauge", "counter", "histogram"]
    help: str
    labels: tuple[str, ...] = ()

    @property
    def queryable(self) -> tuple[str, ...]:
        """The series names that a query over this metric can use."""
        if self.kind == "histogram":
            return tuple(f"{self.name}_{suffix}" for suffix in ("bucket", "sum", "count"))
        return (self.name,)


def _run(name: str, kind: Literal["gauge", "counter"], text: str, *labels: str) -> Metric:
    return Metric(f"auditor_run_{name}", kind, text, (*RUN_LABELS, *labels))


METRICS: Final[tuple[Metric, ...]] = (
    _run("info", "gauge", "Always 1: a run that is live or ended lately, with its name and status.", "name", "status"),
    _run("live", "gauge", "1 while the run has not ended, 0 afterwards until its series vanish."),
    _run("loss", "gauge", "Last finite loss; non-finite ones are counted, not exported (a NaN poisons averages)."),
    _run("step", "gauge", "Last step seen of the run's latest attempt."),
    _run("gradient_norm", "gauge", "Last finite global gradient norm (L2 over all gradient tensors)."),
    _run("nonfinite_total", "counter", "NaN and Inf elements seen, by kind of tensor or loss.", "kind"),
    _run(
        "alerts",
        "gauge",
        "Alerts of the run that fire now; root: the rule whose alert began the story, itself if it did.",
        *("rule", "severity", "root"),
    ),
    _run("progress_timestamp_seconds", "gauge", "When a new step of the run last arrived, Unix seconds."),
    _run("heartbeat_timestamp_seconds", "gauge", "When the run's agent last gave any sign of life, Unix seconds."),
    _run("ingested_steps_total", "counter", "Steps of the run stored since the daemon met it."),
    _run("dropped_steps_total", "counter", "Steps that the run's agents dropped, by reason.", "reason"),
    Metric("auditor_live_runs", "gauge", "Runs that are exposed now."),
    Metric("auditor_live_runs_overflow", "gauge", "Runs left out of this exposition: max_live_runs was reached."),
    Metric("auditor_build_info", "gauge", "Always 1, with the daemon's version.", ("version",)),
    Metric("auditor_ready", "gauge", "1 when the daemon's store takes writes (as /readyz), else 0."),
    Metric("auditor_ingest_requests_total", "counter", "Ingest requests answered, by HTTP status.", ("code",)),
    Metric("auditor_ingest_frames_total", "counter", "Frames stored, by type.", ("type",)),
    Metric("auditor_ingest_rows_total", "counter", "Tensor statistics rows stored (one tensor at one step is a row)."),
    Metric("auditor_ingest_bytes_total", "counter", "Bytes of request bodies taken in."),
    Metric("auditor_ingest_heartbeats_total", "counter", "Heartbeats received."),
    Metric("auditor_ingest_duplicate_frames_total", "counter", "Frames that were stored already and came again."),
    Metric("auditor_ingest_rejected_frames_total", "counter", "Frames refused for good, by reason.", ("reason",)),
    Metric("auditor_ingest_commit_seconds", "histogram", "Time from taking a request's frames to their commit."),
    Metric("auditor_alertmanager_alerts_total", "counter", "Alerts posted to Alertmanager, by outcome.", ("outcome",)),
    Metric("auditor_alertmanager_retries_total", "counter", "Posts to Alertmanager that failed and were tried again."),
)

BY_NAME: Final = {metric.name: metric for metric in METRICS}


def page() -> str:
    """The text of ``docs/metrics.md``."""
    lines = [
        "# Metrics",
        "",
        "What `GET /metrics` exposes. Generated from `auditor/alerts/metrics.py` by",
        "`python -m auditor.alerts.metrics`; do not edit.",
        "",
        "Values are always finite. Series of a run carry `run`, `project` and `framework`, never a rank, a tensor or a",
        "step; a run has at most 50 series, and they vanish some minutes after it ended (`metrics_linger`). At most",
        "`max_live_runs` runs are exposed; `auditor_live_runs_overflow` says how many were left out.",
        "",
        "| metric | type | labels | meaning |",
        "|---|---|---|---|",
    ]
    for metric in METRICS:
        labels = ", ".join(f"`{label}`" for label in metric.labels) or "-"
        lines.append(f"| `{metric.name}` | {metric.kind} | {labels} | {metric.help} |")
    return "\n".join(lines) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with ``--check`` return 1 if the one on disk differs."""
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(f"{PAGE} is out of date: run python -m auditor.alerts.metrics\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
