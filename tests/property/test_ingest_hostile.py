"""S8 and S5: whatever bytes arrive, the daemon answers in its own words and keeps what is sound."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.ingest.intake import arrivals, digest
from auditor_agent.stream import wire
from auditor_agent.stream.wire import WireError
from support.app import App, application
from support.frames import Sender

SOUND = Sender().steps([0, 1, 2], tensors=True)
DEFLATED = Sender().steps([0, 1, 2], tensors=True, deflate=True)
(FRAME,) = wire.frames(SOUND)

_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([10**400, -(2**63), 2**63, 2**64, 1e308, float("inf"), float("nan"), "NaN", "\x00", "\ud800"])
    | st.floats()
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def _encoded(header: dict[str, Any], block: bytes) -> bytes:
    """A frame whose header is whatever JSON (and Python's bare NaN) can say."""
    head = json.dumps(header).encode()
    whole = wire.encode({}, block)
    prelude = bytearray(whole[: wire.PRELUDE_BYTES])
    prelude[8:12] = len(head).to_bytes(4, "little")
    crc = zlib.crc32(block, zlib.crc32(head, zlib.crc32(bytes(prelude[:20]))))
    return bytes(prelude[:20]) + crc.to_bytes(4, "little") + head + block


@st.composite
def mutated_bytes(draw: st.DrawFn) -> bytes:
    """A sound frame with some of its bytes replaced, cut out or repeated."""
    data = bytearray(draw(st.sampled_from([SOUND, DEFLATED])))
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(data) - 1)) if data else 0
        kind = draw(st.sampled_from(["set", "cut", "repeat"]))
        if kind == "set" and data:
            data[at] = draw(st.integers(0, 255))
        elif kind == "cut":
            del data[at : at + draw(st.integers(1, 64))]
        else:
            data[at:at] = data[at : at + draw(st.integers(1, 64))]
    return bytes(data)


@st.composite
def mutated_headers(draw: st.DrawFn) -> bytes:
    """An intact envelope around a header with fields replaced or left out, and perhaps another block."""
    header = dict(FRAME.header)
    for name in draw(st.lists(st.sampled_from(sorted(header)), min_size=1, max_size=3)):
        if draw(st.booleans()):
            header[name] = draw(_json)
        else:
            header.pop(name, None)
    if "tensors" in header and draw(st.booleans()):
        header["table"] = digest(header["tensors"]) if isinstance(header["tensors"], list) else "x"
    block = draw(st.just(bytes(FRAME.block)) | st.binary(max_size=200))
    return _encoded(header, block)


hostile = st.binary(max_size=300) | mutated_bytes() | mutated_headers()


@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(body=st.lists(hostile, min_size=1, max_size=3).map(b"".join))
def test_s8_the_intake_takes_rejects_or_refuses_and_nothing_else(body: bytes) -> None:
    """Every body is frames, some of them rejected, or a WireError."""
    try:
        taken, rejected = arrivals(body, 1 << 20)
    except WireError:
        return
    assert len(taken) + len(rejected) >= (1 if body else 0)
    for arrival in taken:
        assert 1 <= len(arrival.run) <= 128
        assert arrival.seq >= 0


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[App]:
    """One application for all examples: what one of them leaves behind must not trip the next."""
    home: Path = tmp_path_factory.mktemp("hostile")
    with application(home) as made:
        yield made


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=hostile, beat=_json)
def test_s8_no_request_makes_the_daemon_fail(app: App, body: bytes, beat: Any) -> None:
    """Frames, heartbeats and exits of any content: 200 or 400 in the one error shape, never 500."""
    posts = [
        app.client.post("/v1/frames", content=body),
        app.client.post("/v1/heartbeat", content=json.dumps(beat)),
        app.client.post(
            "/v1/heartbeat", content=json.dumps({"run": "r1", "attempt": 0, "rank": 0, "time": 0, "counts": beat})
        ),
        app.client.post("/v1/runs/r1/exit", content=json.dumps(beat)),
    ]
    for answer in posts:
        assert answer.status_code in {200, 400}, answer.text
        if answer.status_code == 400:
            assert set(answer.json()) == {"error", "detail", "hint"}


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(name=st.text(min_size=1, max_size=40), run=st.text(max_size=20))
def test_s5_hostile_names_come_back_harmless(app: App, name: str, run: str) -> None:
    """Tensor, project and run names of any characters: stored or rejected, readable everywhere."""
    table = [["gradient", name, [2], "float32"]]
    sender = Sender(run=f"names{abs(hash((name, run)))}", table=table)
    answer = app.frames(sender.start(project=name, name=run), sender.steps([0], norms=(1.0,), nan=(1,)))
    assert len(answer["committed"]) == 2
    shown = app.get(f"/v1/runs/{sender.run}")
    assert shown["alerts"][0]["subject"]["name"]
    (tensor,) = app.get(f"/v1/runs/{sender.run}/tensors")["tensors"]
    series = app.get(f"/v1/runs/{sender.run}/series", kind="gradient", name=tensor["name"], stat="nan")
    assert series == {"step": [0], "value": [1.0]}
    assert app.client.get("/metrics").status_code == 200
    for path in (f"/v1/runs/{run}", f"/v1/runs/{run}/scalars", "/v1/alerts?run="):
        try:
            status = app.client.get(path).status_code
        except (httpx.InvalidURL, UnicodeEncodeError):
            continue  # no client can say it
        assert status in {200, 307, 400, 404, 405}
