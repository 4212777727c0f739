"""The wire format, byte for byte: the golden files are read and still produced."""

from __future__ import annotations

import math
import zlib
from pathlib import Path

import numpy as np
import pytest

from auditor.ingest.decode import step_batch, tensor_table
from auditor_agent.stream import wire
from support.golden import WORDS, frames

GOLDEN = Path(__file__).parent / "golden"
FILES = sorted(path.stem for path in GOLDEN.glob("*.frames"))


def test_every_golden_file_has_its_maker() -> None:
    """No golden file is orphaned, none is missing."""
    assert sorted(frames()) == FILES


@pytest.mark.parametrize("name", FILES)
def test_the_encoder_still_produces_the_golden_file(name: str) -> None:
    """Byte for byte; a deflated one up to the compressor, whose output is zlib's own business."""
    made, golden = frames()[name], (GOLDEN / f"{name}.frames").read_bytes()
    if name != "steps-deflated":
        assert made == golden
    ours, theirs = wire.decode(made)[0], wire.decode(golden)[0]
    assert ours.header == theirs.header
    assert bytes(ours.block) == bytes(theirs.block)


@pytest.mark.parametrize("name", ["steps", "steps-again", "steps-deflated"])
def test_the_decoder_reads_the_golden_steps(name: str) -> None:
    """Every number, the odd ones included, is what was put in."""
    frame, length = wire.decode((GOLDEN / f"{name}.frames").read_bytes())
    assert length == (GOLDEN / f"{name}.frames").stat().st_size
    batch = step_batch(frame)
    assert (batch.run, batch.attempt, batch.rank) == ("golden", 1, 2)
    assert batch.steps.tolist() == [10, 11, 2**53, 12]
    at, loss = batch.scalars["loss"]
    assert at.tolist() == [0, 1, 2]
    assert loss[0] == 0.5
    assert math.isnan(loss[1])
    assert loss[2] == -math.inf
    assert batch.scalars["tiny"][1].tolist() == [5e-324]
    assert math.copysign(1, batch.scalars["zero"][1][0]) == -1
    first, last = batch.blocks
    assert (first.first, first.tensors.tolist(), first.words.shape) == (0, [0, 1], (2, 12, 2))
    assert (last.first, last.tensors.tolist(), last.words.shape) == (3, [1], (1, 12, 1))
    assert first.stat("nan").tolist() == [[1, 0], [1, 0]]
    assert first.words[0].tobytes() == first.words[1].tobytes() == WORDS
    assert last.words.tobytes() == WORDS[:48]
    assert first.stat("mean").dtype == np.float32
    assert batch.events == ({"value": "Infinity", "step": 11, "type": "skip"},)


def test_the_table_comes_once_and_its_digest_always() -> None:
    """The first steps frame carries the table, the second only names it."""
    first = wire.decode((GOLDEN / "steps.frames").read_bytes())[0].header
    again = wire.decode((GOLDEN / "steps-again.frames").read_bytes())[0].header
    table = tensor_table(first["tensors"])
    assert [(tensor.kind, tensor.name, tensor.shape) for tensor in table] == [
        ("gradient", "a.weight", (2, 3)),
        ("weight", "b", (4,)),
    ]
    assert "tensors" not in again
    assert first["table"] == again["table"]


@pytest.mark.parametrize("name", FILES)
def test_the_envelope_is_as_documented(name: str) -> None:
    """Prelude, lengths and checksum at the offsets that docs/wire-format.md names."""
    data = (GOLDEN / f"{name}.frames").read_bytes()
    head, stored, raw, crc = (int.from_bytes(data[at : at + 4], "little") for at in (8, 12, 16, 20))
    assert data[:8] == b"AUDF\x01" + bytes([name == "steps-deflated"]) + b"\0\0"
    assert len(data) == 24 + head + stored
    assert crc == zlib.crc32(data[:20] + data[24:])
    assert (raw == stored) == (name != "steps-deflated")
