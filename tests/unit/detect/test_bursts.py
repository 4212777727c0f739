"""Steps at which a network's gradients burst, now and then, are exploding gradients."""

from __future__ import annotations

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from support.batches import RUN, batch, table
from support.course import recording
from support.lanes import Sender

DEEP = table(layers=8)
TENSORS = 16
STEPS = 240
#: What guessing the recorded values costs, about: their variance.
USUAL = 0.8


def judge(
    bursts: dict[int, tuple[float, float]], *, told: bool = True, frame: int = 40, steps: int = STEPS
) -> list[Finding]:
    """Findings of a regression with noise in losses and norms, and at the steps ``bursts`` (loss, norm) instead."""
    rng, sender, found = np.random.default_rng(7), Sender(RunAuditor(RUN)), list[Finding]()
    sender.start(framework="keras")
    sender.manifest({"loss": {"class": "MeanSquaredError"}})
    losses, norms = USUAL * np.exp(rng.normal(0, 0.2, steps)), np.exp(rng.normal(0, 0.3, steps))
    for step, (loss, norm) in bursts.items():
        losses[step - 1], norms[step - 1] = loss, norm
    for step in range(1, 21) if told else ():
        found += sender.record(recording(step, float(losses[step - 1]), "values"))
    for first in range(0, steps, frame):
        part = slice(first, min(first + frame, steps))
        l2 = np.repeat(norms[part, None], TENSORS, axis=1)
        made = batch(0, DEEP, first=first + 1, steps=part.stop - first, loss=losses[part], l2=l2)
        found += sender.steps(made, DEEP)
    found += sender.auditor.ended(0, 0, "finished")
    return [one for one in found if one.rule == "exploding_gradient" and not one.cleared]


@pytest.mark.parametrize("frame", [1, 7, 40, 240])
def test_bursts_that_come_back_are_said_however_frames_are_cut(frame: int) -> None:
    """At the second look that knows two of them, dated at the worst."""
    found = judge({40: (90.0, 2e4), 120: (3000.0, 8e5), 200: (12.0, 3e3)}, frame=frame)
    assert [(one.step, one.evidence["bursts"], one.evidence["loss"]) for one in found] == [(120, 2, 3000.0)]


@pytest.mark.parametrize(
    ("bursts", "told"),
    [
        ({40: (90.0, 2e4)}, True),  # a single one may be chance
        ({40: (90.0, 2e4), 41: (50.0, 1e4), 45: (20.0, 5e3)}, True),  # and what follows from it
        ({40: (3000.0, 2e3), 120: (3000.0, 2e3)}, True),  # batches with targets far off: the root of the loss
        ({40: (2.0, 2e4), 120: (2.0, 2e4)}, True),  # no loss to speak of
        ({4: (90.0, 2e4), 18: (3000.0, 8e5), 40: (90.0, 2e4)}, True),  # a rate that throws the first steps
        ({40: (90.0, 200.0), 120: (90.0, 200.0)}, True),  # no burst
        ({40: (90.0, 2e4), 120: (3000.0, 8e5)}, False),  # losses of which nobody knows what is large
    ],
)
def test_what_is_no_network_at_its_edge_is_none(bursts: dict[int, tuple[float, float]], told: bool) -> None:
    """One burst, batches unlike the others, and losses without a scale."""
    assert judge(bursts, told=told) == []


def test_the_end_of_a_run_is_looked_at_too() -> None:
    """A burst after the last look."""
    assert [one.step for one in judge({90: (90.0, 2e4), 118: (70.0, 9e3)}, steps=120)] == [90]
