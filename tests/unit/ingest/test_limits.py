"""S3 and S4: who may speak, and how much, decided before a body is read or a block allocated."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.ingest.intake import arrivals
from auditor_agent.stream import wire
from support.app import App, application
from support.frames import Sender

LIMIT = 4096


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """An application with a token and a small limit."""
    with application(tmp_path, token="secret-token", max_body=LIMIT) as made:
        made.client.headers["authorization"] = "Bearer secret-token"
        yield made


def test_s3_without_the_token_nothing_is_answered_but_the_probes(app: App) -> None:
    """401 without one, 403 with a wrong one, in the one error shape; the answer never repeats it."""
    del app.client.headers["authorization"]
    for path in ("/v1/runs", "/metrics", "/v1/targets", "/v1/openapi.json", "/nope"):
        answer = app.client.get(path)
        assert (answer.status_code, answer.json()["error"]) == (401, "token_missing")
        assert answer.headers["www-authenticate"] == "Bearer"
    for wrong in ("Bearer wrong", "Basic secret-token", "Bearer secret-token ", "bearer", "Bearer \xff"):
        answer = app.client.get("/v1/runs", headers={"authorization": wrong.encode("latin-1")})
        assert (answer.status_code, answer.json()["error"]) == (403, "token_wrong")
        assert "secret" not in answer.text
    assert app.client.get("/healthz").status_code == 200
    assert app.client.get("/readyz").status_code == 200


def test_s3_the_token_is_never_logged(app: App, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither the right nor a wrong one appears on any stream."""
    app.client.get("/v1/runs", headers={"authorization": "Bearer guessed-token"})
    app.frames(Sender().start())
    app.client.get("/v1/runs/%00bad")
    out, err = capfd.readouterr()
    assert "secret-token" not in out + err
    assert "guessed-token" not in out + err


def test_s4_a_declared_length_beyond_the_limit_is_refused_unread(app: App) -> None:
    """413 on the header alone."""
    answer = app.client.build_request("POST", "/v1/frames", headers={"content-length": str(LIMIT + 1)}, content=b"")
    sent = app.client.send(answer)
    assert (sent.status_code, sent.json()["error"]) == (413, "too_large")
    for odd in ("-1", "1e3", "9" * 400, "\u0663"):
        sent = app.client.post("/v1/frames", headers={"content-length": odd.encode()}, content=b"")
        assert sent.status_code in {400, 413}


def test_s4_a_body_that_does_not_declare_its_length_is_cut_off(app: App) -> None:
    """A chunked body is counted as it comes."""

    def pieces() -> Iterator[bytes]:
        for _ in range(10):
            yield b"x" * 1000

    answer = app.client.post("/v1/frames", content=pieces())
    assert answer.status_code == 413
    assert app.client.post("/v1/heartbeat", content=b"[" * 100_000).status_code == 413


def test_s4_deep_json_is_refused(app: App) -> None:
    """Neither a header nor a heartbeat may drive the parser into the ground."""
    deep = b'{"a":' * 2000 + b"1" + b"}" * 2000
    assert app.client.post("/v1/heartbeat", content=deep[:60_000]).status_code == 400


def test_s4_what_a_header_merely_declares_allocates_nothing() -> None:
    """A frame of some kilobytes that declares millions of tensors or steps costs some kilobytes."""
    sender = Sender()
    (sound,) = wire.frames(sender.steps([0], tensors=True))
    claims = [
        {"layouts": [[[0, 200_000]]] * 10_000},
        {"layouts": [[[0, 200_000]]]},
        {"layouts": [[[0, 1]] * 100_000]},
        {"steps": 2**40},
        {"values": 2**40},
    ]
    for claim in claims:
        body = wire.encode({**sound.header, **claim}, sound.block)
        arrivals(body, 1 << 20)  # the parser's own cost, paid once
        tracemalloc.start()
        taken, rejected = arrivals(body, 1 << 20)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert (len(taken), len(rejected)) == (0, 1) or claim["layouts"][0][0] == [0, 1]
        assert peak < 64 * len(body) + (1 << 20), claim


def test_s4_inflated_blocks_of_a_request_are_bounded_together() -> None:
    """Many small bombs are one big one."""
    sender = Sender(session="aaaaaaaaaaaaaaaa")
    bombs = b"".join(
        wire.encode(sender.head("record", step=1, part=0, parts=1, arrays=[]), bytes(400_000), deflate=True)
        for _ in range(5)
    )
    assert len(bombs) < 20_000
    taken, _ = arrivals(bombs, 2_000_000)
    assert len(taken) == 5
    with pytest.raises(wire.WireError, match="limit"):
        arrivals(bombs, 1_900_000)
