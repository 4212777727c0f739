"""Where the answers come from, and what is said when none comes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from auditor.cli.client import Client, connect, find_daemon, local_daemon, remote, run_path
from auditor.cli.embedded import AppTransport, embedded, reading
from auditor.cli.problems import Problem
from auditor.hosting.inprocess import hosted
from auditor.settings import load_settings
from tests.unit.cli.conftest import Call


def note(home: Path, url: str, pid: int) -> None:
    """A daemon's note in its home."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "daemon.json").write_text(json.dumps({"url": url, "pid": pid}))


def dead_pid() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_a_live_local_daemon_is_found(auditor_home: Path) -> None:
    """By the note in its home."""
    with hosted(load_settings(port=0)) as url:
        note(auditor_home, url, os.getpid())
        assert find_daemon() == url
        with connect() as client:
            assert client.where == url
            assert client.get("/v1/runs") == {"runs": []}


def test_a_note_of_a_dead_daemon_is_no_daemon(auditor_home: Path) -> None:
    """Its process is gone, or nothing answers, or the note is damaged."""
    with hosted(load_settings(port=0)) as url:
        note(auditor_home, url, dead_pid())
        assert local_daemon(auditor_home) is None
    note(auditor_home, url, os.getpid())
    assert local_daemon(auditor_home) is None
    for damaged in ("", "[]", '{"url": 1}', '{"pid": "x", "url": ""}'):
        (auditor_home / "daemon.json").write_text(damaged)
        assert local_daemon(auditor_home) is None


def test_auditor_url_goes_first(auditor_home: Path, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """Even when nobody answers there: silently reading another store would mislead."""
    monkeypatch.setenv("AUDITOR_URL", "http://127.0.0.1:9")
    result = call("runs", code=2)
    assert "http://127.0.0.1:9" in result.stderr
    assert "auditor serve" in result.stderr


@pytest.mark.parametrize("url", ["not an address", "http://[", "ftp://127.0.0.1"])
def test_an_address_that_is_none_is_said(url: str, monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """No traceback."""
    monkeypatch.setenv("AUDITOR_URL", url)
    assert call("runs", code=2).stderr.startswith("Error: ")


def test_a_token_is_sent_and_its_refusal_explained(auditor_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From AUDITOR_TOKEN; never printed."""
    with hosted(load_settings(port=0, token="sesame")) as url:
        with remote(url) as client, pytest.raises(Problem) as refused:
            client.get("/v1/runs")
        assert "token" in refused.value.message.lower()
        assert "sesame" not in refused.value.message
        monkeypatch.setenv("AUDITOR_TOKEN", "sesame")
        with remote(url) as client:
            assert client.get("/v1/runs") == {"runs": []}


def test_something_else_at_the_address_is_recognised() -> None:
    """A web page is no JSON answer."""
    transport = httpx.MockTransport(lambda _: httpx.Response(200, text="<html>"))
    client = Client(httpx.Client(transport=transport, base_url="http://x"), "http://x")
    with client, pytest.raises(Problem, match="not JSON"):
        client.get("/v1/runs")


def test_a_failed_download_leaves_no_file(tmp_path: Path) -> None:
    """Whole or not at all."""
    transport = httpx.MockTransport(
        lambda _: httpx.Response(503, json={"error": "e", "detail": "later", "hint": "wait"})
    )
    target = tmp_path / "file"
    client = Client(httpx.Client(transport=transport, base_url="http://x"), "http://x")
    with client, pytest.raises(Problem, match="later\nHint: wait"):
        client.download("/v1/x", target)
    assert list(tmp_path.iterdir()) == []


def test_s5_a_run_id_is_quoted_in_a_path() -> None:
    """A slash or a question mark in what a user types does not reach another route."""
    assert run_path("a/../b?c", "scalars") == "/v1/runs/a%2F..%2Fb%3Fc/scalars"


def test_the_embedded_application_starts_and_ends(auditor_home: Path) -> None:
    """Its lifespan runs on one thread, which is gone afterwards."""
    client = embedded()
    transport = client._http._transport
    assert isinstance(transport, AppTransport)
    assert client.get("/readyz") == {"status": "ready"}
    client.close()
    assert not transport._thread.is_alive()


@pytest.mark.parametrize("verb", [("runs",), ("compare", "good", "twin")])
def test_a_token_for_daemons_does_not_close_the_embedded_database(
    verb: tuple[str, ...], runs: Path, monkeypatch: pytest.MonkeyPatch, call: Call
) -> None:
    """AUDITOR_TOKEN is in the environment of many who have no daemon here."""
    monkeypatch.setenv("AUDITOR_TOKEN", "sesame")
    assert "good" in call(*verb).stdout


def test_one_who_only_reads_has_the_daemons_answers(runs: Path) -> None:
    """The same questions over the same store, and no other route: nothing is taken in."""
    asked = [("/v1/compare", {"a": "good", "b": "broken"}), ("/v1/runs", {}), (run_path("good", "tensors"), {})]
    with embedded() as daemon:
        told = [daemon.get(path, **query) for path, query in asked]
    with reading() as client:
        assert [client.get(path, **query) for path, query in asked] == told
        with pytest.raises(Problem, match="no run nobody"):
            client.get(run_path("nobody"))
        with pytest.raises(Problem, match="404"):
            client.post(run_path("good", "stop"), {})


def test_one_who_only_reads_loads_no_daemon(runs: Path) -> None:
    """Rules, settings and PostgreSQL's driver cost more than to compare two long runs does."""
    script = (
        "import sys\nfrom auditor.cli import main\nsys.argv[1:] = ['compare', 'good', 'twin', '--json']\n"
        "try:\n    main()\nfinally:\n    print(*sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    loaded = set(done.stderr.split())
    assert "auditor.compare.verdict" in loaded
    assert not loaded & {"auditor.ingest.service", "auditor.detect.engine", "auditor.settings", "pydantic", "psycopg"}


def test_settings_that_make_no_sense_are_named(monkeypatch: pytest.MonkeyPatch, call: Call) -> None:
    """The variable, not a traceback."""
    monkeypatch.setenv("AUDITOR_PORT", "many")
    assert "AUDITOR_PORT" in call("runs", code=2).stderr


def test_a_database_of_nonsense_is_said(auditor_home: Path, call: Call) -> None:
    """A file that is no database: exit code 2 and one line."""
    auditor_home.mkdir(parents=True)
    (auditor_home / "auditor.db").write_bytes(b"this is no database, whatever its name says" * 100)
    assert "Error" in call("runs", code=2).stderr
    assert "Error: cannot open the database" in call("compare", "a", "b", code=2).stderr
