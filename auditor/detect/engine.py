"""The detectors of one live run.

Frames may come in any order and more than once; each (attempt, rank) is a lane that puts them in
order. The sequence numbers count *all* frames of a lane: hand every one to the engine
(:meth:`RunAuditor.observe` for steps, :meth:`RunAuditor.advance` for the rest), or it waits for them
until ``floor`` passes, 64 frames are held back, or :data:`GAP_TICKS` ticks have gone by. Rules over
several ranks see what all lanes of an attempt have come to (:mod:`auditor.detect.job`).

No thread, no clock, no input or output: the daemon calls, findings come back. To rebuild after a
restart either replay the stored frames (same findings, ``AlertBook`` makes the same alerts of
them) or keep :meth:`RunAuditor.to_state`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from typing import Any, Final

from auditor.detect.envelope import Envelope
from auditor.detect.facts import RunFacts
from auditor.detect.job import Job, JobRule
from auditor.detect.lane import Item, Lane, Told, with_attempt
from auditor.detect.live_state import LiveState
from auditor.detect.recorded import RecordPart
from auditor.detect.registry import Overrides, instances, unusable
from auditor.detect.rule import Rule
from auditor.detect.rules.cluster.liveness import ClockRule
from auditor.detect.view import StepView
from auditor.ingest.decode import StepBatch, Tensor
from auditor.model import Finding

#: Ticks (of about a second) that a lane waits for a missing frame before it goes on without it.
GAP_TICKS: Final = 30

_Key = tuple[int, int]


class RunAuditor:
    """Shows the steps of a run to its rules, in order; one instance per live run, not thread-safe.

    Args:
        run: the run's id.
        overrides: parameters by rule id; ``{"rule": {"mute": True}}`` leaves a rule out.
        urgent: only the rules that are urgent, or that are not; None: all.

    Raises:
        ValueError: if ``overrides`` names an unknown rule or parameter.
    """

    def __init__(self, run: str, *, overrides: Overrides | None = None, urgent: bool | None = None) -> None:
        self.run = run
        self.live = LiveState()
        self._overrides, self._urgent = overrides, urgent
        self._lanes: dict[_Key, Lane] = {}
        self._jobs: dict[int, Job] = {}
        self.baseline: Envelope | None = None
        """What the run is held against; may be set at any time."""
        self._newest = -1
        self._waiting: dict[_Key | int, int] = {}
        self._rules()  # say at once what is wrong with the overrides

    def observe(self, batch: StepBatch, table: tuple[Tensor, ...], floor: int) -> list[Finding]:
        """Take a ``steps`` frame, in any order; what became due is judged.

        Args:
            batch: the decoded frame.
            table: the tensor table that ``batch.table`` names.
            floor: the frame's ``floor``: no frame with a smaller seq will come any more.
        """
        return self._take((batch.attempt, batch.rank), batch.seq, StepView(batch, table), floor)

    def advance(  # noqa: PLR0913, PLR0917 - the parts of a frame
        self,
        attempt: int,
        rank: int,
        seq: int,
        floor: int,
        kind: str = "",
        header: Mapping[str, Any] | None = None,
        block: bytes | memoryview = b"",
    ) -> list[Finding]:
        """Take a frame without steps, in any order.

        Args:
            attempt: the frame's attempt.
            rank: its rank.
            seq: its place in the lane.
            floor: its ``floor``.
            kind: its type; ``start``, ``manifest`` and ``record`` tell the rules something.
            header: its header, checked by the intake; None if there is nothing to tell.
            block: its block; copied if it has to be kept.
        """
        lane, found = self._lane(attempt, rank)
        item: Item = None
        if kind == "record" and header is not None and lane.records:
            item = RecordPart(header, bytes(block))
        elif kind in {"start", "manifest"} and header is not None:
            item = Told(kind, header)
        return found + self._take((attempt, rank), seq, item, floor)

    def heartbeat(self, attempt: int, rank: int, step: int | None, time: float) -> list[Finding]:
        """A sign of life; it counts from the next tick, ``time`` (the job's clock) is not trusted."""
        del time
        lane, found = self._lane(attempt, rank)
        lane.pulse.beats += 1
        lane.pulse.last_step = max(lane.pulse.last_step, step or 0)
        return found

    def ended(self, attempt: int, rank: int, status: str) -> list[Finding]:
        """The run's process said that it ended, or was seen to: clocks stop, alerts stay."""
        del status
        lane, found = self._lane(attempt, rank)
        found += lane.finish()
        return found + (self._jobs[attempt].ended(rank) if attempt in self._jobs else [])

    def overdue(self, attempt: int, rank: int) -> list[Finding]:
        """Show the rules the recordings that wait for their steps: these will not come, or not for long."""
        lane, found = self._lane(attempt, rank)
        return found + lane.overdue()

    def tick(self, now: float) -> list[Finding]:
        """Judge by the clock; call about once a second. ``now``: Unix seconds of the daemon."""
        found: list[Finding] = []
        for key in sorted(self._lanes):
            lane = self._lanes[key]
            if self._waited(key, lane.gap):
                found += self._judge(lane, lane.release()) + lane.overdue()
            lane.pulse.tick(now)
            ended = lane.pulse.ended or lane.superseded is not None
            for rule in lane.rules:
                if isinstance(rule, ClockRule) and (rule.active or not ended):
                    found += rule.judge(lane.pulse, lane.attempt, lane.rank, now)
        for attempt, job in self._jobs.items():
            if self._waited(attempt, job.waiting):
                found += job.release()
        self._stamp()
        return found

    def unjudged(self) -> dict[str, str]:
        """The rules that could not judge the newest attempt's first rank, and why."""
        lanes = [lane for (attempt, _), lane in sorted(self._lanes.items()) if attempt == self._newest]
        reasons = {rule.id: rule.unjudged() for rule in self._rules() if not isinstance(rule, JobRule)}
        reasons |= lanes[0].unjudged() if lanes else {}
        for rule in self._rules():
            if isinstance(rule, JobRule):
                reasons[rule.id] = "one process: there is nothing to compare it with"
        reasons |= self._jobs[self._newest].unjudged() if self._newest in self._jobs else {}
        return unusable() | {rule: reason for rule, reason in reasons.items() if reason}

    def facts(self, attempt: int, rank: int) -> RunFacts:
        """What a process has declared of itself so far."""
        lane = self._lanes.get((attempt, rank))
        return lane.facts if lane is not None else RunFacts()

    def _rules(self) -> list[Rule]:
        return instances(self._overrides, urgent=self._urgent)

    def _waited(self, key: _Key | int, waits: bool) -> bool:
        self._waiting[key] = self._waiting.get(key, 0) + 1 if waits else 0
        return self._waiting[key] > GAP_TICKS

    def _lane(self, attempt: int, rank: int) -> tuple[Lane, list[Finding]]:
        key: _Key = (attempt, rank)
        found: list[Finding] = []
        if key not in self._lanes:
            self._lanes[key] = self._new_lane(attempt, rank)
            if attempt > self._newest:
                self._newest = attempt
                for (other, _), lane in sorted(self._lanes.items()):
                    found += lane.supersede(attempt) if other < attempt else []
                for other, job in self._jobs.items():
                    found += job.supersede(attempt) if other < attempt else []
            elif attempt < self._newest:
                self._lanes[key].superseded = self._newest
            if rank:
                self._job(self._lanes[key])
        return self._lanes[key], found

    def _new_lane(self, attempt: int, rank: int) -> Lane:
        return Lane(attempt, rank, [rule for rule in self._rules() if not isinstance(rule, JobRule)])

    def _job(self, lane: Lane) -> Job:
        """The job that ``lane`` is a rank of; made when the first sign of a second rank comes."""
        if lane.attempt not in self._jobs:
            job = self._new_job(lane.attempt)
            job.superseded = self._newest if lane.attempt < self._newest else None
            self._jobs[lane.attempt] = job
        self._jobs[lane.attempt].tell(lane.rank, lane.facts)
        return self._jobs[lane.attempt]

    def _new_job(self, attempt: int) -> Job:
        return Job(attempt, [rule for rule in self._rules() if isinstance(rule, JobRule)])

    def _take(self, key: _Key, seq: int, item: Item, floor: int) -> list[Finding]:
        lane, found = self._lane(*key)
        return found + self._judge(lane, lane.take(seq, item, floor))

    def _judge(self, lane: Lane, due: list[Item]) -> list[Finding]:
        found: list[Finding] = []
        for item in due:
            found += [with_attempt(finding, lane.attempt) for finding in self._show(lane, item)]
        return found

    def _show(self, lane: Lane, item: Item) -> list[Finding]:
        if isinstance(item, StepView):
            if lane.facts.baseline is not self.baseline:
                lane.facts = replace(lane.facts, baseline=self.baseline)
            item.run = lane.facts
            self.live.observe(item)
            found = lane.observe(item)
            return found + (self._jobs[lane.attempt].observe(item) if lane.attempt in self._jobs else [])
        if isinstance(item, RecordPart):
            return lane.record(item)
        if isinstance(item, Told):
            lane.learn(item)
            if lane.facts.world_size > 1 or lane.attempt in self._jobs:
                self._job(lane)
        return []

    def _stamp(self) -> None:
        pulses = [lane.pulse for (attempt, _), lane in self._lanes.items() if attempt == self._newest]
        self.live.progress_at = max((p.progress_at or 0.0 for p in pulses if p.steps), default=0.0)
        self.live.heartbeat_at = max((p.beat_at or 0.0 for p in pulses), default=0.0)

    def to_state(self) -> dict[str, Any]:
        """Everything but frames held back, as JSON-able values (``jsonfinite`` for the non-finite)."""
        lanes = [{"attempt": a, "rank": r, **lane.state()} for (a, r), lane in sorted(self._lanes.items())]
        jobs = [job.state() for _, job in sorted(self._jobs.items())]
        return {"run": self.run, "newest": self._newest, "live": asdict(self.live), "lanes": lanes, "jobs": jobs}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, overrides: Overrides | None = None) -> RunAuditor:
        """The auditor that :meth:`to_state` described."""
        auditor = cls(str(state["run"]), overrides=overrides)
        auditor._newest = int(state["newest"])
        auditor.live = LiveState(**state["live"])
        for entry in state["jobs"]:
            job = auditor._jobs[entry["attempt"]] = auditor._new_job(entry["attempt"])
            job.restore(entry)
        for entry in state["lanes"]:
            lane = auditor._new_lane(entry["attempt"], entry["rank"])
            lane.restore(entry)
            auditor._lanes[entry["attempt"], entry["rank"]] = lane
            if lane.attempt in auditor._jobs:
                auditor._jobs[lane.attempt].tell(lane.rank, lane.facts)
        return auditor
