"""A run's detectors in two groups: those whose verdict cannot wait, and all others.

What is found at once, from the step's own statistics (:attr:`~auditor.detect.rule.Rule.urgent`), costs
microseconds a step; what reads recordings, milliseconds. A request may bring a step that went wrong behind
a dozen recordings: its NaN is told, and stored, before they are looked at. Either group sees every frame in
the same order, so that what they find does not depend on how the frames were cut into requests.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from auditor.detect.engine import RunAuditor
from auditor.detect.envelope import Envelope
from auditor.detect.facts import RunFacts
from auditor.detect.live_state import LiveState
from auditor.detect.registry import Overrides
from auditor.ingest.decode import StepBatch, Tensor
from auditor.model import Finding

Call = Callable[[], list[Finding]]


class UrgentFirst:
    """Has the methods of :class:`RunAuditor`; each answers for the urgent rules, :meth:`due` for the others.

    Whoever calls one of the methods goes through :meth:`due` before anybody else calls.
    """

    def __init__(self, run: str, *, overrides: Overrides | None = None) -> None:
        self._urgent = RunAuditor(run, overrides=overrides, urgent=True)
        self._others = RunAuditor(run, overrides=overrides, urgent=False)
        self._due: list[Call] = []

    @property
    def live(self) -> LiveState:
        """What the newest step shows: the urgent group has come furthest."""
        return self._urgent.live

    @property
    def baseline(self) -> Envelope | None:
        """What the run is held against."""
        return self._others.baseline

    @baseline.setter
    def baseline(self, baseline: Envelope | None) -> None:
        self._others.baseline = baseline

    def due(self) -> Iterator[Call]:
        """What the others have not seen yet, call by call in the order in which it came.

        A call that raises has cost what it was about to say; the next ones can be made all the same.
        """
        while self._due:
            yield self._due.pop(0)

    def observe(self, batch: StepBatch, table: tuple[Tensor, ...], floor: int) -> list[Finding]:
        """A ``steps`` frame."""
        self._due.append(partial(self._others.observe, batch, table, floor))
        return self._urgent.observe(batch, table, floor)

    def advance(  # noqa: PLR0913, PLR0917 - the parts of a frame
        self,
        attempt: int,
        rank: int,
        seq: int,
        floor: int,
        kind: str,
        header: Mapping[str, Any] | None,
        block: memoryview,
    ) -> list[Finding]:
        """A frame without steps."""
        self._due.append(partial(self._others.advance, attempt, rank, seq, floor, kind, header, block))
        return self._urgent.advance(attempt, rank, seq, floor, kind, header, block)

    def heartbeat(self, attempt: int, rank: int, step: int | None, time: float) -> list[Finding]:
        """A sign of life."""
        self._due.append(partial(self._others.heartbeat, attempt, rank, step, time))
        return self._urgent.heartbeat(attempt, rank, step, time)

    def ended(self, attempt: int, rank: int, status: str) -> list[Finding]:
        """The run's process has ended."""
        self._due.append(partial(self._others.ended, attempt, rank, status))
        return self._urgent.ended(attempt, rank, status)

    def tick(self, now: float) -> list[Finding]:
        """Judge by the clock."""
        self._due.append(partial(self._others.tick, now))
        return self._urgent.tick(now)

    def facts(self, attempt: int, rank: int) -> RunFacts:
        """What a process has declared of itself so far."""
        return self._urgent.facts(attempt, rank)

    def unjudged(self) -> dict[str, str]:
        """The rules that could not judge, and why."""
        return self._urgent.unjudged() | self._others.unjudged()
