"""The daemon's application in a test: its HTTP without a socket, its clock in the test's hand."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from auditor.cli.embedded import AppTransport
from auditor.ingest.app import create_app
from auditor.ingest.service import Service
from auditor.settings import load_settings
from auditor.store import Store

START = 1_800_000_000.0


class Clock:
    """Unix seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        """The time."""
        return self.now


class App:
    """A client of the application, and what is behind it."""

    def __init__(self, client: httpx.Client, service: Service, clock: Clock) -> None:
        self.client, self.service, self.clock = client, service, clock

    def frames(self, *frames: bytes) -> dict[str, Any]:
        """Posts frames; the acknowledgement, which must be one."""
        answer = self.client.post("/v1/frames", content=b"".join(frames))
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON at ``path``."""
        answer = self.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def beat(self, run: str = "r1", step: int = 0, rank: int = 0) -> dict[str, Any]:
        """Posts a heartbeat."""
        sign = {"run": run, "attempt": 0, "rank": rank, "step": step, "time": 1.0}
        answer = self.client.post("/v1/heartbeat", json=sign)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    def tick(self, seconds: float) -> None:
        """Lets time pass, and the watchdog look, once per second at the most 200 times."""
        looks = min(int(seconds), 200) or 1
        for _ in range(looks):
            self.clock.now += seconds / looks
            self.service.tick()

    def settle(self) -> None:
        """Returns once everything submitted is committed."""
        self.service.drain()


@contextmanager
def application(home: Path, *, store: Store | None = None, **settings: Any) -> Iterator[App]:
    """The application over a database in ``home``; its watchdog looks when it starts, then when the test says so."""
    given = load_settings(home=home, **{"watchdog_interval": 3600.0, **settings})
    app = create_app(given, store=store)
    service: Service = app.state.service
    service.clock = clock = Clock()
    with httpx.Client(transport=AppTransport(app), base_url="http://auditor.test") as client:
        yield App(client, service, clock)
