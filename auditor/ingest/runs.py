"""Which runs are live: each one's state by its id, the longest untouched giving way."""

from __future__ import annotations

import threading
from collections import OrderedDict

from auditor.detect.tuning import Tuning
from auditor.ingest.live import RunState
from auditor.settings import Settings


class Registry:
    """The live runs, the longest untouched giving way beyond ``max_live_runs``."""

    def __init__(self, settings: Settings) -> None:
        self._tuning = Tuning(settings)  # says at once what is wrong with it
        self._settings = settings
        self._lock = threading.Lock()
        self._states: OrderedDict[str, RunState] = OrderedDict()

    def get(self, run: str) -> RunState:
        """The state of ``run``; one that is not loaded yet if it was unknown or had to be forgotten."""
        with self._lock:
            state = self._states.get(run)
            if state is None or (state.stale and not state.inflight):
                state = self._states[run] = RunState(run, self._tuning)
                self._make_room()
            self._states.move_to_end(run)
            return state

    def all(self) -> list[RunState]:
        """Every live run, the one touched last at the end."""
        with self._lock:
            return list(self._states.values())

    def forget(self, run: str) -> None:
        """Drops a run, if nothing of it is in flight."""
        with self._lock:
            state = self._states.get(run)
            if state is not None and not state.inflight:
                del self._states[run]

    def _make_room(self) -> None:
        excess = len(self._states) - self._settings.max_live_runs
        # What is in flight is not in the store yet: whoever rebuilt that run now would miss it.
        idle = [run for run, state in self._states.items() if not state.inflight and state.loaded]
        idle.sort(key=lambda run: not self._states[run].ended)
        for run in idle[: max(excess, 0)]:
            del self._states[run]
