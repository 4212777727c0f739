"""Which runs have ended and have curves to pack: one curve at a time, so that nothing waits for long."""

from __future__ import annotations

import time

from auditor.store.errors import StoreError
from auditor.store.records import WriteBatch
from auditor.store.store import Store


class Packing:
    """Runs whose curves are to be packed (``auditor.store.packed``). Any thread."""

    def __init__(self) -> None:
        self._due: dict[str, None] = {}  # in order; single operations on a dict are atomic

    def told(self, run: str, batch: WriteBatch, *, ended: bool) -> None:
        """Notes what was committed of a run: it ended, or more came of it after that."""
        if batch.finishes or batch.exits or (ended and batch.scalars):
            self._due[run] = None

    @property
    def due(self) -> bool:
        """Whether there is anything to pack."""
        return bool(self._due)

    def step(self, store: Store) -> bool:
        """Packs one curve of the run that ended first; False if nothing is left to do.

        A store that fails leaves the curve in rows, where reading it is slower and as right.
        """
        run = next(iter(self._due), None)
        if run is None:
            return False
        try:
            more = store.pack(run)
        except StoreError:
            more = False
        if not more:
            self._due.pop(run, None)
        return True

    def finish(self, store: Store, seconds: float) -> None:
        """Packs what is left, for about so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and self.step(store):
            pass
