"""What came of one run of the zoo: which rules spoke, when, and what the alternatives would have said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor.model import Alert
from detecting.alternatives import verdicts
from detecting.judge import judge
from detecting.record import Case, about
from detecting.series import load


@dataclass(frozen=True, slots=True)
class Outcome:
    """One judged run. ``others``: the alternatives' first steps by name; empty if they were not asked."""

    case: Case
    alerts: tuple[Alert, ...]
    steps: int
    seconds: float
    recorded_seconds: float
    others: dict[str, int | None]

    @property
    def said(self) -> tuple[Alert, ...]:
        """What counts as having spoken: warnings and above, and an expected ``info``; roots first."""
        expected = self.case.program.expected if self.case.faulty else frozenset()
        return tuple(alert for alert in self.alerts if alert.severity != "info" or alert.rule in expected)

    @property
    def right(self) -> Alert | None:
        """The alert that names the fault, if it is among the first two."""
        return next((alert for alert in self.said[:2] if alert.rule in self.case.program.expected), None)

    @property
    def named(self) -> bool:
        """Whether any alert names the fault."""
        return any(alert.rule in self.case.program.expected for alert in self.said)

    def as_json(self) -> dict[str, Any]:
        """For ``--json``."""
        program = self.case.program
        return {
            "program": program.name, "framework": program.framework, "split": program.split, "seed": self.case.seed,
            "faulty": self.case.faulty, "fault": program.fault, "expected": sorted(program.expected),
            "steps": self.steps, "seconds": self.seconds, "recorded_seconds": self.recorded_seconds,
            "alerts": [
                {"rule": a.rule, "severity": str(a.severity), "state": str(a.state), "first_step": a.first_step,
                 "subject": a.subject.name, "summary": a.summary, "evidence": dict(a.evidence)}
                for a in self.alerts
            ],
            "others": self.others,
        }  # fmt: skip


def outcome(case: Case, recording: Path, *, alternatives: bool) -> Outcome:
    """Judges one recording."""
    judged = judge(recording)
    others = verdicts(load(recording)) if alternatives else {}
    return Outcome(case, judged.alerts, judged.steps, judged.seconds, about(recording)["seconds"], others)
