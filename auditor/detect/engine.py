"""The detectors of one live run.

Frames may come in any order and more than once; each (attempt, rank) is a lane that puts them in
order. The sequence numbers count *all* frames of a lane, also those without steps: tell the engine
of those by :meth:`RunAuditor.advance`, or it waits for them until ``floor`` passes, 64 frames are
held back, or :data:`GAP_TICKS` ticks have gone by.

No thread, no clock, no input or output: the daemon calls, findings come back. To rebuild after a
restart either replay the stored frames (same findings, ``AlertBook`` makes the same alerts of
them) or keep :meth:`RunAuditor.to_state`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from auditor.detect.lane import Lane, with_attempt
from auditor.detect.live_state import LiveState
from auditor.detect.liveness import ClockRule
from auditor.detect.registry import Overrides, instances
from auditor.detect.view import StepView
from auditor.ingest.decode import StepBatch, Tensor
from auditor.model import Finding

#: Ticks (of about a second) that a lane waits for a missing frame before it goes on without it.
GAP_TICKS: Final = 30


class RunAuditor:
    """Shows the steps of a run to its rules, in order; one instance per live run, not thread-safe.

    Args:
        run: the run's id.
        overrides: parameters by rule id; ``{"rule": {"mute": True}}`` leaves a rule out.

    Raises:
        ValueError: if ``overrides`` names an unknown rule or parameter.
    """

    def __init__(self, run: str, *, overrides: Overrides | None = None) -> None:
        self.run = run
        self.live = LiveState()
        self._overrides = overrides
        self._lanes: dict[tuple[int, int], Lane] = {}
        self._newest = -1
        self._waiting: dict[tuple[int, int], int] = {}
        instances(overrides)  # say at once what is wrong with the overrides

    def observe(self, batch: StepBatch, table: tuple[Tensor, ...], floor: int) -> list[Finding]:
        """Take a ``steps`` frame, in any order; what became due is judged.

        Args:
            batch: the decoded frame.
            table: the tensor table that ``batch.table`` names.
            floor: the frame's ``floor``: no frame with a smaller seq will come any more.
        """
        return self._take(batch.attempt, batch.rank, batch.seq, StepView(batch, table), floor)

    def advance(self, attempt: int, rank: int, seq: int, floor: int) -> list[Finding]:
        """Take note of a frame without steps (start, manifest, record, finish), which has a seq too."""
        return self._take(attempt, rank, seq, None, floor)

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
        lane.pulse.ended = True
        return found

    def tick(self, now: float) -> list[Finding]:
        """Judge by the clock; call about once a second. ``now``: Unix seconds of the daemon."""
        found: list[Finding] = []
        for key in sorted(self._lanes):
            lane = self._lanes[key]
            self._waiting[key] = self._waiting.get(key, 0) + 1 if lane.gap else 0
            if self._waiting[key] > GAP_TICKS:
                found += self._judge(lane, lane.release())
            lane.pulse.tick(now)
            ended = lane.pulse.ended or lane.superseded is not None
            for rule in lane.rules:
                if isinstance(rule, ClockRule) and (rule.active or not ended):
                    found += rule.judge(lane.pulse, lane.attempt, lane.rank, now)
        self._stamp()
        return found

    def unjudged(self) -> dict[str, str]:
        """The rules that could not judge the newest attempt's first rank, and why."""
        lanes = [lane for (attempt, _), lane in sorted(self._lanes.items()) if attempt == self._newest]
        reasons = {rule.id: rule.unjudged() for rule in (lanes[0].rules if lanes else instances(self._overrides))}
        return {rule: reason for rule, reason in reasons.items() if reason}

    def _lane(self, attempt: int, rank: int) -> tuple[Lane, list[Finding]]:
        key, found = (attempt, rank), []
        if key not in self._lanes:
            self._lanes[key] = Lane(attempt, rank, instances(self._overrides))
            if attempt > self._newest:
                self._newest = attempt
                for (other, _), lane in sorted(self._lanes.items()):
                    found += lane.supersede(attempt) if other < attempt else []
            elif attempt < self._newest:
                self._lanes[key].superseded = self._newest
        return self._lanes[key], found

    def _take(self, attempt: int, rank: int, seq: int, view: StepView | None, floor: int) -> list[Finding]:
        lane, found = self._lane(attempt, rank)
        return found + self._judge(lane, lane.take(seq, view, floor))

    def _judge(self, lane: Lane, due: list[StepView]) -> list[Finding]:
        found: list[Finding] = []
        for view in due:
            self.live.observe(view)
            found += [with_attempt(finding, lane.attempt) for finding in lane.observe(view)]
        return found

    def _stamp(self) -> None:
        pulses = [lane.pulse for (attempt, _), lane in self._lanes.items() if attempt == self._newest]
        self.live.progress_at = max((p.progress_at or 0.0 for p in pulses if p.steps), default=0.0)
        self.live.heartbeat_at = max((p.beat_at or 0.0 for p in pulses), default=0.0)

    def to_state(self) -> dict[str, Any]:
        """Everything but frames held back, as JSON-able values (``jsonfinite`` for the non-finite)."""
        lanes = [{"attempt": a, "rank": r, **lane.state()} for (a, r), lane in sorted(self._lanes.items())]
        return {"run": self.run, "newest": self._newest, "live": asdict(self.live), "lanes": lanes}

    @classmethod
    def from_state(cls, state: Mapping[str, Any], *, overrides: Overrides | None = None) -> RunAuditor:
        """The auditor that :meth:`to_state` described."""
        auditor = cls(str(state["run"]), overrides=overrides)
        auditor._newest = int(state["newest"])
        auditor.live = LiveState(**state["live"])
        for entry in state["lanes"]:
            lane = Lane(entry["attempt"], entry["rank"], instances(overrides))
            lane.restore(entry)
            auditor._lanes[entry["attempt"], entry["rank"]] = lane
        return auditor
