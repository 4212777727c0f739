"""The Grafana dashboard *Overview*, generated: ``dashboards/overview.json`` is its output, checked in.

``python -m auditor.alerts.dashboards`` writes the file, ``--check`` fails when it is out of date. A
dashboard is data here (panels with title, description, unit, expressions), and Grafana's JSON model
is made from it in one place. Only metrics of :mod:`auditor.alerts.metrics` are used, and every
expression is run against a real Prometheus in the tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

UID: Final = "training-auditor-overview"
FILE: Final = Path(__file__).resolve().parents[2] / "dashboards" / "overview.json"
#: Grafana's dashboard model this was written for (Grafana 11); later ones migrate it on load.
SCHEMA_VERSION: Final = 39
COLUMNS: Final = 24

_RUNS: Final = 'project=~"$project", run=~"$run"'


@dataclass(frozen=True, slots=True)
class Query:
    """An expression and the legend of its series, in Grafana's ``{{label}}`` notation."""

    expr: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """One panel. ``unit`` is Grafana's id of it; ``width`` counts of 24 columns; ``bad``: red from there on."""

    title: str
    description: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 8
    height: int = 8
    log: bool = False
    bad: float | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A titled row of panels."""

    title: str
    panels: tuple[Panel, ...]


def _of(metric: str) -> str:
    return f"{metric}{{{_RUNS}}}"


def _firing(severity: str) -> str:
    return f'sum(auditor_run_alerts{{{_RUNS}, severity="{severity}"}}) or vector(0)'


ROWS: Final[tuple[Row, ...]] = (
    Row(
        "Now",
        (
            Panel(
                "Live runs",
                "Runs that have not ended.",
                (Query(f"sum({_of('auditor_run_live')}) or vector(0)"),),
                kind="stat",
                width=6,
                height=4,
            ),
            Panel(
                "Critical alerts",
                "Alerts that say that a training is broken now.",
                (Query(_firing("critical")),),
                kind="stat",
                width=6,
                height=4,
                bad=1,
            ),
            Panel(
                "Warnings",
                "Alerts that say that a training is likely wasted.",
                (Query(_firing("warning")),),
                kind="stat",
                width=6,
                height=4,
                bad=1,
            ),
            Panel(
                "Daemons not ready",
                "Daemons whose store takes no writes. Agents keep their steps on disk meanwhile.",
                (Query("count(auditor_ready == 0) or vector(0)"),),
                kind="stat",
                width=6,
                height=4,
                bad=1,
            ),
            Panel(
                "Firing alerts",
                "What is wrong with which run. `auditor show RUN` tells tensor, step, causes and advice.",
                (
                    Query(
                        f"sum by (run, project, framework, rule, severity) ({_of('auditor_run_alerts')} > 0)",
                    ),
                ),
                kind="table",
                width=COLUMNS,
                height=7,
            ),
        ),
    ),
    Row(
        "Training",
        (
            Panel(
                "Loss",
                "Last finite loss. A loss that is NaN or Inf is not drawn; it is counted in Non-finite values.",
                (Query(_of("auditor_run_loss"), "{{run}}"),),
                log=True,
            ),
            Panel(
                "Gradient norm",
                "Last finite global gradient norm: L2 over all gradient tensors, as the optimizer sees them.",
                (Query(_of("auditor_run_gradient_norm"), "{{run}}"),),
                log=True,
            ),
            Panel(
                "Non-finite values",
                "NaN and Inf elements seen so far, by kind of tensor. Anything above zero is worth a look.",
                (Query(f"{_of('auditor_run_nonfinite_total')} > 0", "{{run}} {{kind}}"),),
                bad=1,
            ),
            Panel(
                "Step",
                "Last step of each run: how far it is.",
                (Query(_of("auditor_run_step"), "{{run}}"),),
            ),
            Panel(
                "Steps per second",
                "Steps stored per second. A run that catches up from its spool is faster here than in truth.",
                (Query(f"rate({_of('auditor_run_ingested_steps_total')}[$__rate_interval])", "{{run}}"),),
                unit="cps",
            ),
            Panel(
                "Since last sign",
                "Seconds since the last new step and since the last heartbeat, of live runs. A stalled run has "
                "heartbeats but no steps; a silent one has neither.",
                (
                    Query(
                        f"(time() - {_of('auditor_run_progress_timestamp_seconds')}) "
                        "and on (run, instance) auditor_run_live == 1",
                        "{{run}} step",
                    ),
                    Query(
                        f"(time() - {_of('auditor_run_heartbeat_timestamp_seconds')}) "
                        "and on (run, instance) auditor_run_live == 1",
                        "{{run}} heartbeat",
                    ),
                ),
                unit="s",
            ),
        ),
    ),
    Row(
        "Daemon",
        (
            Panel(
                "Ingest",
                "Tensor statistics rows stored per second, by replica. One tensor at one step is one row.",
                (Query("rate(auditor_ingest_rows_total[$__rate_interval])", "{{instance}}"),),
                unit="rowsps",
            ),
            Panel(
                "Ingest bytes",
                "Bytes of request bodies taken in per second.",
                (Query("rate(auditor_ingest_bytes_total[$__rate_interval])", "{{instance}}"),),
                unit="Bps",
            ),
            Panel(
                "Commit time",
                "From taking a request's frames to their commit. Acknowledgements and alerts wait for it.",
                tuple(
                    Query(
                        f"histogram_quantile({q}, "
                        "sum by (le) (rate(auditor_ingest_commit_seconds_bucket[$__rate_interval])))",
                        f"p{q * 100:.0f}",
                    )
                    for q in (0.5, 0.99)
                ),
                unit="s",
            ),
            Panel(
                "Requests",
                "Ingest requests per second, by HTTP status. 429 and 503 tell agents to come later.",
                (Query("sum by (code) (rate(auditor_ingest_requests_total[$__rate_interval]))", "{{code}}"),),
                unit="reqps",
            ),
            Panel(
                "Frames, heartbeats",
                "Frames stored per second by type, heartbeats, and frames that came twice: many of those mean that "
                "acknowledgements get lost.",
                (
                    Query("sum by (type) (rate(auditor_ingest_frames_total[$__rate_interval]))", "{{type}}"),
                    Query("sum(rate(auditor_ingest_heartbeats_total[$__rate_interval]))", "heartbeat"),
                    Query("sum(rate(auditor_ingest_duplicate_frames_total[$__rate_interval]))", "duplicate"),
                ),
                unit="cps",
            ),
            Panel(
                "Lost",
                "Steps dropped by agents and frames refused by the daemon, so far. Their audit has gaps.",
                (
                    Query(f"sum by (run, reason) ({_of('auditor_run_dropped_steps_total')})", "{{run}} {{reason}}"),
                    Query("sum by (reason) (auditor_ingest_rejected_frames_total)", "refused {{reason}}"),
                ),
                bad=1,
            ),
            Panel(
                "Exposed runs",
                "Runs in the exposition, and those left out because max_live_runs was reached.",
                (
                    Query("sum(auditor_live_runs)", "exposed"),
                    Query("sum(auditor_live_runs_overflow)", "left out"),
                ),
            ),
            Panel(
                "Posts to Alertmanager",
                "Alerts posted per second by outcome, and retries. Zero where no Alertmanager is configured.",
                (
                    Query(
                        "sum by (outcome) (rate(auditor_alertmanager_alerts_total[$__rate_interval]))", "{{outcome}}"
                    ),
                    Query("sum(rate(auditor_alertmanager_retries_total[$__rate_interval]))", "retries"),
                ),
                unit="cps",
            ),
            Panel(
                "Versions",
                "Versions of the daemons that answer.",
                (Query("count by (version) (auditor_build_info)", "{{version}}"),),
                kind="stat",
            ),
        ),
    ),
)


def queries() -> list[str]:
    """Every expression of the dashboard, with Grafana's variables in them."""
    return [query.expr for row in ROWS for panel in row.panels for query in panel.queries]


def overview() -> dict[str, Any]:
    """The dashboard in Grafana's JSON model."""
    return {
        "uid": UID,
        "title": "Training Auditor: overview",
        "description": "Training runs, what is wrong with them, and the daemon that watches them.",
        "tags": ["training-auditor"],
        "schemaVersion": SCHEMA_VERSION,
        "version": 1,
        "editable": True,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "templating": {"list": _variables()},
        "annotations": {"list": [_annotations()]},
        "panels": _panels(),
    }


def _variables() -> list[dict[str, Any]]:
    shared = {"type": "query", "datasource": _source(), "refresh": 2, "multi": True, "includeAll": True}
    shared |= {"allValue": ".*", "current": {"text": ["All"], "value": ["$__all"]}, "sort": 1}
    project = "label_values(auditor_run_info, project)"
    run = 'label_values(auditor_run_info{project=~"$project"}, run)'
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "hide": 0},
        {"name": "project", "label": "Project", "query": {"query": project, "refId": "project"}, **shared},
        {"name": "run", "label": "Run", "query": {"query": run, "refId": "run"}, **shared},
    ]


def _annotations() -> dict[str, Any]:
    """Shows the annotations that ``auditor grafana sync`` writes, one for each alert."""
    target = {"type": "tags", "tags": ["training-auditor"], "matchAny": False, "limit": 100}
    source = {"type": "grafana", "uid": "-- Grafana --"}
    return {"name": "Alerts", "datasource": source, "enable": True, "iconColor": "red", "target": target}


def _source() -> dict[str, str]:
    return {"type": "prometheus", "uid": "${datasource}"}


def _panels() -> list[dict[str, Any]]:
    panels: list[dict[str, Any]] = []
    top = 0
    for row in ROWS:
        header = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
        panels.append({"id": len(panels) + 1, **header, "gridPos": {"x": 0, "y": top, "w": COLUMNS, "h": 1}})
        top, left, tallest = top + 1, 0, 0
        for panel in row.panels:
            if left + panel.width > COLUMNS:
                top, left, tallest = top + tallest, 0, 0
            place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
            panels.append({"id": len(panels) + 1, **_panel(panel), "gridPos": place})
            left, tallest = left + panel.width, max(tallest, panel.height)
        top += tallest
    return panels


def _panel(panel: Panel) -> dict[str, Any]:
    instant = panel.kind in {"stat", "table"}
    targets = [
        {
            "refId": chr(ord("A") + i),
            "datasource": _source(),
            "expr": query.expr,
            "legendFormat": query.legend or "__auto",
        }
        | ({"instant": True, "range": False} if instant else {})
        | ({"format": "table"} if panel.kind == "table" else {})
        for i, query in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.description,
        "datasource": _source(),
        "targets": targets,
        "fieldConfig": {"defaults": _field(panel), "overrides": []},
        "options": _options(panel),
    } | ({"transformations": _TABLE} if panel.kind == "table" else {})


_TABLE: Final = [{"id": "organize", "options": {"excludeByName": {"Time": True, "Value": True}}}]


def _field(panel: Panel) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if panel.bad is not None:
        steps.append({"color": "red", "value": panel.bad})
    defaults: dict[str, Any] = {"unit": panel.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    if panel.log:
        defaults["custom"] = {"scaleDistribution": {"type": "log", "log": 10}}
    return defaults


def _options(panel: Panel) -> dict[str, Any]:
    if panel.kind == "timeseries":
        legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
        return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    if panel.kind == "stat":
        reduce = {"calcs": ["lastNotNull"], "fields": "", "values": False}
        return {"reduceOptions": reduce, "colorMode": "background" if panel.bad is not None else "none"}
    return {"showHeader": True}


def text() -> str:
    """The text of ``dashboards/overview.json``."""
    return json.dumps(overview(), indent=2) + "\n"


def main(arguments: Sequence[str]) -> int:
    """Write the file, or with ``--check`` return 1 if the one on disk differs."""
    if "--check" not in arguments:
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(text(), encoding="utf-8")
        return 0
    if FILE.is_file() and FILE.read_text(encoding="utf-8") == text():
        return 0
    sys.stderr.write(f"{FILE} is out of date: run python -m auditor.alerts.dashboards\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
