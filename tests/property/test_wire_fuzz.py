"""S8: whatever bytes are put before the decoder, it gives a frame that adds up or a ``WireError``."""

from __future__ import annotations

import json
import zlib
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auditor.ingest.decode import StepBatch, step_batch, tensor_table
from auditor_agent.stream import wire
from auditor_agent.stream.wire import WireError

GOLDEN = Path(__file__).resolve().parent.parent / "contract" / "golden"
SOUND = [path.read_bytes() for path in sorted(GOLDEN.glob("*.frames"))]
(STEPS,) = wire.frames((GOLDEN / "steps.frames").read_bytes())
LIMITS = wire.Limits(header=1 << 16, stored=1 << 16, raw=1 << 16)
ODD = [-1, 0, 1, 2**31, 2**32, 2**63, 2**64, 10**300, 0.5, 1e308, "", "x", "NaN", None, True, [], {}, [[]], [[0]]]
ODD += [
    [[0, -1]],
    [[-1, 1]],
    [[0, 2**40]],
    [[[0, 1]]] * 9,
    {"a": {"a": {}}},
    [0] * 99,
    "\ud800",
    float("nan"),
    float("inf"),
    [[[float("inf"), 1]]],
]


def sealed(header: bytes, block: bytes, flags: int = 0, raw: int | None = None) -> bytes:
    """A frame with a checksum that is right, around whatever it holds."""
    size = len(block) if raw is None else raw
    lengths = b"".join(n.to_bytes(4, "little") for n in (len(header), len(block), size))
    prelude = b"AUDF\x01" + bytes([flags]) + b"\0\0" + lengths
    return prelude + zlib.crc32(prelude + header + block).to_bytes(4, "little") + header + block


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """A golden frame with bytes overwritten, cut out or doubled; its checksum no longer fits."""
    data = bytearray(draw(st.sampled_from(SOUND)))
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 511)), max_size=4)):
        if value < 256:
            data[at % len(data)] = value
        else:
            del data[at % len(data) : at % len(data) + value - 256]
        data = data or bytearray(1)
    return bytes(data)


@st.composite
def forged(draw: st.DrawFn) -> bytes:
    """A steps frame, well sealed, whose header or block says what it should not."""
    header: dict[str, Any] = dict(STEPS.header)
    for name in draw(st.lists(st.sampled_from(sorted(header)), max_size=3)):
        header[name] = draw(st.sampled_from(ODD))
    block = bytearray(STEPS.block)
    for at, value in draw(st.lists(st.tuples(st.integers(0, len(block) - 1), st.integers(0, 255)), max_size=4)):
        block[at] = value
    block = block[: len(block) - draw(st.sampled_from([0, 0, 0, 1, 4, 100]))]
    text = json.dumps(header).encode()
    if draw(st.integers(0, 9)) == 0:
        text = draw(st.sampled_from([b"[" * 40, b'{"a":' * 40, b"null", b"[]", b"1", text[:-1], b"\xff", text + b"x"]))
    if draw(st.booleans()):
        packed = draw(st.sampled_from([zlib.compress(bytes(block)), bytes(block), b""]))
        return sealed(text, packed, flags=1, raw=draw(st.sampled_from([len(block), 0, 1 << 15, 1 << 31])))
    return sealed(text, bytes(block))


def adds_up(batch: StepBatch, frame: wire.Frame) -> None:
    """Every index within its bounds, every array within the block."""
    count = len(batch.steps)
    assert len(batch.times) == count
    for at, values in batch.scalars.values():
        assert len(at) == len(values)
        assert not len(at) or (at.min() >= 0 and at.max() < count)
    for block in batch.blocks:
        assert block.first >= 0
        assert block.first + block.words.shape[0] <= count
        assert block.words.shape[1:] == (12, len(block.tensors))
    assert 48 * batch.rows <= len(frame.block)


@settings(max_examples=10_000, deadline=None, suppress_health_check=[HealthCheck.too_slow], database=None)
@given(st.one_of(forged(), damaged(), st.binary(max_size=200), st.binary(max_size=60).map(b"AUDF\x01\0\0\0".__add__)))
def test_s8_the_decoder_gives_what_adds_up_or_an_error_of_its_own(data: bytes) -> None:
    """Ten thousand bodies: random, damaged, and forged behind a checksum that is right."""
    try:
        frame, length = wire.decode(data, LIMITS)
        assert wire.PRELUDE_BYTES <= length <= len(data)
        assert len(frame.block) <= LIMITS.raw
        adds_up(step_batch(frame), frame)
        tensor_table(frame.header.get("tensors", []))
    except WireError:
        return
