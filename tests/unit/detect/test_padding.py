"""Sequences that were filled up to one length, and a loss that counts the filling."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN
from support.lanes import Sender, array

CLASSES, LENGTH, SEQUENCES = 5, 20, 30


def said(
    length: int, *, known: float = 0.0, counted: bool = True, left: bool = False, step: int = 400
) -> list[Finding]:
    """What is said of sequences of 20 places, ``length`` of them words, answered rightly as surely as ``known``.

    ``counted``: the loss is the mean over all places. ``left``: the filling comes first.
    """
    rng, sender = np.random.default_rng(length), Sender(RunAuditor(RUN))
    sender.start(framework="tensorflow")
    sender.manifest({"loss": {"class": "SparseCategoricalCrossentropy", "from_logits": True}})
    words, labels = np.zeros((SEQUENCES, LENGTH), np.int64), np.zeros((SEQUENCES, LENGTH), np.int64)
    words[:, :length] = rng.integers(1, 90, (SEQUENCES, length))
    labels[:, :length] = rng.integers(1, CLASSES, (SEQUENCES, length))
    outputs = np.where(labels[..., None] == 0, 8.0 * np.eye(CLASSES)[0], 0.0)
    outputs = outputs + known * np.eye(CLASSES)[labels] - 8.0 * (labels > 0)[..., None] * np.eye(CLASSES)[0]
    if left:
        words, labels, outputs = words[:, ::-1], labels[:, ::-1], outputs[:, ::-1]
    each: Any = np.log(np.exp(outputs).sum(axis=2)) - np.take_along_axis(outputs, labels[..., None], 2)[..., 0]
    loss = float(each.mean() if counted else each[labels > 0].mean())
    arrays = [array("batch", "input0", words), array("target", "target0", labels), array("output", "output0", outputs)]
    found = sender.record(Recording(step, arrays, {"loss": loss}, {"phase": "train"}))
    return [one for one in found if one.rule == "metric_chance"]


@pytest.mark.parametrize("left", [False, True])
def test_words_that_padding_drowns(left: bool) -> None:
    """All places are answered well, and the words no better than by guessing: on either side of the filling."""
    [found] = said(4, left=left)
    assert found.evidence["share"] == pytest.approx(0.8)
    assert "counts padding, 80% of all positions" in found.evidence["what"]


@pytest.mark.parametrize(
    "case",
    [{"length": 4, "known": 6.0}, {"length": 4, "counted": False}, {"length": 14}, {"length": 4, "step": 50}],
    ids=["learnt all the same", "left out of the loss", "little of it", "too early"],
)
def test_padding_that_does_no_harm(case: dict[str, Any]) -> None:
    """Counted, but the words are learnt; or masked; or less than half of the places; or a run that has just begun."""
    assert said(**case) == []
