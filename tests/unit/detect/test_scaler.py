from __future__ import annotations

import json

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent import jsonfinite
from support.batches import RUN, batch, table
from support.lanes import Sender

TABLE = table()


def judge(skips: dict[int, float], steps: int = 200, *, restart: bool = False) -> list[Finding]:
    """What is said of a run whose scaler skips these steps, each with its scale."""
    sender, found = Sender(RunAuditor(RUN)), []
    for first in range(0, steps, 10):
        events = [
            {"step": step, "type": "step_skipped", "scale": scale}
            for step, scale in skips.items()
            if first <= step < first + 10
        ]
        found += sender.steps(batch(0, TABLE, first=first, loss=1.0, events=events), TABLE)
        if restart:
            state = json.loads(jsonfinite.dumps(sender.auditor.to_state()))
            sender.auditor = RunAuditor.from_state(state)
    return [f for f in found if f.rule == "scaler_stuck"]


def test_a_scaler_that_settles_is_healthy() -> None:
    """Skips at the start while the scale comes down, then one every now and then."""
    assert judge({step: 2.0 ** (16 - step) for step in range(14)} | {60: 4.0, 120: 4.0, 180: 4.0}) == []


def test_step_after_step_skipped_is_stuck_until_it_has_settled() -> None:
    """Half of the last steps skipped, told at the step; gone after 64 steps without a skip."""
    found = judge(dict.fromkeys(range(50, 70), 64.0))
    assert (found[0].step, found[0].evidence["skips"], found[0].cleared) == (57, 8, False)
    assert [f.step for f in found if f.cleared] == [139]
    assert judge(dict.fromkeys(range(50, 70), 64.0), restart=True) == found


def test_a_scale_below_one_is_collapse() -> None:
    """It says so at once."""
    assert judge({5: 0.5})[0].step == 5
