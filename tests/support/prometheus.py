"""The real Prometheus on a free port, and a small server with an exposition for it to scrape."""

from __future__ import annotations

import contextlib
import json
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx

from auditor.alerts.prometheus import RunCollector, exposition, registry
from support.process import free_port, program, running, until


@dataclass(frozen=True)
class Prometheus:
    """A running server."""

    url: str

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The series of an instant query: ``[{"metric": {...}, "value": [time, "text"]}, ...]``."""
        answer = httpx.get(f"{self.url}/api/v1/query", params={"query": expression}, timeout=10)
        body = answer.json()
        if body["status"] != "success":
            raise ValueError(f"{expression}: {body['error']}")
        result: list[dict[str, Any]] = body["data"]["result"]
        return result

    def value(self, expression: str) -> float | None:
        """The value of the first series of ``expression``, None if there is none."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def alerts(self, name: str | None = None, state: str = "firing") -> list[dict[str, Any]]:
        """The alerts of its rules in ``state``, all or those called ``name``."""
        data = httpx.get(f"{self.url}/api/v1/alerts", timeout=10).json()["data"]
        return [a for a in data["alerts"] if a["state"] == state and name in {None, a["labels"]["alertname"]}]

    def targets(self) -> list[dict[str, Any]]:
        """What it scrapes, with health and last error."""
        body = httpx.get(f"{self.url}/api/v1/targets", timeout=10).json()
        active: list[dict[str, Any]] = body["data"]["activeTargets"]
        return active

    def wait_for(self, expression: str, seconds: float = 30.0) -> list[dict[str, Any]]:
        """The first non-empty answer to ``expression``."""
        return until(lambda: self.query(expression), seconds)


@contextlib.contextmanager
def prometheus_server(
    scrape_targets: Sequence[str] = (),
    rules: Sequence[Path] = (),
    interval: str = "1s",
    *,
    http_sd: Sequence[str] = (),
    alertmanagers: Sequence[str] = (),
    token: str | None = None,
) -> Iterator[Prometheus]:
    """Prometheus that scrapes and evaluates every ``interval``.

    Args:
        scrape_targets: ``host:port`` with an exposition at /metrics.
        rules: rule files.
        interval: of scraping and evaluating.
        http_sd: URLs of HTTP service discovery, read every 5 s (its shortest).
        alertmanagers: ``host:port`` to which its alerts go.
        token: bearer token for scraping and discovery.
    """
    binary = program("prometheus")
    auth = {"authorization": {"credentials": token}} if token else {}
    job: dict[str, Any] = {
        "job_name": "training-auditor",
        "static_configs": [{"targets": list(scrape_targets)}],
        "http_sd_configs": [{"url": url, "refresh_interval": "5s", **auth} for url in http_sd],
        **auth,
    }
    config = {
        "global": {"scrape_interval": interval, "scrape_timeout": interval, "evaluation_interval": interval},
        "rule_files": [str(path) for path in rules],
        "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
        "scrape_configs": [job],
    }
    with tempfile.TemporaryDirectory(prefix="prometheus-") as folder:
        home, port = Path(folder), free_port()
        (home / "prometheus.yml").write_text(json.dumps(config))  # JSON is YAML
        command = [
            binary,
            f"--config.file={home / 'prometheus.yml'}",
            f"--storage.tsdb.path={home / 'data'}",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        url = f"http://127.0.0.1:{port}"
        with running(command, f"{url}/-/ready", home / "log"):
            yield Prometheus(url)


@contextlib.contextmanager
def serving(answers: Mapping[str, Callable[[str], tuple[bytes, str]]]) -> Iterator[str]:
    """A loopback HTTP server; ``answers`` maps a path to what makes body and type from the Accept header.

    Yields:
        Its ``host:port``.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            make = answers.get(self.path)
            body, kind = make(self.headers.get("Accept", "")) if make else (b"", "text/plain")
            self.send_response(200 if make else 404)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextlib.contextmanager
def serving_metrics(collector: RunCollector) -> Iterator[str]:
    """``collector`` at /metrics, and itself at /v1/targets; yields ``host:port``."""
    own, at = registry(collector), [""]

    def targets(_: str) -> tuple[bytes, str]:
        return json.dumps([{"targets": at, "labels": {}}]).encode(), "application/json"

    with serving({"/metrics": lambda accept: exposition(own, accept), "/v1/targets": targets}) as address:
        at[0] = address
        yield address
