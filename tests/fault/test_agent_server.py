"""G1, G9, G12: a daemon that misbehaves costs the job nothing, and the books always balance."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable

import pytest

from auditor_agent.run import Run
from auditor_agent.stream import courier
from support.agent import balanced, train
from support.fake_daemon import FakeDaemon, Handler, Misbehaviour

Opener = Callable[..., Run]


def status(code: int, body: object = b"", **headers: str) -> Misbehaviour:
    """Answer with a status and a body."""

    def misbehave(handler: Handler) -> bool:
        handler.reply(code, body, {name.replace("_", "-"): value for name, value in headers.items()})
        return True

    return misbehave


def reset(handler: Handler) -> bool:
    """Cut the connection."""
    handler.reset()
    return True


def reset_in_mid_answer(handler: Handler) -> bool:
    """Cut the connection within the answer."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"committed')
    handler.reset()
    return True


def short_answer(handler: Handler) -> bool:
    """Announce more bytes than come."""
    handler.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"committed')
    handler.close_connection = True
    return True


def no_http(handler: Handler) -> bool:
    """Speak another protocol."""
    handler.wfile.write(b"SSH-2.0-OpenSSH_9.2\r\n")
    handler.close_connection = True
    return True


def hang_up(handler: Handler) -> bool:
    """Close without a word."""
    handler.close_connection = True
    return True


def endless_header(handler: Handler) -> bool:
    """A header line beyond any limit."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: " + b"x" * 200_000 + b"\r\n\r\n")
    handler.close_connection = True
    return True


def slow(handler: Handler) -> bool:
    """Take a while, then answer as usual."""
    time.sleep(0.3)
    return False


MISBEHAVIOURS: dict[str, Misbehaviour] = {
    "slow": slow,
    "reset": reset,
    "reset-in-mid-answer": reset_in_mid_answer,
    "short-answer": short_answer,
    "no-http": no_http,
    "hang-up": hang_up,
    "endless-header": endless_header,
    "301": status(301, Location="http://example.invalid/"),
    "400-of-a-proxy": status(400, b"<html>"),
    "401": status(401, {"error": "token", "detail": "", "hint": ""}),
    "403": status(403),
    "404": status(404),
    "429": status(429, Retry_After="0.1"),
    "500": status(500, b"Internal Server Error"),
    "502": status(502),
    "503": status(503, Retry_After="nonsense"),
    "200-empty": status(200),
    "200-no-json": status(200, b"\xff\xfe"),
    "200-list": status(200, []),
    "200-deep": status(200, b"[" * 100_000),
    "200-nothing-settled": status(200, {"committed": [], "rejected": []}),
    "200-nonsense": status(200, {"committed": [[0], "x", [0, 0, "1"], [0, 0, 10**30]], "rejected": [3], "need": 5}),
    "200-another-rank": status(200, {"committed": [[0, 7, 0], [0, 7, 1]], "rejected": {}}),
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_g1_g12_a_daemon_that_recovers_gets_everything_once(
    name: str, fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After some misbehaviour every step arrives, none twice, and nothing raised."""
    monkeypatch.setattr(courier, "FIRST_BACKOFF", 0.05)
    left = 2

    def for_a_while(handler: Handler) -> bool:
        nonlocal left
        left -= 1
        return left >= 0 and MISBEHAVIOURS[name](handler)

    fake_daemon.misbehaviour = for_a_while
    run = new_run()
    train(run, 30)
    fake_daemon.wait(lambda daemon: daemon.steps() == 30)
    train(run, 20, first=30)
    run.finish()
    assert balanced(run) == {"produced": 50, "sent": 50, "pending": 0, "dropped": {}}
    assert fake_daemon.steps() == 50
    assert [header["seq"] for header in fake_daemon.headers()] == list(range(len(fake_daemon.frames)))


@pytest.mark.parametrize("name", [name for name in MISBEHAVIOURS if name != "slow"])
def test_g1_g9_g12_a_daemon_that_never_recovers_costs_nothing(
    name: str, fake_daemon: FakeDaemon, new_run: Opener
) -> None:
    """The job ends in time with every step still in the spool."""
    fake_daemon.misbehaviour = MISBEHAVIOURS[name]
    run = new_run()
    begin = time.monotonic()
    train(run, 200)
    assert time.monotonic() - begin < 1.0
    time.sleep(0.1)
    begin = time.monotonic()
    run.finish()
    assert time.monotonic() - begin < 2.2
    assert balanced(run) == {"produced": 200, "sent": 0, "pending": 200, "dropped": {}}
    assert run.verdict == "unknown"


@pytest.mark.parametrize(
    "url",
    [
        "http://no-such-host.invalid:9470",
        "http://127.0.0.1:1",
        "http://127.0.0.1:99999",
        "http://[::bad",
        "ftp://127.0.0.1",
        "nonsense",
        "http://",
        "https://127.0.0.1:1",
        "http://127.0.0.1:9470/\r\nX: y",
    ],
)
def test_g1_an_address_without_a_daemon_costs_nothing(
    url: str, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unresolvable, refused, senseless addresses: the job runs, the steps stay."""
    monkeypatch.setenv("AUDITOR_URL", url)
    run = new_run()
    train(run, 20)
    run.finish()
    assert balanced(run)["pending"] == 20


def test_g1_s10_a_plain_server_behind_https_gets_nothing(
    fake_daemon: FakeDaemon, new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TLS that cannot be established is a failure like any other."""
    monkeypatch.setenv("AUDITOR_URL", fake_daemon.url.replace("http:", "https:"))
    run = new_run()
    train(run, 20)
    run.finish()
    assert balanced(run)["pending"] == 20
    assert not fake_daemon.frames


def test_g9_a_black_hole_delays_the_end_by_two_seconds_at_most(
    new_run: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A peer that accepts and never answers: steps go to the spool meanwhile, the end comes in time."""
    with socket.create_server(("127.0.0.1", 0)) as hole:
        monkeypatch.setenv("AUDITOR_URL", f"http://127.0.0.1:{hole.getsockname()[1]}")
        run = new_run()
        train(run, 100)
        time.sleep(0.4)
        train(run, 100, first=100)
        begin = time.monotonic()
        run.finish()
        assert time.monotonic() - begin < 2.2
    assert balanced(run) == {"produced": 200, "sent": 0, "pending": 200, "dropped": {}}


def test_g12_refused_frames_are_counted_and_never_sent_again(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """What the daemon rejects is dropped with a reason."""
    fake_daemon.reject = lambda header: "another session" if header["type"] == "steps" else None
    run = new_run()
    train(run, 40)
    run.finish()
    assert balanced(run) == {"produced": 40, "sent": 0, "pending": 0, "dropped": {"rejected": 40}}
    seqs = [header["seq"] for header in fake_daemon.received]
    assert len(seqs) == len(set(seqs))


def test_g12_a_body_that_is_too_large_is_halved_until_one_frame_stands_alone(
    fake_daemon: FakeDaemon, new_run: Opener
) -> None:
    """413 for what no body may carry: that frame is dropped as too large, the others arrive."""
    fake_daemon.misbehaviour = lambda handler: len(handler.body) > 8_000 and status(413)(handler)
    run = new_run()
    train(run, 10)
    fake_daemon.wait(lambda daemon: daemon.steps() == 10)
    train(run, 300, first=10)
    time.sleep(0.5)
    train(run, 10, first=310)
    run.finish()
    assert balanced(run) == {"produced": 320, "sent": 20, "pending": 0, "dropped": {"too_large": 300}}


def test_g12_one_damaged_frame_does_not_hold_up_the_others(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """400 in the daemon's own shape: the frame that spoils the body is found and dropped."""

    def refuse(handler: Handler) -> bool:
        if b'"first_step":100,' not in handler.body:
            return False
        return status(400, {"error": "bad_frames", "detail": "checksum", "hint": ""})(handler)

    fake_daemon.misbehaviour = refuse
    run = new_run()
    train(run, 100)
    fake_daemon.wait(lambda daemon: daemon.steps() == 100)
    train(run, 5, first=100)
    time.sleep(0.5)
    train(run, 5, first=105)
    run.finish()
    assert balanced(run) == {"produced": 110, "sent": 105, "pending": 0, "dropped": {"rejected": 5}}


def test_retry_after_is_honoured(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """A daemon that asks for a second is left alone for a second."""
    times: list[float] = []

    def busy(handler: Handler) -> bool:
        times.append(time.monotonic())
        return len(times) == 1 and status(503, Retry_After="1.0")(handler)

    fake_daemon.misbehaviour = busy
    run = new_run()
    train(run, 10)
    fake_daemon.wait(lambda daemon: daemon.steps() == 10)
    assert times[1] - times[0] >= 1.0
    run.finish()


def test_g12_a_daemon_that_comes_and_goes_under_load(fake_daemon: FakeDaemon, new_run: Opener) -> None:
    """Every third request fails in one way or another while several threads record."""
    ways = list(MISBEHAVIOURS.values())
    seen = 0

    def sometimes(handler: Handler) -> bool:
        nonlocal seen
        seen += 1
        return seen % 3 == 0 and ways[seen // 3 % len(ways)](handler)

    fake_daemon.misbehaviour = sometimes
    run = new_run()
    threads = [threading.Thread(target=train, args=(run, 500, part * 500)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    fake_daemon.wait(lambda daemon: daemon.steps() == 2000)
    fake_daemon.misbehaviour = None
    run.finish()
    assert balanced(run) == {"produced": 2000, "sent": 2000, "pending": 0, "dropped": {}}
