from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Recording
from support.batches import RUN, batch, table
from support.lanes import Sender, array

TABLE = table()
FLAT, FALLING = np.full(300, 2.0), np.linspace(2.0, 0.2, 300)


def run(
    name: str, shares: Mapping[int, float], losses: np.ndarray, last: str = "head", samples: int = 0
) -> list[Finding]:
    """What is said of shares given at these steps, of batches of so many samples (0: not told)."""
    sender, found = Sender(RunAuditor(RUN)), []
    told = [array("batch", "input0", np.zeros((samples, 3)))] if samples else []
    found += sender.record(Recording(1, told, {}, {"layers": [{"name": "fc"}, {"name": last}]}))
    for i in range(6):
        made = batch(i, TABLE, first=50 * i, steps=50, loss=losses[50 * i : 50 * i + 50])
        here = [step for step in shares if 50 * i <= step < 50 * i + 50]
        if here:
            made.scalars[name] = (np.array([s - 50 * i for s in here]), np.array([shares[s] for s in here]))
        found += sender.steps(made, TABLE)
    return [one for one in found if one.rule in {"dead_units", "saturated_units"}]


def sampled(share: float) -> dict[int, float]:
    """One share at every sampled step."""
    return dict.fromkeys((1, 2, 3, 50, 100, 150, 200, 250), share)


@pytest.mark.parametrize(("name", "rule"), [("dead_units/fc", "dead_units"), ("saturated/fc", "saturated_units")])
def test_a_share_that_holds_while_nothing_is_learnt(name: str, rule: str) -> None:
    """Beyond one half, with a flat loss: said, by the layer's name."""
    late = sampled(0.7) | {1: 0.1, 2: 0.1, 3: 0.1}
    found = run(name, late, FLAT)
    assert (found[0].rule, found[0].subject.name, found[0].step) == (rule, "fc", 150)
    assert found[0].evidence["proof"] == "the run learns nothing"


@pytest.mark.parametrize(("samples", "said"), [(1, False), (8, False), (16, True), (256, True)])
def test_units_off_for_a_handful_of_samples_are_not_dead(samples: int, said: bool) -> None:
    """Learning online, one sample a step: every other unit is off each time; a share of ends needs no many samples."""
    assert bool(run("dead_units/fc", sampled(0.7), FLAT, samples=samples)) == said
    assert run("saturated/fc", sampled(0.7), FLAT, samples=samples)


def test_a_run_that_learns_may_have_them() -> None:
    """Half dead in a net that trains well; all dead is a fault in any; the last layer's ends are its business."""
    late = sampled(0.7) | {1: 0.1}
    assert run("dead_units/fc", late, FALLING) == []
    assert run("saturated/fc", late, FALLING) == []
    assert run("dead_units/fc", sampled(1.0), FALLING)[0].evidence["proof"] == "nothing passes the layer"
    assert run("saturated/head", sampled(0.9), FLAT) == []


def test_saturated_from_the_start_needs_no_other_proof() -> None:
    """What the first forward pass finds saturated, no training has put there; unless most is learnt all the same."""
    assert run("saturated/fc", sampled(0.7), FALLING)[0].evidence["proof"].startswith("70%")


def test_it_clears_when_the_units_wake() -> None:
    """A share that falls ends the alert."""
    shares = sampled(1.0) | {250: 0.2}
    assert [f.cleared for f in run("dead_units/fc", shares, FLAT)][-1] is True


def test_a_loss_that_is_still_on_its_way_down_is_no_proof() -> None:
    """Targets in their raw units: after 200 steps no better than guessing, from ten times that, and falling."""
    late = sampled(0.7) | {1: 0.1, 2: 0.1, 3: 0.1}
    assert run("saturated/fc", late, np.linspace(2.0, 1.82, 300)) == []
    assert run("saturated/fc", late, np.full(300, 1.82))[0].evidence["proof"] == "the run learns nothing"
