"""Stalled is not dead: a run that is alive without progress, and one of which nothing is heard.

Both are judged on the daemon's clock alone: a heartbeat or a step counts from the tick that first
sees it, so a job whose clock is a day off is judged like any other.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

from auditor.detect.rule import Rule
from auditor.detect.view import F64, StepView
from auditor.model import Finding, Severity, Subject


@dataclass(slots=True)
class Pulse:
    """Signs of life of one (attempt, rank). Times are Unix seconds of the daemon; None: not yet.

    ``paces`` are recent seconds per step by the job's own clock, the median of each frame.
    """

    steps: int = 0
    beats: int = 0
    last_step: int = 0
    ended: bool = False
    last_time: float | None = None
    progress_at: float | None = None
    beat_at: float | None = None
    paces: list[float] = field(default_factory=list)
    seen: tuple[int, int] = (0, 0)

    def step(self, times: F64) -> None:
        """Steps came; ``times`` are theirs."""
        self.steps += len(times)
        joined = times if self.last_time is None else np.concatenate([[self.last_time], times])
        paces = np.diff(joined)
        paces = paces[np.isfinite(paces) & (paces >= 0)]
        if len(paces):
            self.paces = [*self.paces[-31:], float(np.median(paces))]
        self.last_time = float(times[-1])

    def tick(self, now: float) -> None:
        """Stamp what is new since the tick before."""
        steps, beats = self.seen
        if self.steps > steps or self.progress_at is None:
            self.progress_at = now
        if self.beats > beats or self.steps > steps or self.beat_at is None:
            self.beat_at = now
        self.seen = (self.steps, self.beats)

    @property
    def pace(self) -> float:
        """Median seconds per step; 0 while unknown."""
        return float(np.median(self.paces)) if self.paces else 0.0

    def state(self) -> dict[str, Any]:
        """JSON-able."""
        return asdict(self)

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> Pulse:
        """The pulse that :meth:`state` described."""
        return cls(**{**state, "seen": tuple(state["seen"])})


@dataclass(slots=True)
class ClockMemory:
    """``judged``: whether the rule has spoken since the daemon knows the run."""

    judged: bool = False


class ClockRule(Rule):
    """A rule that judges the pulse at each tick of the daemon's clock."""

    State = ClockMemory
    phase = "run"

    def observe(self, view: StepView) -> list[Finding]:
        """Nothing: see :meth:`judge`."""
        del view
        return []

    def rewind(self) -> None:
        """Step numbers mean nothing to a clock."""

    def unjudged(self) -> str | None:
        """The run was never alive before the daemon's eyes."""
        return None if self.memory.judged else "the daemon's clock did not look while the run was alive"

    @abstractmethod
    def held(self, pulse: Pulse, now: float) -> dict[str, Any] | None:
        """The evidence if the fault is there, else None."""

    def judge(self, pulse: Pulse, attempt: int, rank: int, now: float) -> list[Finding]:
        """A finding when the fault begins and one when it is gone."""
        evidence = None if pulse.ended else self.held(pulse, now)
        known, self.memory.judged = self.memory.judged, True
        # The first judgement is always said: an alert taken back from the store may be over.
        if known and (evidence is not None) == self.active:
            return []
        self.active = evidence is not None
        return [
            Finding(
                self.id,
                self.grade,
                Subject("run", "run", rank),
                pulse.last_step,
                evidence or {"ended": pulse.ended},
                cleared=not self.active,
                time=now,
                attempt=attempt,
            )
        ]


@dataclass(frozen=True, slots=True)
class StalledParameters:
    """Thresholds.

    ``stall_seconds``: the shortest stop that counts, 300 s (OPS: logbooks of large runs; evaluation
    and checkpoints stay below). ``paces``: or that many median steps, 10 (OPS). ``silent_seconds``:
    a heartbeat younger than this shows life, as in ``agent_silent``.
    """

    stall_seconds: float = 300.0
    paces: float = 10.0
    silent_seconds: float = 120.0


class RunStalled(ClockRule):
    """Heartbeats without a step."""

    id = "run_stalled"
    severity = Severity.CRITICAL
    meaning = "the process is alive but takes no steps"
    needs = "heartbeats and steps"
    trigger = "heartbeat without step for max(10 median steps, 300 s), after the first step"
    source = "OPS"
    summary = (
        "No step since step {step} for {idle_seconds:.0f} s (a step took {step_seconds:.3g} s) "
        "though the process is alive{where}."
    )
    likely_causes = (
        "a data loader or file system that hangs",
        "a collective that waits for a rank that left",
        "a deadlock after a fork, or a very long evaluation or checkpoint",
    )
    advice = (
        "See where the process waits: py-spy dump --pid PID on the host; set a timeout on the DataLoader "
        "(DataLoader(..., timeout=60)) and on the process group (init_process_group(timeout=...))."
    )
    Parameters = StalledParameters

    def held(self, pulse: Pulse, now: float) -> dict[str, Any] | None:
        """Heard of lately, had stepped, and takes no steps."""
        if not pulse.steps or pulse.progress_at is None or pulse.beat_at is None:
            return None
        idle, quiet = now - pulse.progress_at, now - pulse.beat_at
        limit = max(self.parameters.paces * pulse.pace, self.parameters.stall_seconds)
        if idle < limit or quiet >= self.parameters.silent_seconds:
            return None
        return {
            "idle_seconds": idle,
            "limit_seconds": limit,
            "step_seconds": pulse.pace,
            "heartbeat_age_seconds": quiet,
        }


@dataclass(frozen=True, slots=True)
class SilentParameters:
    """Thresholds.

    ``silent_seconds``: neither heartbeat nor step for so long, 120 s (ours: the agent beats every
    few seconds and outlives a daemon's restart).
    """

    silent_seconds: float = 120.0


class AgentSilent(ClockRule):
    """Nothing is heard of a run that has not ended."""

    id = "agent_silent"
    severity = Severity.CRITICAL
    meaning = "neither heartbeat nor progress, and no end was reported"
    needs = "heartbeats or steps"
    trigger = "nothing heard for 120 s before an end was reported; resolved when it is heard again"
    source = "OPS"
    summary = (
        "Nothing was heard of the run for {quiet_seconds:.0f} s after step {step}, "
        "and it did not say that it ended{where}."
    )
    likely_causes = (
        "the process was killed (out of memory, preempted, its node went away)",
        "the network between the job and the daemon is down: the agent keeps its spool",
    )
    advice = (
        "Look for the process on its host (dmesg for the out-of-memory killer, the scheduler's log for preemption); "
        "if it lives, check AUDITOR_URL from there with auditor doctor."
    )
    Parameters = SilentParameters

    def held(self, pulse: Pulse, now: float) -> dict[str, Any] | None:
        """Nothing heard for too long."""
        if pulse.beat_at is None or now - pulse.beat_at < self.parameters.silent_seconds:
            return None
        return {"quiet_seconds": now - pulse.beat_at, "limit_seconds": self.parameters.silent_seconds}
