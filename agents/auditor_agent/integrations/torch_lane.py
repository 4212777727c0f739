"""The plain step: nothing is sampled, nothing changed since the last one.

Most steps are. Of such a step only what cannot wait is done where it happens: the gradients are
read, the loss and the clock noted, and whether all is finite. Everything else (names, columns, the
ring) is done for many steps together by :meth:`Lane.settle`, which the sender calls before it looks
into the ring: there it is a tight loop beside the training, here each line of it would be fetched
into cold caches 200 times a second. Whatever is out of the ordinary goes the long way
(``torch_watch``), and settles first what waits here, so that steps stay in their order.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from torch import Tensor
from torch.optim import Optimizer

from auditor_agent.capture.budget import GRADIENT, HISTOGRAM, Budget
from auditor_agent.capture.steady import Steady
from auditor_agent.capture.transfer import Arrived
from auditor_agent.guard import failure, guarded
from auditor_agent.histogram import HISTOGRAM_BYTES
from auditor_agent.integrations.torch_forward import ForwardProbe
from auditor_agent.integrations.torch_loss import LossProbe
from auditor_agent.integrations.torch_part import Part
from auditor_agent.run import Run
from auditor_agent.statistics import ROW_BYTES

#: Plain steps that may wait, and the bytes of their statistics: the sender comes several times a second.
_MOST: Final = 256
_MOST_BYTES: Final = 1 << 20
_NOTHING: Final = (0, None)
_NUMBERS: Final = frozenset({float, int})
_clock: Final = time.perf_counter
#: Number, Unix time, loss, backward passes, rates, seconds since the step before, clipping, words, all finite,
#: histograms, samples and digest of the batch.
_Waiting = tuple[
    int,
    float,
    float | None,
    int,
    list[float],
    float | None,
    dict[str, float | Tensor],
    bytes,
    bool,
    bytes,
    tuple[int, int | None],
]


@dataclass(slots=True)
class Pace:
    """Where the run is."""

    number: int
    """Steps seen."""
    begun: float | None = None
    """``perf_counter`` when the last one was seen."""


class Lane:
    """Takes plain steps of one optimizer.

    Args:
        run: whose ``settle`` is to reach this.
        pace: shared with the watcher.
        probe: hears the loss.
        budget: is told what each step took.
        forward: hears the batches, where the model is known.
        sink: takes the steps, in their order.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a step consists of
        self,
        run: Run,
        pace: Pace,
        probe: LossProbe,
        budget: Budget,
        forward: ForwardProbe | None,
        sink: Callable[[Arrived], None],
    ) -> None:
        self._run, self._pace, self._probe, self._budget, self._sink = run, pace, probe, budget, sink
        self._forward = forward
        self._part: Part | None = None
        self._parameters: list[Tensor] | None = None
        self._present: tuple[bool, ...] | None = None
        self._steady: Steady | None = None
        self._until = self._layout = self._empty = 0
        self._most = _MOST
        self._waiting: deque[_Waiting] = deque()
        self._lock = threading.RLock()
        run.on_settle(self.settle)

    def open(self, part: Part, until: int, present: tuple[bool, ...] | None, layout: int, empty: int) -> None:
        """From the next step on take those numbered below ``until``.

        Args:
            part: whose gradients are read.
            until: number of the first step that goes the long way.
            present: which of the part's parameters have gradients; None: all.
            layout: of their statistics.
            empty: of a step without statistics.
        """
        if self._part is not part or self._parameters is not part.parameters or self._present != present:
            chosen = part.parameters
            if present is not None:
                chosen = [p for p, there in zip(chosen, present, strict=True) if there]
            self._part, self._present = part, present
            self._steady = Steady(chosen, histograms=self._budget.histograms > 0)
            self._parameters = None  # asked of the part at each step: not kept alive
            each = ROW_BYTES + (HISTOGRAM_BYTES if self._budget.histograms == 1 else 0)
            self._most = max(1, min(_MOST, _MOST_BYTES // (each * len(chosen) + 1)))
        usable = self._steady is not None and self._steady.usable
        self._until, self._layout, self._empty = until if usable else 0, layout, empty

    def shut(self) -> None:
        """The next step goes the long way."""
        self._until = 0

    def close(self) -> None:
        """Hand over what waits and take no more."""
        self.shut()
        self.settle()

    def take(self, optimizer: Optimizer) -> bool:
        """Take the step that ``optimizer`` is about to do; False if it is to go the long way."""
        if self._pace.number + 1 >= self._until:
            return False
        try:
            return self._take(optimizer)
        except Exception as error:
            self.shut()
            failure("plain step", error)
            return False

    def _take(self, optimizer: Optimizer) -> bool:
        start = _clock()
        pace, probe, part, groups = self._pace, self._probe, self._part, optimizer.param_groups
        rates = [group["lr"] for group in groups]
        roots, forward = probe.roots, self._forward
        if (
            part is None
            or len(groups) != part.groups
            or probe.scale is not None
            or (forward is not None and forward.turned)
            or "grad_scale" in vars(optimizer)
            or not _NUMBERS.issuperset(map(type, rates))
            or not _NUMBERS.issuperset(map(type, roots))
        ):
            return False
        number = pace.number + 1
        words, finite, counters, due = b"", True, b"", self._budget.due(GRADIENT, number)
        if due:
            read = self._read(part, histograms=self._budget.due(HISTOGRAM, number))
            if read is None:
                return False
            words, finite, counters = read
        begun, pace.begun, pace.number = pace.begun, start, number
        heard = len(roots)
        loss = probe.take_floats()
        took = None if begun is None else start - begun
        clipped = probe.clips.take()
        finite = finite and (loss is None or math.isfinite(loss))
        batch = _NOTHING if forward is None else forward.batch()
        self._waiting.append((number, time.time(), loss, heard, rates, took, clipped, words, finite, counters, batch))
        if not finite or len(self._waiting) >= self._most:
            self.settle()
        if took is not None:
            spent = _clock() - start if due else None
            for kind, every in self._budget.step(took, spent, histograms=bool(counters)).items():
                self._run.event(number, "thinned", kind=kind, every=every, budget=self._budget.share)
                self.shut()
        if not finite:
            self.shut()
        return True

    def _read(self, part: Part, *, histograms: bool) -> tuple[bytes, bool, bytes] | None:
        gradients: list[Any] = [parameter.grad for parameter in part.parameters]
        if self._present is not None:
            if tuple([gradient is not None for gradient in gradients]) != self._present:
                return None
            gradients = [gradient for gradient in gradients if gradient is not None]
        return None if self._steady is None else self._steady.read(gradients, histograms=histograms)

    @guarded(None)
    def settle(self) -> None:
        """Hand over what waits. Any thread may ask."""
        if self._run.finished:  # in a forked child the lock may be held for ever
            self._waiting.clear()
            return
        if not self._waiting:
            return
        with self._lock:
            while self._waiting:
                self._sink(self._arrived(self._waiting.popleft()))

    def _arrived(self, waiting: _Waiting) -> Arrived:
        number, when, loss, heard, rates, took, clipped, words, finite, counters, (samples, digest) = waiting
        scalars = {f"lr/{at}" if at else "lr": float(rate) for at, rate in enumerate(rates)}
        if loss is not None:
            scalars["loss"] = loss
        if heard > 1:
            scalars["micro_batches"] = float(heard)
        if clipped:
            scalars.update({name: float(value) for name, value in clipped.items()})
        if took is not None:
            scalars["step_time"] = took
        if samples:
            scalars["samples"] = float(samples)
        if digest is not None:
            scalars["batch_digest"] = float(digest)
        layout = self._layout if words else self._empty
        return Arrived(number, when, scalars, layout, words, not finite, counters, self._layout)
