"""Missing targets that were coded as a number."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.detect.evidence.missing import Missing
from auditor.detect.rule import dump, load
from auditor.model import Finding, Severity
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

RNG = np.random.default_rng(8)
INPUTS = RNG.normal(size=(12, 32, 4))
AMOUNTS = 20 + 3 * RNG.normal(size=(12, 32, 1))
#: Three of four batches hold it once, as rare as a missing target is.
HELD = np.arange(12) % 4 != 0


def holding(value: float, targets: Any = AMOUNTS) -> Any:
    """``targets`` with ``value`` at the third sample of most batches."""
    out = np.array(targets, dtype=float)
    out[HELD, 2] = value
    return out


def told(targets: Any, *, inputs: Any = INPUTS, masked: float = np.nan, ended: bool = True) -> list[Finding]:
    """What is said of a regression by its mean squared error, less that of targets that are ``masked``."""
    sender, tensors, found = Sender(RunAuditor(RUN)), table(), []
    sender.start(framework="torch")
    for step in range(1, len(inputs) + 1):
        target = targets[step - 1]
        output = np.full_like(target, 1.0)
        arrays = [array("batch", "input0", inputs[step - 1]), array("output", "output0", output)]
        arrays.append(array("target", "loss.target", target))
        loss = float(np.where(target == masked, 0.0, (output - target) ** 2).mean())
        facts = {"loss": {"operation": "MseLoss", "reduction": "mean"}, "phase": "train"}
        found += sender.record(Recording(step, arrays, {"loss": loss}, facts))
    found += sender.steps(batch(0, tensors, first=1, steps=50, loss=np.full(50, 100.0)), tensors)
    found += sender.auditor.ended(0, 0, "finished") if ended else []
    return [one for one in found if one.rule == "label_range"]


@pytest.mark.parametrize("value", [-999.0, 99_999.0, -1e6])
def test_a_code_among_the_amounts_is_said_when_the_run_has_ended(value: float) -> None:
    """A warning, with how many samples hold it and where all others lie."""
    assert told(holding(value), ended=False) == []
    [one] = told(holding(value))
    assert (one.severity, one.evidence["value"], one.evidence["holding"]) == (Severity.WARNING, value, 9)
    assert {one.evidence["low"], one.evidence["high"]} >= {value}


@pytest.mark.parametrize(
    "targets",
    [
        AMOUNTS,
        holding(-99.0),
        holding(-500.0),
        holding(-999.0, np.exp(3 * RNG.normal(size=AMOUNTS.shape))),
        holding(-999.0, np.round(AMOUNTS / 100)),
    ],
    ids=["none", "near", "a penalty", "heavy tails", "classes"],
)
def test_amounts_that_are_what_they_are(targets: Any) -> None:
    """Values that lie within ten ranges, that are no code, or beside few others."""
    assert told(targets) == []


def test_targets_that_a_loss_leaves_out_are_coded_on_purpose() -> None:
    """A mask over the missing ones: the loss is not that of all targets."""
    assert told(holding(-999.0), masked=-999.0) == []


@pytest.mark.parametrize(("moved", "said"), [(0.0, 1), (1.0, 0)])
def test_any_value_counts_where_the_targets_stand_still(moved: float, said: int) -> None:
    """A penalty of -500 comes again with its sample; what an agent is to foresee of the others moves."""
    targets = np.concatenate([holding(-500.0), np.where(holding(-500.0) > 0, holding(-500.0) + moved, -500.0)])
    assert len(told(targets, inputs=np.concatenate([INPUTS, INPUTS]))) == said


def test_the_samples_survive_as_json_and_are_few() -> None:
    """However long a run is, each sample is kept once and no more than 2,048 of them."""
    seen = Missing()
    seen.rows, seen.width, seen.batches = np.arange(6.0), 2, [[0.0, 1.0, 1.0]]
    again = load(Missing, dump(seen))
    assert again.rows.tolist() == seen.rows.tolist()
    assert again.batches == seen.batches
