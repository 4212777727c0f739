"""Shows recorded frames to today's rules, frame by frame, by the path that a live request takes."""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from auditor.alerts.stories import told
from auditor.ingest.intake import Arrival, arrivals
from auditor.ingest.runs import Registry
from auditor.model import Alert, AlertState, Severity
from auditor.settings import Settings

_ROOM = 1 << 31


@dataclass(frozen=True, slots=True)
class Judged:
    """What the rules said of one run: alerts that fired at some time, root causes first.

    ``steps``: largest step number of the run. ``seconds``: of processor, for judging alone.
    """

    alerts: tuple[Alert, ...]
    steps: int
    seconds: float

    @property
    def loud(self) -> tuple[Alert, ...]:
        """Those of warning or above."""
        return tuple(alert for alert in self.alerts if alert.severity is not Severity.INFO)


def frames(recording: Path) -> Iterator[Arrival]:
    """The frames of a recording, checked and decoded.

    Raises:
        ValueError: if one of them would be refused.
    """
    taken, rejected = arrivals(gzip.decompress(recording.read_bytes()), _ROOM)
    if rejected:
        raise ValueError(f"{recording}: {rejected[0].reason}")
    yield from taken


def judge(recording: Path) -> Judged:
    """The alerts of a recording by the rules of this checkout.

    Raises:
        ValueError: if a frame of it is refused.
    """
    sent = list(frames(recording))
    if not sent:
        return Judged((), 0, 0.0)
    # A home without rules.toml: the rules as they come.
    state = Registry(Settings(home=recording.parent)).get(sent[0].run)
    known: dict[str, Alert] = {}
    began = time.process_time()
    for arrival in sent:
        _, changed, rejected = state.take([arrival], arrival.time)
        if rejected:
            raise ValueError(f"{recording}: {rejected[0].reason}")
        known |= {alert.id: alert for alert in changed}
    seconds = time.process_time() - began
    steps = max((int(a.batch.steps.max()) for a in sent if a.batch is not None and len(a.batch.steps)), default=0)
    fired = (alert for alert in known.values() if alert.state is not AlertState.PENDING)
    return Judged(tuple(told(fired)), steps, seconds)
