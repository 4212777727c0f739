"""The real Alertmanager hears of alerts, in time, and of their end."""

from __future__ import annotations

import statistics
import time
from dataclasses import replace
from pathlib import Path

import yaml

from auditor.alerts.alertmanager import AlertmanagerPoster
from auditor.alerts.ledger import Ledger
from auditor.model import Alert, AlertState, Severity, Subject
from support.alertmanager import alertmanager_server, webhook
from support.process import until

CONFIGURATION = Path(__file__).resolve().parents[2] / "deploy" / "alertmanager" / "alertmanager.yml"
SUBJECT = Subject("gradient", "encoder.3.weight", 0)


def alert(run: str) -> Alert:
    """A critical alert of ``run`` that fires from now on."""
    now = time.time()
    state, summary = AlertState.FIRING, 'NaN in "encoder.3.weight"'
    return Alert(
        run, run, 0, "nonfinite_gradient", Severity.CRITICAL, state, SUBJECT, 37, 37, now, now, summary=summary
    )


def test_an_alert_reaches_the_receiver_and_resolves() -> None:
    """Posted, notified with its labels and annotations, resolved, notified again."""
    with webhook() as hook, alertmanager_server(hook.url) as manager:
        poster = AlertmanagerPoster(manager.url, Ledger(external_url="http://auditor.example"))
        first = alert("r1")
        poster.post([first], project="digits", framework="torch")
        arrived = until(lambda: hook.of("firing", "nonfinite_gradient"))[0]
        assert arrived["labels"]["run"] == "r1"
        assert arrived["annotations"]["summary"] == 'NaN in "encoder.3.weight"'
        assert arrived["annotations"]["first_step"] == "37"
        assert arrived["annotations"]["url"] == "http://auditor.example/v1/runs/r1"
        assert [held["labels"]["run"] for held in manager.alerts()] == ["r1"]
        poster.post([replace(first, state=AlertState.RESOLVED)], project="digits", framework="torch")
        until(lambda: hook.of("resolved", "nonfinite_gradient"))
        assert manager.alerts() == []
        poster.close()


def test_v5_the_alert_of_an_ended_run_resolves_after_the_linger() -> None:
    """It stays up for that long: a run that dies at once is not resolved before anybody is told."""
    with webhook() as hook, alertmanager_server(hook.url) as manager:
        poster = AlertmanagerPoster(manager.url, Ledger(linger=1.0))
        poster.post([alert("r1")], project="digits", framework="torch")
        until(lambda: hook.of("firing", "nonfinite_gradient"))
        poster.run_ended("r1")
        ended = time.time()
        until(lambda: hook.of("resolved", "nonfinite_gradient"))
        assert time.time() - ended > 1.0
        poster.close()


def test_twenty_alerts_reach_the_receiver_within_a_tenth_of_a_second_each() -> None:
    """From the call to the receiver, group_wait 0 s; the median, since the machine is shared."""
    delays = []
    with webhook() as hook, alertmanager_server(hook.url) as manager:
        poster = AlertmanagerPoster(manager.url)
        for i in range(20):
            name, started = f"r{i}", time.time()
            poster.post([alert(name)], project="digits", framework="torch")
            until(lambda name=name: [a for a in hook.received if a["labels"]["run"] == name], every=0.001)
            delays.append(hook.received[-1]["at"] - started)
        poster.close()
    print(f"post to receiver: median {statistics.median(delays) * 1e3:.1f} ms, worst {max(delays) * 1e3:.1f} ms")  # noqa: T201
    assert statistics.median(delays) < 0.1


def test_a_critical_alert_inhibits_the_warnings_of_its_run_only() -> None:
    """With the inhibition rules of deploy/alertmanager: a broken run need not also be called wasteful."""
    rules = yaml.safe_load(CONFIGURATION.read_text())["inhibit_rules"]
    with webhook() as hook, alertmanager_server(hook.url, {"inhibit_rules": rules}) as manager:
        poster = AlertmanagerPoster(manager.url)
        poster.post([alert("broken")], project="digits", framework="torch")
        until(lambda: hook.of("firing", "nonfinite_gradient"))
        warning = {"rule": "loss_spike", "severity": Severity.WARNING}
        poster.post([replace(alert("broken"), id="w1", **warning)], project="digits", framework="torch")
        poster.post([replace(alert("odd"), id="w2", **warning)], project="digits", framework="torch")
        until(lambda: hook.of("firing", "loss_spike"))
        held = [held for held in manager.alerts() if held["labels"]["alertname"] == "loss_spike"]
        assert {a["labels"]["run"]: a["status"]["state"] for a in held} == {"broken": "suppressed", "odd": "active"}
        assert {a["labels"]["run"] for a in hook.of("firing", "loss_spike")} == {"odd"}
        poster.close()
