"""Recordings through the daemon: taken, listed, read back, refused where they do not add up."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from auditor.ingest.records import recordings
from auditor_agent.stream import wire
from auditor_agent.stream.recording import Array, Recording
from support.app import App, application
from support.frames import Sender


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A run with two recorded steps."""
    with application(tmp_path) as made:
        sender = Sender("r1")
        made.frames(sender.start())
        data = struct.pack("<2f", 1, math.nan)
        for step in (1, 2):
            weight = Array("weight", "a", "float32", (2,), 2, data if step == 1 else b"")
            arrays = [weight, Array("updated", "a", "float32", (2,), 2, data)]
            for fields, block in Recording(step, arrays, {"loss": math.inf}, {"training": True}).parts():
                ack = made.frames(wire.encode(sender.head("record", **fields), block))
                assert ack["rejected"] == []
        yield made


def test_the_listing_names_what_was_recorded(app: App) -> None:
    """Names and shapes, non-finite scalars by name; of one step if asked."""
    records = app.get("/v1/runs/r1/records")["records"]
    assert [record["step"] for record in records] == [1, 2]
    (two,) = app.get("/v1/runs/r1/records", step=2)["records"]
    assert two["complete"]
    assert two["scalars"] == {"loss": "Infinity"}
    assert two["facts"] == {"training": True}
    entry = {"role": "weight", "name": "a", "dtype": "float32", "shape": [2], "elements": 2, "sampled": False}
    assert entry in two["arrays"]
    assert app.client.get("/v1/runs/none/records").status_code == 404


def test_the_store_gives_the_elements_back(app: App) -> None:
    """A weight that was only referred to among them."""
    _, two = recordings(app.service.store, "r1")
    values = two.of("weight")["a"].whole()
    assert values[0] == 1.0
    assert math.isnan(values[1])


def test_a_recording_that_does_not_add_up_is_rejected_alone(app: App) -> None:
    """Its neighbours are taken; a new daemon that reads the run again stumbles over nothing."""
    sender = Sender("r1", seq=10)
    bad = wire.encode(
        sender.head("record", step=3, part=0, parts=1, arrays=[["weight", "a", "float32", [9], 9, 0, 36, False]])
    )
    good = sender.steps(range(3), tensors=True)
    ack = app.frames(bad, good)
    assert [each["seq"] for each in ack["rejected"]] == [10]
    assert [0, 0, 11] in ack["committed"]
    assert len(app.get("/v1/runs/r1/records")["records"]) == 2
