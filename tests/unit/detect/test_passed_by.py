"""Losses that reach none of the run's weights: its optimizer was made for a model that is gone."""

from __future__ import annotations

from auditor.detect.engine import RunAuditor
from support.batches import RUN, batch, table
from support.lanes import Sender


def test_parameters_that_the_loss_reaches_past_the_optimizer() -> None:
    """Whether they look new or were trained: nothing that is held moves."""
    sender, tensors = Sender(RunAuditor(RUN)), table()
    sender.start(framework="torch")
    trained = {"shape": [32, 32], "mean": 0.0, "std": 0.7, "absmax": 2.5}
    events = [{"type": "bypassed", "step": 50, "parameters": told} for told in ([], [trained])]
    found = sender.steps(batch(0, tensors, first=50, steps=1, loss=1.0, events=events), tensors)
    assert [(one.rule, one.step) for one in found] == [("unchanged_parameters", 50)]


def test_what_passes_the_optimizer_by_is_told_though_no_step_follows() -> None:
    """A second phase whose optimizer holds nothing alive takes no step of the run."""
    sender, tensors = Sender(RunAuditor(RUN)), table()
    sender.start(framework="torch")
    early = sender.steps(batch(0, tensors, first=1, steps=8, loss=1.0), tensors)
    trained = {"shape": [32, 32], "mean": 0.0, "std": 0.7, "absmax": 2.5}
    event = {"type": "bypassed", "step": 8, "parameters": [trained]}
    found = sender.steps(batch(0, tensors, first=9, steps=0, events=[event]), tensors)
    again = sender.steps(batch(0, tensors, first=9, steps=2, loss=1.0), tensors)
    assert [(one.rule, one.step) for one in (*early, *found, *again)] == [("unchanged_parameters", 8)]
