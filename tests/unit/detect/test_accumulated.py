"""Gradients that pile up and hardly grow."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array


@pytest.mark.parametrize("piled", [False, True])
def test_a_pile_that_promises_more_than_the_whole_loss(piled: bool) -> None:
    """In a bowl a pile swings like a heavy ball and hardly grows; the gradients of its own steps would be gone."""
    curvature, rate = np.linspace(0.8, 1.2, 16)[:, None], 0.3
    weight, pile = np.full((16, 1), 1.0), np.zeros((16, 1))
    sender, found = Sender(RunAuditor(RUN)), []
    batches = np.random.default_rng(5).normal(size=(14, 16, 1))
    for step in range(1, 14):
        gradient = curvature * weight + 0.05 * batches[step]
        pile = pile + gradient if piled else gradient
        updated = weight - rate * pile
        named = {"weight": weight, "gradient": pile, "updated": updated}
        arrays = [array(role, "fc.weight", values) for role, values in named.items()]
        loss = float(0.5 * (curvature * weight**2).sum())
        found += sender.record(Recording(step, arrays, {"loss": loss}, {"phase": "train"}))
        weight = updated
    assert [one.rule for one in found if one.rule == "gradient_accumulated"] == ["gradient_accumulated"] * piled
