"""One (attempt, rank) of a run: puts its frames in order and shows them to its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor.detect.liveness import Pulse
from auditor.detect.rule import Rule
from auditor.detect.view import StepView
from auditor.model import Finding, Subject

#: Frames held back for a missing earlier one; beyond it the gap is given up.
MAX_HELD: Final = 64


class Lane:
    """Reorders by ``seq``, ignores duplicates, gives up gaps, starts the rules afresh at a rewind."""

    def __init__(self, attempt: int, rank: int, rules: list[Rule]) -> None:
        self.attempt, self.rank, self.rules = attempt, rank, rules
        self.next_seq = 0
        self.last_step: int | None = None
        self.pulse = Pulse()
        self.superseded: int | None = None
        self._held: dict[int, StepView | None] = {}

    @property
    def gap(self) -> bool:
        """Whether frames wait for an earlier one."""
        return bool(self._held)

    def take(self, seq: int, view: StepView | None, floor: int) -> list[StepView]:
        """The views that are due once frame ``seq`` is here; None stands for a frame without steps."""
        if seq >= self.next_seq:
            self._held.setdefault(seq, view)
        due: list[StepView] = []
        self._drain(due)
        while self._held and (min(self._held) < floor or len(self._held) > MAX_HELD):
            self.next_seq = min(self._held)
            self._drain(due)
        self.next_seq = max(self.next_seq, floor)
        self._drain(due)
        return due

    def release(self) -> list[StepView]:
        """Everything that is held, in order: the gaps are given up."""
        due: list[StepView] = []
        while self._held:
            self.next_seq = min(self._held)
            self._drain(due)
        return due

    def _drain(self, due: list[StepView]) -> None:
        while self.next_seq in self._held:
            view = self._held.pop(self.next_seq)
            self.next_seq += 1
            if view is not None:
                due.append(view)

    def observe(self, view: StepView) -> list[Finding]:
        """What the rules say to the next view in order."""
        if not len(view):
            return []
        self.pulse.step(view.times)
        steps = view.steps.astype(np.int64)
        found: list[Finding] = []
        back = self.last_step is not None and steps[0] < self.last_step
        inside = np.flatnonzero(np.diff(steps) < 0)
        if back or len(inside):
            # The same number twice is one step in two records. A rewind within a frame is rare: the
            # rules start afresh at the frame.
            for rule in self.rules:
                rule.rewind()
        self.last_step = self.pulse.last_step = int(steps[-1])
        for rule in self.rules:
            found += rule.observe(view)
        return found + self.supersede(self.superseded)

    def supersede(self, attempt: int | None) -> list[Finding]:
        """A later attempt has begun: what fires here belongs to the past."""
        self.superseded = attempt
        if attempt is None:
            return []
        found = []
        for rule in self.rules:
            if rule.active:
                rule.active = False
                step = self.last_step or 0
                subject = Subject("run", "run", self.rank)
                evidence = {"superseded_by_attempt": attempt}
                found.append(
                    Finding(rule.id, rule.severity, subject, step, evidence, cleared=True, attempt=self.attempt)
                )
        return found

    def state(self) -> dict[str, Any]:
        """JSON-able; frames that are held back are not part of it (the daemon has stored them)."""
        return {
            "next_seq": self.next_seq,
            "last_step": self.last_step,
            "superseded": self.superseded,
            "pulse": self.pulse.state(),
            "rules": {rule.id: rule.state() for rule in self.rules},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self.next_seq, self.last_step = int(state["next_seq"]), state["last_step"]
        self.superseded = state["superseded"]
        self.pulse = Pulse.restored(state["pulse"])
        for rule in self.rules:
            if rule.id in state["rules"]:
                rule.restore(state["rules"][rule.id])


def with_attempt(finding: Finding, attempt: int) -> Finding:
    """``finding`` of ``attempt``, for rules added by users that did not say so."""
    return finding if finding.attempt == attempt else replace(finding, attempt=attempt)
