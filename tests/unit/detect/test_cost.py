"""The cost of guessing, and where it is no measure."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array


@pytest.mark.parametrize(
    ("kinds", "known"),
    [
        ([1.0, 0.0] * 10, False),
        ([0.9, 0.0] * 10, False),
        ([1.0] * 10 + [0.0] * 10, True),
        ([math.nan] * 20, True),
    ],
)
def test_batches_of_one_class_each_in_turn_make_chance_no_measure(kinds: list[float], known: bool) -> None:
    """A discriminator is shown real and generated samples in turn; sorted data turns once, mixed data is no turn."""
    rng = np.random.default_rng(0)
    auditor, tensors = RunAuditor(RUN), table()
    sender = Sender(auditor)
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "BinaryCrossentropy", "from_logits": True}})
    for step, kind in enumerate(kinds, 1):
        targets = rng.integers(0, 2, 32).astype(float) if math.isnan(kind) else np.full(32, kind)
        arrays = [array("output", "output0", np.zeros((32, 1))), array("target", "target0", targets[:, None])]
        sender.record(Recording(step, arrays, {"loss": math.log(2)}, {}))
    sender.steps(batch(0, tensors, first=1, steps=50, loss=np.full(50, math.log(2))), tensors)
    rule = next(one for one in auditor._lanes[0, 0].rules if one.id == "loss_oscillating")
    assert (rule.memory.cost.chance is not None) is known
    again = RunAuditor.from_state(json.loads(jsonfinite.dumps(auditor.to_state())))
    rule = next(one for one in again._lanes[0, 0].rules if one.id == "loss_oscillating")
    assert (rule.memory.cost.chance is not None) is known
