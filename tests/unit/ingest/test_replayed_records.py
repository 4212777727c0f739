from __future__ import annotations

from pathlib import Path

import numpy as np

from auditor.cli.embedded import embedded
from auditor_agent.stream import wire
from auditor_agent.stream.recording import Recording
from support.frames import Sender
from support.lanes import array

LOSS = {"operation": "arithmetic", "reduction": "mean", "target_shape": [8], "chain": ["Mean", "Pow", "Sub"]}


def post(client: object, body: bytes) -> None:
    """The frames of ``body``, all of which are taken."""
    answer = client._http.post("/v1/frames", content=body)  # type: ignore[attr-defined]
    assert answer.status_code == 200, answer.text
    assert not answer.json()["rejected"]


def record(sender: Sender, step: int, *, wrong: bool) -> bytes:
    """The frames of one recorded step, whose outputs are columns where they should not be."""
    target = np.arange(8, dtype=np.float32)
    output = target[:, None] if wrong else target
    shapes = {"output_shape": list(output.shape), "shape": [8, 8] if wrong else [8]}
    loss = float(np.mean((output - target) ** 2))
    arrays = [array("output", "output", output), array("target", "target", target)]
    parts = Recording(step, arrays, {"loss": loss}, {"loss": LOSS | shapes}).parts()
    return b"".join(wire.encode(sender.head("record", **header), block) for header, block in parts)


def test_d8_a_rule_over_recordings_goes_on_after_a_restart(auditor_home: Path) -> None:
    """A daemon that takes over a run shows its rules the stored recordings: the fault that ends is resolved."""
    sender = Sender("r")
    with embedded() as client:
        post(client, sender.start() + record(sender, 1, wrong=True))
        (alert,) = client.run("r")["alerts"]
        assert (alert["rule"], alert["state"]) == ("loss_shape_broadcast", "firing")
    with embedded() as client:
        post(client, sender.steps([1], tensors=True) + record(sender, 2, wrong=False))
        (alert,) = client.run("r")["alerts"]
        assert (alert["rule"], alert["state"], alert["first_step"]) == ("loss_shape_broadcast", "resolved", 1)
    assert auditor_home.exists()
