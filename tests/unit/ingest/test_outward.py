"""Changed alerts leave for Alertmanager once they are committed, beside the request."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from support.app import application
from support.frames import Sender


class Inbox:
    """What was posted; ``came`` is set by each post."""

    def __init__(self) -> None:
        self.alerts: list[dict[str, Any]] = []
        self.came = threading.Event()
        self.open = threading.Event()
        self.open.set()
        self.url = ""


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """A server that takes alerts as Alertmanager's v2 API does, when it is ``open``."""
    box = Inbox()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            box.open.wait(10)
            box.alerts.extend(body)
            box.came.set()
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    box.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield box
    box.open.set()
    server.shutdown()
    server.server_close()
    thread.join()


def test_a_nan_is_posted_without_the_agent_waiting_for_it(tmp_path: Path, inbox: Inbox) -> None:
    """The acknowledgement comes though Alertmanager hangs; the alert arrives once it does not."""
    inbox.open.clear()
    with application(tmp_path, alertmanager_url=inbox.url) as app:
        sender = Sender()
        app.frames(sender.start(), sender.steps([0, 1]))
        assert app.frames(sender.steps([2], nan=(1,)))["verdict"] == "diverged"
        assert inbox.alerts == []
        inbox.open.set()
        assert inbox.came.wait(10)
    labels = inbox.alerts[0]["labels"]
    assert "nonfinite_gradient" in labels.values()
    assert labels["run"] == "r1"


def test_a_new_daemon_posts_again_what_still_fires(tmp_path: Path, inbox: Inbox) -> None:
    """Alertmanager forgets an alert that nobody repeats; the daemon that would repeat it may have died."""
    sender = Sender()
    with application(tmp_path) as app:
        app.frames(sender.start(), sender.steps([0, 1]), sender.steps([2], nan=(1,)))
    with application(tmp_path, alertmanager_url=inbox.url) as app:
        app.service.wake()
        assert inbox.came.wait(10)
