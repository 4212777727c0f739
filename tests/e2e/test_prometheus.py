"""The real Prometheus scrapes the real collector; every rule and every panel is asked of it."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.alerts import dashboards
from auditor.alerts.live import LiveRun
from auditor.alerts.prometheus import RunCollector
from support.alertmanager import alertmanager_server, webhook
from support.process import until
from support.prometheus import Prometheus, prometheus_server, serving_metrics
from support.samples import sample_collector

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "deploy" / "prometheus" / "rules" / "auditor.rules.yml"
EXPRESSIONS = re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)

#: What only a daemon in trouble has, which the sample is not.
EMPTY_FOR_THE_SAMPLE = (
    "up{",
    "auditor_ready == 0",
    "auditor_live_runs_overflow > 0",
    "auditor_run_live == 1 and",  # its silence has been announced
    "sum by (instance, job, reason) (increase(",  # the sample's counters stand still
    "sum by (instance, job) (rate(auditor_ingest_requests_total{",
    "histogram_quantile(0.99, sum by (instance, job, le)",
    "increase(auditor_alertmanager",
)


@pytest.fixture(scope="module")
def server() -> Iterator[Prometheus]:
    """Prometheus with the rules, after two scrapes of the sample through HTTP service discovery."""
    with (
        serving_metrics(sample_collector()) as address,
        prometheus_server(rules=[RULES], http_sd=[f"http://{address}/v1/targets"]) as prometheus,
    ):
        until(lambda: (prometheus.value("count_over_time(auditor_build_info[1m])") or 0) >= 2)
        yield prometheus


@pytest.mark.parametrize("expression", dashboards.queries())
def test_v6_every_panel_shows_something(server: Prometheus, expression: str) -> None:
    """The expression is valid and has an answer for a daemon that has done everything."""
    for variable, value in (("$project", ".*"), ("$run", ".*"), ("$__rate_interval", "1m")):
        expression = expression.replace(variable, value)
    assert server.query(expression)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_v6_every_rule_is_valid_and_sees_the_sample(server: Prometheus, expression: str) -> None:
    """Rules about a run's faults answer; those about a daemon in trouble are valid and silent."""
    assert bool(server.query(expression)) is not expression.startswith(EMPTY_FOR_THE_SAMPLE)


def test_a_nan_fires_in_prometheus(server: Prometheus) -> None:
    """The rule without `for` fires at its first evaluation, with the run's labels."""
    alert = until(lambda: server.alerts("AuditorRunNonfinite"))[0]
    assert alert["labels"]["run"] == "broken"
    assert alert["labels"]["rule"] == "nonfinite_gradient"
    assert alert["annotations"]["runbook"] == "docs/runbooks/AuditorRunNonfinite.md"


def test_s6_hostile_names_arrive_in_prometheus(server: Prometheus) -> None:
    """The scrape succeeds; the project's quotes and braces come through, its line break is replaced."""
    assert [(target["health"], target["lastError"]) for target in server.targets()] == [("up", "")]
    (series,) = server.query('auditor_run_step{run="broken"}')
    assert series["metric"]["project"] == 'hostile "project"\N{REPLACEMENT CHARACTER}{}'


def test_a_nan_comes_through_prometheus_and_alertmanager_to_the_receiver_and_goes_again() -> None:
    """The indirect way, at a 1 s interval: scrape, evaluation, notification; and back."""
    alerts: dict[tuple[str, str], int] = {}
    collector = RunCollector(lambda: [LiveRun("r1", "digits", "torch", alerts=dict(alerts))])
    with (
        webhook() as hook,
        alertmanager_server(hook.url) as manager,
        serving_metrics(collector) as address,
        prometheus_server([address], [RULES], alertmanagers=[manager.url.removeprefix("http://")]) as prometheus,
    ):
        prometheus.wait_for("auditor_run_live")
        alerts["nonfinite_gradient", "critical"] = 1
        flipped = time.time()
        until(lambda: prometheus.alerts("AuditorRunNonfinite"))
        firing = time.time() - flipped
        received = until(lambda: hook.of("firing", "AuditorRunNonfinite"))[0]
        assert received["labels"]["run"] == "r1"
        print(f"flip to firing {firing:.2f} s, to the receiver {received['at'] - flipped:.2f} s")  # noqa: T201
        alerts["nonfinite_gradient", "critical"] = 0
        until(lambda: hook.of("resolved", "AuditorRunNonfinite"))
    assert firing < 5.0  # one scrape and one evaluation take 2 s at most; the rest is for a loaded machine
