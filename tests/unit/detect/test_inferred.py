"""A loss that nobody named is known by its value, and so are targets that it has no meaning for."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array

RNG = np.random.default_rng(11)
OUTPUTS = RNG.normal(size=(24, 6))


def entropies(logits: Any, targets: Any) -> Any:
    """Binary cross entropies of logits, whatever the targets are."""
    return np.logaddexp(0.0, logits) - logits * targets


def judge(output: Any, target: Any, loss: float) -> list[str]:
    """Rules on labels and answers that speak within three recorded steps of a loss without a name."""
    sender, found = Sender(RunAuditor(RUN)), []
    sender.start(framework="torch")
    sender.manifest({})
    for step in range(1, 4):
        arrays = [array("output", "output0", output), array("target", "target0", target)]
        found += sender.record(Recording(step, arrays, {"loss": loss}, {}))
    return [one.rule for one in found if one.rule in {"label_range", "logits_as_probabilities"}]


@pytest.mark.parametrize("probabilities", [False, True])
@pytest.mark.parametrize("over", [1, 6])  # a mean of all, or of sums over a row
def test_amounts_under_a_cross_entropy_written_by_hand_are_told(over: int, probabilities: bool) -> None:
    """Standardised pixels for which a sigmoid and a cross entropy of two classes are taken."""
    pixels = RNG.normal(size=OUTPUTS.shape)
    loss = over * float(entropies(OUTPUTS, pixels).mean())
    output = 1 / (1 + np.exp(-OUTPUTS)) if probabilities else OUTPUTS
    assert judge(output, pixels, loss) == ["label_range"]


def test_shares_and_errors_are_left_alone() -> None:
    """Targets of 0 to 1, a little noise on them, and amounts under a squared error."""
    shares = np.clip(RNG.normal(0.5, 0.3, OUTPUTS.shape), -0.1, 1.1)
    assert judge(OUTPUTS, shares, float(entropies(OUTPUTS, shares).mean())) == []
    amounts = RNG.normal(size=OUTPUTS.shape)
    assert judge(OUTPUTS, amounts, float(((OUTPUTS - amounts) ** 2).mean())) == []
