"""The handle of a watched run: what integrations record into and what the user asks.

Nothing here raises into the job, waits for a disk or a network, or starts a thread before the
first event.
"""

from __future__ import annotations

import atexit
import math
import os
import sys
import threading
import time as clock
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from auditor_agent import guard, identity
from auditor_agent.config import Config
from auditor_agent.ending import Ending
from auditor_agent.histogram import HISTOGRAM_BYTES
from auditor_agent.plain import plain
from auditor_agent.scrub import scrubbed
from auditor_agent.stream.courier import Outcome
from auditor_agent.stream.histograms import Entry
from auditor_agent.stream.ledger import Ledger
from auditor_agent.stream.recording import Recording
from auditor_agent.stream.ring import Ring
from auditor_agent.stream.sender import Path, Post, Sender
from auditor_agent.stream.spool import Spool
from auditor_agent.stream.tensors import EMPTY, TensorTable

_NONE: Final[Mapping[str, float]] = MappingProxyType({})
#: Seconds between two wakings for what is not finite: frames of every later step would only delay the first one.
_URGENT_APART: Final = 0.1
_GRAVE: Final = {"critical": ("diverged",), "warning": ("suspect", "diverged")}


class Run:
    """One process's part in a run. Made by :func:`open_run`.

    ``id``, ``attempt`` and ``rank`` say which part; ``project`` and ``name`` are for people.
    """

    def __init__(self, config: Config, framework: str, *, name: str | None = None, project: str | None = None) -> None:
        me = identity.establish(config)
        self.id, self.attempt, self.rank = me.run, me.attempt, me.rank
        self.project = project or config.project
        self.name = name or config.name or _script() or me.run
        self._stop_on, self._baseline = _GRAVE.get(config.stop_on, ()), config.baseline
        self._verdict, self._stop, self._gone, self._step = "unknown", False, False, 0
        self._woken = clock.monotonic() - _URGENT_APART
        self._ending, self._finished = Ending(), False
        self._closing: list[Callable[[], None]] = []
        self._settling: list[Callable[[], None]] = []
        self._declared: dict[str, Any] = {}
        self._observed: dict[str, Any] = {}
        self._ledger, self._tensors = Ledger(), TensorTable()
        self._ring = Ring(self._ledger)
        spool = Spool(me.directory, config.spool_bytes, self._ledger.dropped)
        path = Path(self._ring, self._tensors, spool, self._ledger)
        self._sender = Sender(me, path, _post(config, me.run), self._heard, self._settle)
        self._sender.mail("start", self._start(framework, me.world_size))

    @guard.guarded(0)
    def tensor(self, kind: str, name: str, shape: Sequence[int], dtype: str) -> int:
        """The id of a tensor; the same one whenever (kind, name) is asked for."""
        return 0 if self._gone else self._tensors.tensor(kind, name, shape, dtype)

    @guard.guarded(EMPTY)
    def layout(self, tensors: Sequence[int]) -> int:
        """The id of the layout that reports these tensor ids in this order."""
        return EMPTY if self._gone else self._tensors.layout(tensors)

    @guard.guarded(None)
    def record(  # noqa: PLR0913 -- the contract with the integrations
        self,
        step: int,
        scalars: Mapping[str, float] = _NONE,
        layout: int | None = None,
        words: bytes | bytearray | memoryview | None = None,
        *,
        time: float | None = None,
        urgent: bool = False,
    ) -> None:
        """Take one step. Costs a copy of ``words``; the step is dropped and counted if there is no room.

        Args:
            step: step number, from 0.
            scalars: floats by name; a NaN is a value.
            layout: which tensors ``words`` describe; None if there are no words.
            words: the statistics, 12 x R little-endian words of four bytes, row after row.
            time: Unix seconds; now unless given.
            urgent: something non-finite was seen: send at once.
        """
        if self._gone:
            return
        try:
            view = None if words is None else memoryview(words).cast("B")
            place = EMPTY if layout is None else layout
            self._tensors.check(place, 0 if view is None else len(view))
            values = {str(key): float(value) for key, value in scalars.items()} if scalars else _NONE
            when = clock.time() if time is None else float(time)
            number = int(step)
            taken = self._ring.append(number, when, place, values, view)
        except Exception:
            self._ledger.invalid()
            raise
        self._step = self._sender.step = number
        self._taken(*taken, urgent=urgent)

    @guard.guarded(None)
    def log(self, **scalars: float) -> None:
        """Record scalars of the user's own at the current step."""
        if self._gone or not scalars:
            return
        values = {key: float(value) for key, value in scalars.items()}
        self._settle()
        self._taken(*self._ring.amend(self._step, clock.time(), values))

    @guard.guarded(None)
    def event(self, step: int, type: str, **fields: Any) -> None:  # noqa: A002 -- the wire's name for it
        """Record that something happened at a step, beside the numbers."""
        if self._gone:
            return
        if not self._ring.event({**scrubbed(plain(fields)), "step": int(step), "type": str(type)}):
            guard.note("too many events between two sends: dropped")
        self._sender.start()

    @guard.guarded(None)
    def manifest(self, body: Mapping[str, Any]) -> None:
        """Say what the run is; a later manifest replaces the earlier one."""
        if self._gone or self._finished:
            return
        self._declared = scrubbed(plain(body))
        self._mail_manifest()

    @guard.guarded(None)
    def observe(self, **sections: Mapping[str, Any]) -> None:
        """Add sections to the manifest, of what was seen rather than declared; later ones replace earlier."""
        if self._gone or self._finished:
            return
        self._observed |= scrubbed(plain(sections))
        if self._declared:
            self._mail_manifest()

    def _mail_manifest(self) -> None:
        self._sender.mail("manifest", {"manifest": {**self._declared, **self._observed}})
        self._sender.start()
        self._sender.wake()

    @guard.guarded(None)
    def recording(self, recording: Recording) -> None:
        """Take what the flight recorder saw of a step; sent as frames of its own, before the next steps.

        Costs no copy: the arrays are encoded by the sender's thread. Left out, and noted, where too
        many bytes wait already.
        """
        if self._gone or self._finished:
            return
        recording = replace(recording, facts=plain(recording.facts))  # scrubbed by the sender's thread
        if not self._sender.recording(recording):
            guard.note("flight recorder: too much waits to be sent", f"step {recording.step} left out")
        self._sender.start()

    @guard.guarded(None)
    def histograms(self, step: int, layout: int, counters: bytes | bytearray | memoryview) -> None:
        """Take the histograms of a step; sent as frames of their own, after the step's statistics.

        Costs a copy. Dropped, and counted apart from the steps, where too much waits already.

        Args:
            step: step number, as in :meth:`record`.
            layout: which tensors the histograms are of.
            counters: R x 64 uint32, see ``auditor_agent.histogram``.
        """
        if self._gone:
            return
        shelf = self._sender.shelf
        try:
            self._tensors.check(layout, len(counters), HISTOGRAM_BYTES)
            entry = Entry(int(step), layout, bytes(counters))
        except Exception:
            shelf.books.invalid()
            raise
        dropped = shelf.put(entry)
        if dropped is not None:
            guard.note(f"histograms of a step dropped ({dropped})")
        if not self._sender.started:
            self._sender.start()
        if shelf.crowded:
            self._sender.wake()

    @property
    def should_stop(self) -> bool:
        """Whether the run should end itself: the daemon was told so, or AUDITOR_STOP_ON is met."""
        return self._stop or self._verdict in self._stop_on

    @property
    def verdict(self) -> str:
        """The last verdict the daemon sent: ``healthy``, ``suspect``, ``diverged``; ``unknown`` before."""
        return self._verdict

    @property
    def finished(self) -> bool:
        """Whether :meth:`finish` was called, or this is a forked child's copy."""
        return self._finished or self._gone

    @guard.guarded(None)
    def finish(self, status: str = "finished", reason: str | None = None, *, timeout: float = 2.0) -> None:
        """End the run: send what is left, for ``timeout`` seconds at most. Only the first call counts.

        Args:
            status: ``finished``, ``failed`` or ``stopped``.
            reason: one line, or None.
            timeout: seconds.
        """
        if self.finished:
            return
        self._close()
        self._finished = True
        atexit.unregister(self._at_exit)
        with self._ledger.lock:
            self._ring.closed = True
        self._sender.shelf.closed = True
        self._sender.finish({"status": status, "reason": scrubbed(reason), "step": self._step}, timeout)

    @guard.guarded(None)
    def on_finish(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called once when the run finishes, before its last frame is made.

        For integrations: hand over what is still under way, undo what was wrapped.
        """
        if not self.finished:
            self._closing.append(callback)

    @guard.guarded(None)
    def on_settle(self, callback: Callable[[], None]) -> None:
        """Have ``callback`` called before steps are sent or amended, by whichever thread does that.

        For integrations that keep the steps of some milliseconds to themselves: hand them over now. The
        callback takes its own care of threads and does not raise. It is kept for the life of the run.
        """
        if not self.finished:
            self._settling.append(callback)

    def _settle(self) -> None:
        for callback in self._settling:
            callback()

    def _close(self) -> None:
        while self._closing:
            guard.guarded(None)(self._closing.pop())()

    def counts(self) -> dict[str, Any]:
        """The books, in steps: ``{"produced", "sent", "pending", "dropped": {reason: steps}}``.

        Where histograms are taken, ``"histograms"`` holds the same of them.
        """
        return self._sender.counts()

    def abandon(self) -> None:
        """Make this copy, in a forked child, do nothing from now on."""
        self._gone = True
        atexit.unregister(self._at_exit)
        self._sender.abandon()

    def register(self) -> None:
        """Have :meth:`finish` called when the interpreter ends."""
        atexit.register(self._at_exit)

    def _at_exit(self) -> None:
        self.finish(*self._ending.status())

    def _taken(self, dropped: str | None, refused: int, *, urgent: bool = False) -> None:
        if dropped is not None:
            guard.note(f"step dropped ({dropped})")
        if refused:
            guard.note("too many scalar names: values dropped")
        if not self._sender.started:
            self._sender.start()
        now = clock.monotonic() if urgent else -math.inf
        if now - self._woken >= _URGENT_APART or self._ring.crowded:
            self._woken = max(self._woken, now)
            self._sender.wake()

    def _heard(self, outcome: Outcome) -> None:
        if outcome.verdict is not None:
            self._verdict = outcome.verdict
        self._stop = self._stop or outcome.stop

    def _start(self, framework: str, world_size: int) -> dict[str, Any]:
        from auditor_agent import __version__

        return {
            "project": scrubbed(self.project),
            "name": scrubbed(self.name),
            "framework": framework,
            "world_size": world_size,
            "host": identity.host(),
            "pid": os.getpid(),
            "agent": __version__,
            "argv0": scrubbed(sys.argv[0] if sys.argv else ""),
            **({"baseline": scrubbed(self._baseline)} if self._baseline else {}),
        }


class NullRun(Run):
    """A run that does nothing: ``AUDITOR_MODE=off``, or the agent could not begin."""

    def __init__(self) -> None:
        self.id, self.attempt, self.rank, self.project, self.name = "off", 0, 0, "", ""
        self._verdict, self._stop, self._stop_on, self._step = "unknown", False, (), 0
        self._gone, self._finished = True, True
        self._closing, self._settling = [], []

    def counts(self) -> dict[str, Any]:
        """Nothing was produced."""
        return Ledger().counts()

    def abandon(self) -> None:
        """Nothing to abandon."""


class _Process:
    """The run of this process."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.run: Run | None = None

    def after_fork(self) -> None:
        """In the child: the run is the parent's; this process may open its own."""
        self.lock = threading.RLock()
        run, self.run = self.run, None
        if run is not None:
            run.abandon()


_PROCESS: Final = _Process()
os.register_at_fork(after_in_child=_PROCESS.after_fork)


def live_run() -> Run | None:
    """The live run of this process, if there is one; opens none."""
    with _PROCESS.lock:
        return None if _PROCESS.run is None or _PROCESS.run.finished else _PROCESS.run


def open_run(framework: str, *, name: str | None = None, project: str | None = None) -> Run:
    """The run of this process: the live one, or a new one.

    Args:
        framework: ``torch``, ``keras``, ``tensorflow`` or ``sklearn``.
        name: for people; default AUDITOR_NAME, else the script's name.
        project: default AUDITOR_PROJECT.
    """
    with _PROCESS.lock:
        if _PROCESS.run is None or _PROCESS.run.finished:
            _PROCESS.run = _opened(framework, name, project)
        return _PROCESS.run


def _opened(framework: str, name: str | None, project: str | None) -> Run:
    # Here and not in the threads: a fork in the middle of an import leaves its lock held in the child, and
    # whatever imports the same there waits for ever. The guard logs from any thread.
    import logging  # noqa: F401

    try:
        config = Config.from_env()
        if config.mode == "off":
            return NullRun()
        run = Run(config, framework, name=name, project=project)
        run.register()
    except Exception as error:
        guard.failure("open_run", error)
        return NullRun()
    return run


def _post(config: Config, run: str) -> Post | None:
    if config.mode == "offline":
        return None
    from auditor_agent.stream.http import Poster  # here and not in the thread, as in _opened

    return Poster(config.url, config.token, run)


def _script() -> str:
    return os.path.basename(sys.argv[0]) if sys.argv else ""  # noqa: PTH119 -- a name, not a path to follow
