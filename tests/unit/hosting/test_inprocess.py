"""The application in a thread, and the checks before a daemon starts."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path

import httpx
import pytest

from auditor.hosting.inprocess import hosted, listen
from auditor.hosting.serve import _check_port, _noted
from auditor.settings import SettingsError, load_settings
from support.frames import Sender


def test_the_application_answers_on_a_loopback_port_until_the_block_ends() -> None:
    """A free port, real HTTP, and neither thread nor listener afterwards."""
    before = set(threading.enumerate())
    with hosted(load_settings(port=0)) as url:
        sender = Sender()
        with httpx.Client(base_url=url) as client:
            answer = client.post("/v1/frames", content=sender.start() + sender.steps([0, 1]))
            assert answer.json()["committed"] == [[0, 0, 0], [0, 0, 1]]
            assert client.get("/healthz").json()["status"] == "ok"
    assert not [thread for thread in set(threading.enumerate()) - before if thread.name.startswith("auditor")]
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{url}/healthz")


def test_two_applications_in_one_process_do_not_mix(tmp_path: Path) -> None:
    """Each has its own runs and its own metrics."""
    with (
        hosted(load_settings(port=0, home=tmp_path / "a")) as a,
        hosted(load_settings(port=0, home=tmp_path / "b")) as b,
    ):
        httpx.post(f"{a}/v1/frames", content=Sender().start())
        assert len(httpx.get(f"{a}/v1/runs").json()["runs"]) == 1
        assert httpx.get(f"{b}/v1/runs").json()["runs"] == []
        assert 'run="r1"' not in httpx.get(f"{b}/metrics").text


def test_what_is_under_way_is_committed_before_it_ends(tmp_path: Path) -> None:
    """Frames that were acknowledged last are in the database that the next one opens."""
    settings = load_settings(port=0, home=tmp_path)
    sender = Sender()
    with hosted(settings) as url:
        httpx.post(f"{url}/v1/frames", content=sender.start() + sender.steps([0]))
    with hosted(settings) as url:
        assert httpx.get(f"{url}/v1/runs/r1").json()["steps"] == 1


def test_a_port_that_cannot_be_used_is_said_before_ray_starts() -> None:
    """Taken, Ray's own, or none."""
    with listen("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match="is a daemon running"):
            _check_port(load_settings(port=port))
    for port in (0, 10_002, 19_999):
        with pytest.raises(SettingsError, match="AUDITOR_PORT"):
            _check_port(load_settings(port=port))


def test_the_note_of_a_daemon_goes_with_it_and_not_with_a_later_one_s(tmp_path: Path) -> None:
    """``daemon.json`` is written whole and removed only by its own writer."""
    settings = load_settings(home=tmp_path / "new")
    path = settings.home / "daemon.json"
    with _noted(settings):
        assert json.loads(path.read_text())["url"] == settings.url
    assert not path.exists()
    with _noted(settings):
        path.write_text('{"url": "http://127.0.0.1:1", "pid": 1}')
    assert path.exists()


def test_a_listener_takes_the_port_that_died_a_moment_ago() -> None:
    """Connections in TIME_WAIT do not hold the port."""
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            peer, _ = first.accept()
            peer.close()
            assert client.recv(1) == b""
    listen("127.0.0.1", port).close()
