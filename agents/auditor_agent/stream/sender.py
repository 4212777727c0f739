"""The sender: a daemon thread that empties the ring into the spool and the spool into the daemon.

Two threads, both made at the first event: one encodes, spools and decides, several times a second;
the other does nothing but wait for HTTP, so that a slow daemon never keeps steps from the spool.
Queues, not events, wake them: ``SimpleQueue.put`` may be interrupted by a signal handler that
itself comes here.
"""

from __future__ import annotations

import os
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final, Protocol

from auditor_agent import guard, jsonfinite
from auditor_agent.identity import Identity
from auditor_agent.scrub import scrubbed
from auditor_agent.stream.courier import Courier, Outcome, Reply, Step
from auditor_agent.stream.frames import Encoded, FrameMaker
from auditor_agent.stream.histograms import Shelf
from auditor_agent.stream.ledger import Ledger
from auditor_agent.stream.recording import Recording
from auditor_agent.stream.ring import Ring
from auditor_agent.stream.spool import Spool
from auditor_agent.stream.tensors import TensorTable
from auditor_agent.stream.wire import CONTENT_TYPE

PERIOD: Final = 0.25
"""Seconds between two looks into the ring."""
LAST_PERIOD: Final = 0.02
"""The same while the process waits for the end."""
RECORDINGS_BYTES: Final = 32 << 20
"""What the flight recorder's arrays may take in memory before they are in the spool."""
RECORDINGS_WAKE: Final = 4 << 20
"""Bytes of these that wait for the sender's next look, no longer: waking a thread at a step costs that step."""
START_RETRY: Final = 10.0
"""Seconds until a thread that could not be started is tried again."""


class Post(Protocol):
    """Reaches the daemon."""

    def __call__(self, path: str, body: bytes, content_type: str, timeout: float) -> Reply:
        """The reply to ``body`` posted to ``path`` within about ``timeout`` seconds. Does not raise."""

    def close(self) -> None:
        """Drop the connection."""


REQUEST_TIMEOUT: Final = 10.0


@dataclass(frozen=True, slots=True)
class Path:
    """What a step passes through before it is sent: the ring, the tables beside it, the spool, the books."""

    ring: Ring
    tensors: TensorTable
    spool: Spool
    ledger: Ledger


@dataclass(frozen=True, slots=True)
class _Request:
    path: str
    body: bytes
    content_type: str
    seqs: tuple[int, ...] = ()


class Sender:
    """Owns what lies between the ring and the daemon.

    Args:
        identity: whose frames these are.
        path: where they come from and wait.
        post: how to reach the daemon; None to spool only.
        heard: told what the daemon said.
        settle: brings into the ring what is kept back elsewhere.
    """

    def __init__(
        self,
        identity: Identity,
        path: Path,
        post: Post | None,
        heard: Callable[[Outcome], None],
        settle: Callable[[], None] = lambda: None,
    ) -> None:
        self._identity, self._ring, self._ledger, self._spool = identity, path.ring, path.ledger, path.spool
        self._post, self._heard, self._settled = post, heard, settle
        self.shelf = Shelf()
        """Histograms that wait."""
        self._maker = FrameMaker(identity, path.tensors, self.counts, lambda: path.spool.floor)
        self._courier = Courier(identity.attempt, identity.rank, os.urandom(1)[0] / 256)
        self._mail: dict[str, Mapping[str, Any]] = {}
        self._recordings: deque[Recording] = deque()
        self._recorded = self._unloaded = 0  # bytes in and out: each is written by one thread only
        self._wake: queue.SimpleQueue[None] = queue.SimpleQueue()
        self._requests: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._replies: queue.SimpleQueue[tuple[_Request, Reply]] = queue.SimpleQueue()
        self._eager = self._busy = self._want_table = self._last_made = False
        self._gather_at = 0.0
        self.threads: tuple[threading.Thread, ...] = ()
        self._start_again = 0.0
        self._last: Mapping[str, Any] | None = None
        self._deadline = 0.0
        self._tries_at_end = 0
        self._done = threading.Event()
        self._starting = threading.Lock()
        self.step = 0
        """The last step, for heartbeats."""

    @property
    def started(self) -> bool:
        """Whether its threads have been made."""
        return bool(self.threads)

    def mail(self, kind: str, body: Mapping[str, Any]) -> None:
        """Send a ``start`` or ``manifest`` frame before the next steps; the last of a kind counts."""
        self._mail[kind] = body

    def recording(self, recording: Recording) -> bool:
        """Send the flight recorder's frames before the next steps; False if too much waits already."""
        if self._recorded - self._unloaded + recording.nbytes > RECORDINGS_BYTES:
            return False
        self._recorded += recording.nbytes
        self._recordings.append(recording)
        if self._recorded - self._unloaded > RECORDINGS_WAKE:
            self.wake()
        return True

    def counts(self) -> dict[str, Any]:
        """The books of the steps, and under ``histograms`` those of the histograms where there are any."""
        counts, more = self._ledger.counts(), self.shelf.books.counts()
        return counts | {"histograms": more} if more["produced"] else counts

    def wake(self) -> None:
        """Look into the ring now."""
        if not self._eager:
            self._eager = True
            self._wake.put(None)

    def start(self) -> None:
        """Make the threads, unless they live."""
        if self.threads or self._done.is_set() or time.monotonic() < self._start_again:
            return
        if not self._starting.acquire(blocking=False):
            return  # another thread of the job is at it
        try:
            if not self.threads:  # another thread may have made them since they were asked for
                self._make_threads()
        finally:
            self._starting.release()

    def finish(self, body: Mapping[str, Any], timeout: float) -> None:
        """Send all that is left and a ``finish`` frame; return once done, after ``timeout`` seconds at most."""
        self._deadline = time.monotonic() + timeout
        self._last = body
        self.start()
        if not self.threads:
            self._run_here()
            return
        self.wake()
        self._done.wait(timeout)

    def held(self) -> int:
        """Steps that wait in the ring or the spool."""
        return self._ring.steps() + self._spool.steps()

    def abandon(self) -> None:
        """In a forked child: close what was inherited, and let the books be read; touch nothing else."""
        self._ledger.after_fork()
        self.shelf.books.after_fork()
        self._spool.abandon()

    def _make_threads(self) -> None:
        targets = {"auditor-sender": self._run, "auditor-http": self._serve}
        threads = [threading.Thread(target=target, name=name, daemon=True) for name, target in targets.items()]
        if self._post is None:
            threads.pop()
        try:
            for thread in reversed(threads):
                thread.start()
        except RuntimeError as error:  # no more threads, or the interpreter is ending
            if threads[-1].is_alive() and len(threads) > 1:
                self._requests.put(None)
            self._start_again = time.monotonic() + START_RETRY
            guard.note("sender thread cannot be started", str(error))
        else:
            self.threads = tuple(threads)

    def _run(self) -> None:
        try:
            while not self._over():
                self._rest()
                try:
                    self._turn(time.monotonic())
                except Exception as error:
                    guard.failure("sender", error)
        finally:
            self._requests.put(None)
            self._spool.close()
            self._done.set()

    def _run_here(self) -> None:
        """The end without threads: the same turns, the requests made in this one."""
        while not self._over():
            self._turn(time.monotonic())
            if self._busy:
                self._replies.put(self._perform(self._requests.get()))
            else:
                time.sleep(LAST_PERIOD)
        self._done.set()
        self._spool.close()
        if self._post is not None:
            self._post.close()

    def _rest(self) -> None:
        seconds = LAST_PERIOD if self._last is not None else self._gather_at - time.monotonic()
        with suppress(queue.Empty):
            self._wake.get(timeout=max(0.001, seconds))

    def _over(self) -> bool:
        if self._last is None or not self._last_made:
            return False
        if self._post is None or self._spool.empty or time.monotonic() >= self._deadline:
            return True
        return self._tries_at_end > 0 and not self._busy and self._courier.hopeless()

    def _turn(self, now: float) -> None:
        self._collect(now)
        # A reply also wakes this thread, but the ring keeps its own pace: looking into it at every
        # reply would be looking at every step.
        if self._eager or now >= self._gather_at or self._last is not None:
            self._eager = False
            self._gather_at = now + PERIOD
            self._gather()
        if self._post is not None and not self._busy:
            self._dispatch(now)

    def _collect(self, now: float) -> None:
        try:
            request, reply = self._replies.get_nowait()
        except queue.Empty:
            return
        self._busy = False
        self._tries_at_end += self._last_made
        outcome = self._courier.answered(now, reply, request.seqs)
        self._settle(outcome)
        self._want_table = self._want_table or "tensors" in outcome.need
        if outcome.trouble is not None:
            guard.note(*outcome.trouble)
        self._heard(outcome)

    def _settle(self, outcome: Outcome) -> None:
        for seq in sorted(outcome.committed):
            self.shelf.settled(seq)
            self._ledger.sent(self._spool.settle(seq) or 0)
        for seq, reason in outcome.refused.items():
            # Reasons of the daemon's are free text: they would make a label of their own each.
            told = "too_large" if reason == "too_large" else "rejected"
            self.shelf.settled(seq, told)
            self._ledger.dropped(told, self._spool.settle(seq) or 0)
        self.shelf.lost_below(self._spool.floor)

    def _gather(self) -> None:
        """Everything that was produced, into the spool."""
        last = self._last  # asked first: steps that came before the end are in the ring by now, and not yet swapped
        for kind in ("start", "manifest"):
            body = self._mail.pop(kind, None)
            if body is not None:
                self._keep(lambda kind=kind, body=body: self._maker.plain(kind, body), 0)  # type: ignore[misc]
        self._gather_recordings()
        self._gather_steps()
        self._gather_histograms()
        if last is not None and not self._last_made:
            self._last_made = True
            self._keep(lambda: self._maker.plain("finish", last), 0)
            self._ledger.reconcile(self.held())
            self._courier.hurry()

    def _gather_recordings(self) -> None:
        while self._recordings:
            recording = self._recordings.popleft()
            size = recording.nbytes
            if self._spool.spare < 2 * size:  # steps matter more than what explains them
                guard.note("flight recorder: no room in the spool", f"step {recording.step} left out")
            else:
                recording = replace(recording, facts=scrubbed(recording.facts))
                for fields, block in recording.parts():
                    self._keep(lambda fields=fields, block=block: self._maker.record(fields, block), 0)  # type: ignore[misc]
            self._unloaded += size

    def _gather_steps(self) -> None:
        self._settled()
        block = self._ring.swap()
        if block is None:
            return
        try:
            with_table = self._want_table or self._spool.fresh
            self._keep(lambda: self._maker.steps(block, with_table=with_table), len(block.steps))
            self._want_table = False
        finally:
            self._ring.release(block)

    def _gather_histograms(self) -> None:
        self.shelf.lost_below(self._spool.floor)
        while entries := self.shelf.take():
            steps = len(entries)
            if self._spool.spare < 2 * sum(len(entry.counters) for entry in entries):  # steps matter more
                self.shelf.books.dropped("spool_full", steps)
                guard.note("histograms: no room in the spool")
                continue
            seq = self._maker.seq
            if self._keep(lambda entries=entries: self._maker.histograms(entries), 0):  # type: ignore[misc]
                self.shelf.spooled(seq, steps)
            else:
                self.shelf.books.dropped("internal_error", steps)

    def _keep(self, make: Callable[[], Encoded], steps: int) -> bool:
        """Encode a frame and spool it; what cannot be encoded is dropped and counted. Whether it was kept."""
        try:
            frame = make()
            self._spool.append(frame.seq, frame.data, frame.steps)
        except Exception as error:
            self._ledger.dropped("internal_error", steps)
            guard.failure("frame", error)
            return False
        return True

    def _dispatch(self, now: float) -> None:
        step = self._courier.plan(now, frames=not self._spool.empty)
        if step is Step.FRAMES:
            batch = self._spool.read(*self._courier.room())
            if batch.seqs:
                self._submit(_Request("/v1/frames", batch.data, CONTENT_TYPE, batch.seqs))
        elif step is Step.HEARTBEAT:
            self._submit(_Request("/v1/heartbeat", self._heartbeat(), "application/json"))

    def _heartbeat(self) -> bytes:
        me = self._identity
        return jsonfinite.dumps(
            {
                "run": me.run,
                "attempt": me.attempt,
                "rank": me.rank,
                "step": self.step,
                "time": time.time(),
                "counts": self.counts(),
            }
        ).encode()

    def _submit(self, request: _Request) -> None:
        self._busy = True
        self._requests.put(request)

    def _serve(self) -> None:
        while (request := self._requests.get()) is not None:
            self._replies.put(self._perform(request))
            self._wake.put(None)
        if self._post is not None:
            self._post.close()

    def _perform(self, request: _Request | None) -> tuple[_Request, Reply]:
        if request is None or self._post is None:
            raise RuntimeError("no request")
        left = self._deadline - time.monotonic() if self._last is not None else REQUEST_TIMEOUT
        try:
            reply = self._post(request.path, request.body, request.content_type, min(REQUEST_TIMEOUT, max(0.1, left)))
        except Exception as error:  # the poster never raises; if it does, the sender must not wait for ever
            reply = Reply(0, error=repr(error))
        return request, reply
