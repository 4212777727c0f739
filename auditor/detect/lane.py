"""One (attempt, rank) of a run: puts its frames in order and shows them to its rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from itertools import pairwise
from typing import Any, Final

import numpy as np

from auditor.detect.ahead import Ahead
from auditor.detect.facts import RunFacts
from auditor.detect.guarding import ask
from auditor.detect.recorded import Assembler, RecordPart, RecordView
from auditor.detect.rule import Moment, Rule
from auditor.detect.rules.cluster.liveness import Pulse
from auditor.detect.view import StepView
from auditor.model import Finding, Subject

#: Event of a loss that reaches none of the run's weights (docs/signals.md).
_BYPASSED: Final = "bypassed"
#: Frames held back for a missing earlier one; beyond it the gap is given up.
MAX_HELD: Final = 64
#: Steps of one optimizer before the next one's begin a new history: rounds of federated learning, or tasks of
#: meta-learning, are shorter, and are one course.
_PHASE: Final = 50
#: Events that came in frames without steps, kept for the next one with some.
MAX_EARLY: Final = 64


@dataclass(frozen=True, slots=True)
class Told:
    """A ``start`` or ``manifest`` frame: what the process says of itself from here on."""

    type: str
    header: Mapping[str, Any]


#: What a frame brings to its place in the order; None for one that tells the rules nothing.
Item = StepView | RecordPart | Told | None


class Lane:
    """Reorders by ``seq``, ignores duplicates, gives up gaps, starts the rules afresh at a rewind."""

    def __init__(self, attempt: int, rank: int, rules: list[Rule]) -> None:
        self.attempt, self.rank, self.rules = attempt, rank, rules
        self.next_seq = 0
        self.last_step: int | None = None
        self.pulse = Pulse()
        self.superseded: int | None = None
        self.facts = RunFacts()
        self.parted = False
        """Whether a step told its loss without the penalty."""
        self.renewed: bool | None = None
        """Whether another model (else another optimizer) is at work from the next step on; None: neither."""
        self.begun = 0
        """Step after which the optimizer that is at work now took over."""
        self.broken: dict[str, str] = {}
        """Rules that raised, and what."""
        self._readers = [rule for rule in rules if type(rule).observe_record is not Rule.observe_record]
        self._early: tuple[dict[str, Any], ...] = ()
        self._assembler = Assembler(attempt, rank)
        self._ahead = Ahead()
        self._held: dict[int, Item] = {}

    @property
    def gap(self) -> bool:
        """Whether frames wait for an earlier one, or recordings for their step."""
        return bool(self._held or self._ahead)

    @property
    def records(self) -> bool:
        """Whether any rule reads recordings."""
        return bool(self._readers)

    def take(self, seq: int, item: Item, floor: int) -> list[Item]:
        """What is due, in order, once frame ``seq`` is here."""
        if seq == self.next_seq and not self._held:  # as nearly always: nothing waits
            self.next_seq = max(seq + 1, floor)
            return [item]
        if seq >= self.next_seq:
            self._held.setdefault(seq, item)
        due: list[Item] = []
        self._drain(due)
        while self._held and (min(self._held) < floor or len(self._held) > MAX_HELD):
            self.next_seq = min(self._held)
            self._drain(due)
        self.next_seq = max(self.next_seq, floor)
        self._drain(due)
        return due

    def release(self) -> list[Item]:
        """Everything that is held, in order: the gaps are given up."""
        due: list[Item] = []
        while self._held:
            self.next_seq = min(self._held)
            self._drain(due)
        return due

    def _drain(self, due: list[Item]) -> None:
        while self.next_seq in self._held:
            due.append(self._held.pop(self.next_seq))
            self.next_seq += 1

    def learn(self, told: Told) -> None:
        """Facts for the views from here on."""
        if told.type == "start":
            self.facts = self.facts.started(told.header)
        elif told.type == "manifest":
            self.facts = self.facts.declared(told.header.get("manifest"))

    def record(self, part: RecordPart) -> list[Finding]:
        """What the rules say to the recordings that ``part`` completes, and that need not wait for their step."""
        found: list[Finding] = []
        for view in self._assembler.take(part, self.facts):
            found += self._recorded(self._ahead.take(view, self.last_step))
        return found

    def overdue(self) -> list[Finding]:
        """What the rules say to the recordings that have waited long enough."""
        return self._recorded(self._ahead.release())

    def finish(self) -> list[Finding]:
        """The process has ended: a recording of which frames are missing is shown as it is, the rules conclude."""
        found = self.overdue() + self._recorded(self._assembler.flush(self.facts))
        if not self.pulse.ended and self.last_step is not None:
            last = Moment(self.attempt, self.rank, self.last_step, self.pulse.last_time or 0.0)
            for rule in self.rules:
                found += ask(rule, self.broken, rule.finish, last)
        self.pulse.ended = True
        return found + self.supersede(self.superseded)

    def _recorded(self, views: list[RecordView]) -> list[Finding]:
        found: list[Finding] = []
        for view in views:
            for rule in self._readers:
                found += ask(rule, self.broken, rule.observe_record, view)
            self._assembler.seen(view)
        return found + (self.supersede(self.superseded) if views else [])

    def observe(self, view: StepView) -> list[Finding]:
        """What the rules say to the next steps in order; events that came without steps are told with them."""
        if not len(view):
            self._early = (*self._early, *view.batch.events)[-MAX_EARLY:]
            return self._last_word(view)
        if self._early:
            view.batch = replace(view.batch, events=(*self._early, *view.batch.events))
            self._early = ()
        view.parted = self.parted = self.parted or view.parted
        self.pulse.step(view.times)
        steps = view.steps.astype(np.int64)
        found: list[Finding] = []
        # The same number twice is one step in two records.
        backs = {int(at) + 1 for at in np.flatnonzero(np.diff(steps) < 0)}
        if self.last_step is not None and steps[0] < self.last_step:
            backs.add(0)
        taken = {} if self.renewed is None else {0: self.renewed}
        if not backs - {0}:
            taken |= self._takeovers(view)
        self.renewed = taken.pop(len(view), None)
        for first, after in pairwise(sorted({0, *backs, *taken, len(view)})):
            found += self.overdue() if first in backs else []
            for rule in self.rules:
                if first in backs or taken.get(first):
                    rule.rewind()
                elif first in taken:
                    rule.resume()
            found += self._stretch(view if after - first == len(view) else view.part(first, after))
        return found + self.supersede(self.superseded)

    def _last_word(self, view: StepView) -> list[Finding]:
        """What the rules say to losses that pass the run's optimizers by: no step of the run may ever follow them."""
        told = tuple(event for event in view.batch.events if event.get("type") == _BYPASSED)
        if not told or self.last_step is None:
            return []
        at = np.array([max(self.last_step, int(told[-1]["step"]))], np.uint64)
        times = np.array([self.pulse.last_time or 0.0])
        shown = StepView(replace(view.batch, steps=at, times=times, events=told), view.table, view.run)
        return [finding for rule in self.rules for finding in ask(rule, self.broken, rule.observe, shown)]

    def _takeovers(self, view: StepView) -> dict[int, bool]:
        """The indices from which on another optimizer steps or another loss is heard; whether it trains another model.

        The view's length where it is from the next one on.
        """
        found: dict[int, bool] = {}
        for event in view.batch.events:
            bypassed = event.get("type") == _BYPASSED  # the loss is another model's, its optimizer is not
            if bypassed or event.get("type") == "optimizer_changed":
                last = int(event["step"]) - bypassed
                long = last - self.begun >= _PHASE
                self.begun = max(last, self.begun)
                if long:
                    place = int(np.searchsorted(view.steps.astype(np.int64), last, side="right"))
                    found[place] = event.get("another_model") is True
        return found

    def _stretch(self, steps: StepView) -> list[Finding]:
        """What the rules say to ascending steps and to the recordings among them."""
        found: list[Finding] = []
        for item in self._ahead.along(steps):
            if isinstance(item, StepView):
                self.last_step = self.pulse.last_step = int(item.steps[-1])
                self._assembler.passed(self.last_step)
                for rule in self.rules:
                    found += ask(rule, self.broken, rule.observe, item)
            else:
                found += self._recorded([item])
        return found

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
                found.append(Finding(rule.id, rule.grade, subject, step, evidence, cleared=True, attempt=self.attempt))
        return found

    def state(self) -> dict[str, Any]:
        """JSON-able; frames held back and a recording half arrived are not part of it: the daemon has stored them."""
        return {
            "next_seq": self.next_seq,
            "last_step": self.last_step,
            "superseded": self.superseded,
            "parted": self.parted,
            "renewed": self.renewed,
            "begun": self.begun,
            "early": list(self._early),
            "pulse": self.pulse.state(),
            "facts": asdict(replace(self.facts, baseline=None)),
            "rules": {rule.id: rule.state() for rule in self.rules},
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take back what :meth:`state` gave."""
        self.next_seq, self.last_step = int(state["next_seq"]), state["last_step"]
        self.superseded, self.parted = state["superseded"], bool(state.get("parted"))
        self.renewed, self.begun = state.get("renewed"), int(state.get("begun", 0))
        self._early = tuple(state.get("early", ()))
        self.pulse = Pulse.restored(state["pulse"])
        self.facts = RunFacts(**state["facts"])
        for rule in self.rules:
            if rule.id in state["rules"]:
                rule.restore(state["rules"][rule.id])

    def unjudged(self) -> dict[str, str | None]:
        """Why each rule cannot judge, None where it can."""
        return {rule.id: self.broken.get(rule.id) or rule.unjudged() for rule in self.rules}


def with_attempt(finding: Finding, attempt: int) -> Finding:
    """``finding`` of ``attempt``, for rules added by users that did not say so."""
    return finding if finding.attempt == attempt else replace(finding, attempt=attempt)
