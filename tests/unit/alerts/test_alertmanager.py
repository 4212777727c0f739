from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import httpx
import pytest
from prometheus_client import CollectorRegistry

from auditor.alerts.alertmanager import AlertmanagerPoster, NullPoster, open_poster
from auditor.alerts.ledger import Ledger
from auditor.alerts.live import DaemonCounters
from auditor.alerts.prometheus import RunCollector, registry
from auditor.model import Alert, AlertState, Severity, Subject
from support.process import until

ALERT = Alert("a1", "r1", 0, "loss_spike", Severity.WARNING, AlertState.FIRING, Subject("loss", "loss"), 7, 7, 1.0, 1.0)


class Fake:
    """An Alertmanager that answers with the given statuses in turn, the last one for ever."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses) or [200]
        self.bodies: list[list[dict[str, Any]]] = []
        self.paths: set[str] = set()

    def __call__(self, request: httpx.Request) -> httpx.Response:
        """Answer one request."""
        self.paths.add(request.url.path)
        self.bodies.append(json.loads(request.content))
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        if status == 0:
            raise httpx.ConnectError("refused")
        return httpx.Response(status)


@contextmanager
def poster(fake: Fake, counters: DaemonCounters | None = None, **options: Any) -> Iterator[AlertmanagerPoster]:
    """A poster to ``fake``; ``options`` are its ledger's."""
    made = AlertmanagerPoster(
        "http://am/prefix/", Ledger(**options), counters=counters, transport=httpx.MockTransport(fake)
    )
    try:
        yield made
    finally:
        made.close()


def outcomes(counters: DaemonCounters) -> dict[str, float]:
    """What the poster counted."""
    own: CollectorRegistry = registry(RunCollector(list, counters=counters))
    names = ("sent", "dropped")
    found = {name: own.get_sample_value("auditor_alertmanager_alerts_total", {"outcome": name}) or 0 for name in names}
    return found | {"retries": own.get_sample_value("auditor_alertmanager_retries_total") or 0}


def test_an_alert_is_posted_to_the_v2_api_and_counted() -> None:
    """One request to the prefix it was given."""
    fake, counters = Fake(), DaemonCounters()
    with poster(fake, counters) as post:
        post.post([ALERT], project="p", framework="torch")
        until(lambda: outcomes(counters)["sent"])
    assert fake.paths == {"/prefix/api/v2/alerts"}
    assert [body["labels"]["alertname"] for body in fake.bodies[0]] == ["loss_spike"]


def test_no_thread_before_the_first_alert_and_none_after_close() -> None:
    """A daemon without alerts has no thread for them."""
    made = AlertmanagerPoster("http://am", transport=httpx.MockTransport(Fake()))
    made.post([], project="p", framework="torch")
    made.run_ended("r1")
    assert not [thread for thread in threading.enumerate() if thread.name == "auditor-alertmanager"]
    made.post([ALERT], project="p", framework="torch")
    made.close()
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "auditor-alertmanager"]


def test_firing_alerts_are_repeated() -> None:
    """Every ``repeat`` seconds, until the run ends."""
    fake = Fake()
    with poster(fake, repeat=0.02, linger=0.01) as post:
        post.post([ALERT], project="p", framework="torch")
        until(lambda: len(fake.bodies) >= 4)
        post.run_ended("r1")
        until(lambda: not len(post._ledger))
        count = len(fake.bodies)
        assert not threading.Event().wait(0.1)
        assert len(fake.bodies) == count


@pytest.mark.parametrize("failure", [0, 401, 404, 429, 500, 503])
def test_what_fails_for_now_is_tried_again(failure: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """No answer, wrong credentials, overload: the alert arrives once that is put right; retries are counted."""
    monkeypatch.setattr("auditor.alerts.alertmanager.BACKOFF", (0.01,))
    fake, counters = Fake(failure, failure, 200), DaemonCounters()
    with poster(fake, counters) as post:
        post.post([ALERT], project="p", framework="torch")
        until(lambda: outcomes(counters)["sent"])
    assert outcomes(counters) == {"sent": 1, "dropped": 0, "retries": 2}


def test_what_is_refused_for_good_is_dropped_and_counted() -> None:
    """HTTP 400 will not get better."""
    fake, counters = Fake(400), DaemonCounters()
    with poster(fake, counters) as post:
        post.post([ALERT], project="p", framework="torch")
        until(lambda: outcomes(counters)["dropped"])
    assert len(fake.bodies) == 1


def test_g7_a_dead_alertmanager_costs_bounded_memory_and_two_lines_of_log(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What does not fit is counted as dropped; callers never wait; the address is not logged."""
    monkeypatch.setattr("auditor.alerts.alertmanager.BACKOFF", (0.001,))
    fake, counters = Fake(0), DaemonCounters()
    caplog.set_level(logging.WARNING, logger="auditor")
    with poster(fake, counters, limit=10) as post:
        for i in range(500):
            post.post([replace(ALERT, id=str(i), run=f"r{i}")], project="p", framework="torch")
        until(lambda: outcomes(counters)["retries"] > 5)
        assert len(post._ledger) == 10
    assert outcomes(counters)["dropped"] == 490
    lines = [record.getMessage() for record in caplog.records if record.name.startswith("auditor")]
    assert len(lines) == 1
    assert "http://" not in lines[0]


def test_an_internal_error_does_not_end_the_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The alert after it still arrives."""
    monkeypatch.setattr("auditor.alerts.alertmanager.BACKOFF", (0.01,))
    fake = Fake()
    with poster(fake) as post:
        original, failures = post._ledger.due, [RuntimeError("bug"), RuntimeError("bug")]

        def due(now: float) -> Any:
            if failures:
                raise failures.pop()
            return original(now)

        monkeypatch.setattr(post._ledger, "due", due)
        post.post([ALERT], project="p", framework="torch")
        until(lambda: fake.bodies)


def test_close_delivers_what_is_due() -> None:
    """The alert of a daemon's last second is not lost."""
    fake = Fake()
    with poster(fake) as post:
        for i in range(250):
            post.post([replace(ALERT, id=str(i), run=f"r{i}")], project="p", framework="torch")
    assert sorted(alert["labels"]["run"] for body in fake.bodies for alert in body) == sorted(
        f"r{i}" for i in range(250)
    )
    assert max(len(body) for body in fake.bodies) <= 100


def test_without_an_address_nothing_is_posted() -> None:
    """Off unless configured."""
    assert isinstance(open_poster(None), NullPoster)
    assert isinstance(open_poster(""), NullPoster)
    made = open_poster("http://am", transport=httpx.MockTransport(Fake()))
    assert isinstance(made, AlertmanagerPoster)
    made.close()
