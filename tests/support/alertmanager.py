"""The real Alertmanager on a free port, and a webhook that collects what it sends."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from support.process import free_port, program, running


@dataclass(frozen=True)
class Alertmanager:
    """A running server."""

    url: str

    def alerts(self) -> list[dict[str, Any]]:
        """The alerts that it holds as active."""
        held: list[dict[str, Any]] = httpx.get(f"{self.url}/api/v2/alerts", timeout=10).json()
        return held


@dataclass
class Webhook:
    """What arrived: one dictionary per alert of each notification, with ``at`` (Unix seconds) added."""

    url: str = ""
    received: list[dict[str, Any]] = field(default_factory=list)

    def of(self, status: str, alertname: str) -> list[dict[str, Any]]:
        """The alerts received in ``status`` ("firing", "resolved") under ``alertname``."""
        return [a for a in self.received if a["status"] == status and a["labels"]["alertname"] == alertname]


@contextlib.contextmanager
def webhook() -> Iterator[Webhook]:
    """A receiver of notifications."""
    hook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            now = time.time()
            hook.received.extend({**alert, "at": now} for alert in body["alerts"])
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        hook.url = f"http://127.0.0.1:{server.server_port}/"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield hook
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def alertmanager_server(webhook_url: str, config: dict[str, Any] | None = None) -> Iterator[Alertmanager]:
    """Alertmanager that notifies ``webhook_url`` at once; ``config`` replaces route and inhibition.

    Its receiver is called ``default``.
    """
    binary = program("prometheus-alertmanager")
    route = {"receiver": "default", "group_by": ["..."], "group_wait": "0s", "group_interval": "1s"}
    receivers = [{"name": "default", "webhook_configs": [{"url": webhook_url, "send_resolved": True}]}]
    whole = {"route": route, "receivers": receivers, **(config or {})}
    with tempfile.TemporaryDirectory(prefix="alertmanager-") as folder:
        home, port = Path(folder), free_port()
        (home / "alertmanager.yml").write_text(json.dumps(whole))  # JSON is YAML
        command = [
            binary,
            f"--config.file={home / 'alertmanager.yml'}",
            f"--storage.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--cluster.listen-address=",
            "--log.level=warn",
        ]
        url = f"http://127.0.0.1:{port}"
        with running(command, f"{url}/-/ready", home / "log"):
            yield Alertmanager(url)
