"""Recordings that came before their step: they wait for it, so that no rule sees how frames were cut.

A sender may put one step into a frame or a thousand; the recordings of those steps come in frames of
their own, mostly earlier. Shown as they come, a rule would know at step 25 what was recorded at step
400 in one run and not in another. So a recording of a training step is shown just before the
statistics of that step, one of an evaluation just after; one that comes late, or of the next step,
is shown at once.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from auditor.detect.recorded import RecordView
from auditor.detect.view import StepView

#: Recordings, and bytes of them, that wait at most; beyond it the oldest is shown before its step.
MAX_WAITING: Final = 64
MAX_BYTES: Final = 64 << 20


class Ahead:
    """The recordings of one lane that wait, in the order in which they came."""

    def __init__(self) -> None:
        self._waiting: list[RecordView] = []

    def __bool__(self) -> bool:
        return bool(self._waiting)

    def take(self, view: RecordView, last_step: int | None) -> list[RecordView]:
        """What is to be shown at once, now that ``view`` is here and the lane has come to ``last_step``."""
        come = last_step or 0
        if not self._waiting and view.step <= (come if view.phase == "eval" else come + 1):
            return [view]  # its step has come, or is the next
        self._waiting.append(view)
        out = []
        while len(self._waiting) > MAX_WAITING or sum(one.bytes for one in self._waiting) > MAX_BYTES:
            out.append(self._waiting.pop(0))
        return out

    def release(self) -> list[RecordView]:
        """All that wait: their steps will not come, or came before."""
        out, self._waiting = self._waiting, []
        return out

    def along(self, view: StepView) -> Iterator[StepView | RecordView]:
        """``view``, cut where a recording belongs, and these recordings, in order."""
        first = 0
        while self._waiting:
            at = _place(view, self._waiting[0])
            if at is None:
                break
            if at > first:
                yield view.part(first, at)
                first = at
            yield self._waiting.pop(0)
        if first < len(view):
            yield view.part(first, len(view)) if first else view


def _place(view: StepView, recording: RecordView) -> int | None:
    """The index of ``view`` before which ``recording`` is shown; None if not in this view."""
    steps = view.steps.astype(np.int64)
    after = recording.phase == "eval"
    reached = np.flatnonzero(steps > recording.step if after else steps >= recording.step)
    if len(reached):
        return int(reached[0])
    return len(view) if after and steps[-1] == recording.step else None
