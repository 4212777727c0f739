"""The demo tells the truth: what it claims is checked, and a claim that fails is said."""

from __future__ import annotations

from typing import Any

import pytest

from auditor.demo.play import faults
from auditor.demo.stage import BROKEN, CAST, HEALTHY, PROGRAMS


def result(verdict: str, *alerts: tuple[str, str, int]) -> dict[str, Any]:
    """The JSON of a run with alerts (rule, tensor, step)."""
    listed = [
        {"rule": rule, "first_step": step, "subject": {"kind": "gradient", "name": name}} for rule, name, step in alerts
    ]
    return {"verdict": verdict, "alerts": listed}


def test_what_should_come_is_no_fault() -> None:
    """Silence where all is well, the layer's gradient where it is not."""
    assert faults(HEALTHY, result("healthy")) == []
    assert faults(BROKEN, result("diverged", ("nonfinite_gradient", "fc2.weight", 460))) == []


def test_a_run_that_did_not_arrive_whole_is_not_judged() -> None:
    """Its alert may be in what is still to come."""
    [fault] = faults(BROKEN, {**result("healthy"), "undelivered": 3})
    assert "3 frames" in fault


@pytest.mark.parametrize(
    ("program", "told", "expected"),
    [
        (HEALTHY, {}, "no result"),
        (HEALTHY, result("healthy", ("loss_spike", "loss", 3)), "false alarm loss_spike"),
        (HEALTHY, result("diverged"), "verdict diverged"),
        (BROKEN, result("healthy"), "verdict healthy"),
        (BROKEN, result("diverged", ("nonfinite_loss", "loss", 4)), "no nonfinite_gradient alert"),
        (BROKEN, result("diverged", ("nonfinite_gradient", "head.weight", 4)), "names head.weight"),
    ],
)
def test_what_should_not_be_is_said(program: Any, told: dict[str, Any], expected: str) -> None:
    """In a line that names it."""
    assert any(expected in line for line in faults(program, told))


def test_the_programs_know_nothing_of_the_auditor() -> None:
    """They are watched from outside."""
    for program in CAST:
        assert "auditor" not in (PROGRAMS / program.script).read_text()
