from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.ingest.decode import Tensor
from auditor.model import Finding
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table(2, ("weight",))


def weights(growth: Any, loss: Any) -> list[Finding]:
    """100 steps in which all weights grow so, and the loss goes so."""
    sender, norms = Sender(RunAuditor(RUN)), np.linspace(1, growth, 100)[:, None] * 1.0
    losses = np.linspace(*loss, 100)
    found: list[Finding] = []
    for i in range(10):
        part = slice(10 * i, 10 * i + 10)
        made = batch(i, TABLE, first=10 * i + 1, kind="weight", l2=norms[part], loss=losses[part])
        found += sender.steps(made, TABLE)
    return [one for one in found if one.rule == "weight_explosion"]


@pytest.mark.parametrize("loss", [(2.0, 9.0), (0.1, -500.0), (1.0, float("nan"))])
def test_weights_that_explode_and_take_the_loss_along(loss: Any) -> None:
    """A loss that climbs, falls without bound, or is no number, with weights 100 times what they were."""
    [found] = weights(1e4, loss)
    assert found.evidence["growth"] > 100
    assert found.evidence["size"] > 1


@pytest.mark.parametrize(("growth", "loss"), [(2e3, (2.0, 0.5)), (5.0, (2.0, 9.0))])
def test_weights_that_grow_while_the_run_learns(growth: float, loss: Any) -> None:
    """Growth alone is no fault, nor is a loss alone."""
    assert weights(growth, loss) == []


def clipped(norms: Any, threshold: float = 1.0) -> list[Finding]:
    """What is said of these norms before clipping."""
    sender, found = Sender(RunAuditor(RUN)), []
    for i in range(len(norms) // 10):
        made = batch(i, TABLE, first=10 * i + 1, kind=None, loss=1.0)
        made.scalars["grad_norm_before_clip"] = (np.arange(10), np.asarray(norms[10 * i : 10 * i + 10]))
        made.scalars["clip_threshold"] = (np.arange(10), np.full(10, threshold))
        found += sender.steps(made, TABLE)
    return [one for one in found if one.rule == "clip_saturated"]


def test_every_step_clipped_by_far() -> None:
    """Ninety in a hundred beyond ten times the threshold; steps that are clipped now and then are what it is for."""
    [found] = clipped(np.full(150, 25.0))
    assert (found.step, found.evidence["share"], found.severity) == (100, 1.0, "info")
    assert found.evidence["norm"] == pytest.approx(25.0)
    assert clipped(np.tile([0.5, 30.0], 75)) == []
    assert clipped(np.full(150, 5.0)) == []


@pytest.mark.parametrize(("dtype", "top", "told"), [("float16", 2e4, 1), ("float16", 4e3, 0), ("float32", 2e4, 0)])
def test_values_near_the_end_of_their_type(dtype: str, top: float, told: int) -> None:
    """Within a factor 8 of 65504 and rising; wide types have room."""
    tensors = (Tensor("activation", "fc", (8,), dtype),)
    made = batch(0, tensors, first=1, kind="activation", loss=1.0)
    made.blocks[0].words.view(np.float32)[:, 8, 0] = np.linspace(10, top, 10)
    found = [one for one in Sender(RunAuditor(RUN)).steps(made, tensors) if one.rule == "near_overflow"]
    assert len(found) == told
    if told:
        assert (found[0].subject.name, found[0].evidence["limit"]) == ("fc", 65504.0)
