"""The plain step: nothing is sampled, nothing changed since the last one.

Most steps are. Of such a step only what cannot wait is done where it happens: the gradients are
read, the loss and the clock noted, and whether all is finite. Everything else (names, columns, the
ring) is done for many steps together by :meth:`Lane.settle`, which the sender calls before it looks
into the ring: there it is a tight loop beside the training, here each line of it would be fetched
into cold caches 200 times a second. Whatever is out of the ordinary goes the long way
(``watcher.py``), and settles first what waits here, so that steps stay in their order.

Of several optimizers each takes its leg of a step: what happens until one of them steps again. Where
a leg is out of the ordinary the long way takes over what the legs before it left (:meth:`Lane.spill`).
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from torch import Tensor
from torch.optim import Optimizer

from auditor_agent.capture.budget import GRADIENT, HISTOGRAM, Budget
from auditor_agent.capture.steady import Steady
from auditor_agent.capture.transfer import Arrived
from auditor_agent.guard import failure, guarded
from auditor_agent.histogram import HISTOGRAM_BYTES
from auditor_agent.integrations.torch.forward import ForwardProbe
from auditor_agent.integrations.torch.loss import LossProbe
from auditor_agent.integrations.torch.part import Key, Part, Rows
from auditor_agent.integrations.torch.row import Open
from auditor_agent.run import Run
from auditor_agent.statistics import ROW_BYTES, WORDS

#: Plain steps that may wait, and the bytes of their statistics: the sender comes several times a second.
_MOST: Final = 256
_MOST_BYTES: Final = 1 << 20
_NUMBERS: Final = frozenset({float, int})
_clock: Final = time.perf_counter


@dataclass(slots=True)
class Pace:
    """Where the run is."""

    number: int
    """Steps seen."""
    begun: float | None = None
    """``perf_counter`` when the last one was seen."""


@dataclass(slots=True)
class _Leg:
    """One optimizer's part in plain steps."""

    part: Part
    parameters: list[int]
    """Identities of the part's when this was made: they are not kept alive."""
    key: Key
    steady: Steady


#: A leg taken: loss, backward passes, rates, clipping, words, histograms.
_Taken = tuple[_Leg, float | None, int, list[float], dict[str, float | Tensor], bytes, bytes]


@dataclass(slots=True)
class _Step:
    """A step in the making, or waiting to be handed over."""

    number: int
    time: float
    took: float | None
    """Seconds since the step before."""
    legs: list[_Taken] = field(default_factory=list)
    finite: bool = True
    read: bool = False
    """Whether gradients were read."""
    batch: tuple[int, int | None] = (0, None)
    """Samples and digest."""
    spent: float = 0.0
    layout: int = 0
    """Of the gradients; known when it is complete."""


class Lane:
    """Takes plain steps.

    Args:
        run: whose ``settle`` is to reach this.
        pace: shared with the watcher.
        probe: hears the loss.
        budget: is told what each step took.
        forward: hears the batches, where the model is known.
        rows: knows ids and layouts.
        sink: takes the steps, in their order.
    """

    def __init__(  # noqa: PLR0913, PLR0917 - what a step consists of
        self,
        run: Run,
        pace: Pace,
        probe: LossProbe,
        budget: Budget,
        forward: ForwardProbe | None,
        rows: Rows,
        sink: Callable[[Arrived], None],
    ) -> None:
        self._run, self._pace, self._probe, self._budget, self._sink = run, pace, probe, budget, sink
        self._forward, self._rows = forward, rows
        self._legs: dict[int, _Leg] = {}
        self._layouts: dict[tuple[int, ...], int] = {}
        self._step: _Step | None = None
        self._until = self._empty = 0
        self._most = _MOST
        self._waiting: deque[_Step] = deque()
        self._lock = threading.RLock()
        run.on_settle(self.settle)

    def open(self, parts: Sequence[tuple[Part, Key]], until: int) -> None:
        """From the next step on take those numbered below ``until``.

        Args:
            parts: whose gradients are read, all that are watched, and which of them there are.
            until: number of the first step that goes the long way.
        """
        known = self._legs
        self._legs = {part.number: self._leg(part, key) for part, key in parts}
        if any(known.get(number) is not leg for number, leg in self._legs.items()):
            self._layouts.clear()
            each = ROW_BYTES + (HISTOGRAM_BYTES if self._budget.histograms == 1 else 0)
            tensors = sum(len(part.parameters) for part, _ in parts)
            self._most = max(1, min(_MOST, _MOST_BYTES // (each * tensors + 1)))
        self._until = until if all(leg.steady.usable for leg in self._legs.values()) else 0
        self._empty = self._rows.layout((), (), ())

    def _leg(self, part: Part, key: Key) -> _Leg:
        leg = self._legs.get(part.number)
        if leg is not None and leg.part is part and leg.parameters == list(map(id, part.parameters)) and leg.key == key:
            return leg
        chosen, present = part.parameters, key[2]
        if present is not None:
            chosen = [p for p, there in zip(chosen, present, strict=True) if there]
        return _Leg(part, list(map(id, part.parameters)), key, Steady(chosen, histograms=self._budget.histograms > 0))

    def shut(self) -> None:
        """The next leg goes the long way."""
        self._until = 0

    def close(self) -> None:
        """Hand over what waits and take no more."""
        self.shut()
        self._legs.clear()
        self.settle()

    def take(self, part: Part, optimizer: Optimizer) -> bool:
        """Take the leg that ``optimizer`` is about to do; False if it is to go the long way."""
        try:
            step = self._step
            if step is not None and any(taken[0].part is part for taken in step.legs):
                self._finish(step)
                step = None
            number = self._pace.number + (step is None)
            return number < self._until and self._take(step, number, part, optimizer)
        except Exception as error:
            self.shut()
            failure("plain step", error)
            return False

    def _take(self, step: _Step | None, number: int, part: Part, optimizer: Optimizer) -> bool:
        start = _clock()
        pace, probe, groups = self._pace, self._probe, optimizer.param_groups
        rates = [group["lr"] for group in groups if "lr" in group]
        roots, forward, leg = probe.roots, self._forward, self._legs.get(part.number)
        if (
            leg is None
            or leg.part is not part
            or len(groups) != part.groups
            or probe.scale is not None
            or (forward is not None and forward.turned)
            or "grad_scale" in vars(optimizer)
            or not _NUMBERS.issuperset(map(type, rates))
            or not _NUMBERS.issuperset(map(type, roots))
        ):
            return False
        words, finite, counters, due = b"", True, b"", self._budget.due(GRADIENT, number)
        if due:
            read = self._read(leg, histograms=self._budget.due(HISTOGRAM, number))
            if read is None:
                return False
            words, finite, counters = read
        if step is None:
            begun, pace.begun, pace.number = pace.begun, start, number
            step = self._step = _Step(number, time.time(), None if begun is None else start - begun, read=due)
        heard = len(roots)
        loss = probe.take_floats()
        step.finite = step.finite and finite and (loss is None or math.isfinite(loss))
        if part.number == 0 and forward is not None:
            step.batch = forward.batch()
        step.legs.append((leg, loss, heard, rates, probe.clips.take(), words, counters))
        step.spent += _clock() - start
        if len(step.legs) == len(self._legs):
            self._finish(step)
        return True

    def _finish(self, step: _Step) -> None:
        """All is there that belongs to ``step``."""
        start = _clock()
        self._step = None
        order = tuple([taken[0].part.number for taken in step.legs])
        layout = self._layouts.get(order)
        if layout is None:
            layout = self._layouts[order] = self._rows.layout((), tuple([taken[0].key for taken in step.legs]), ())
        step.layout = layout
        self._waiting.append(step)
        if not step.finite or len(self._waiting) >= self._most:
            self.settle()
        if step.took is not None:
            spent, counted = step.spent + _clock() - start, bool(step.legs[0][-1])
            for kind, every in self._budget.step(step.took, spent if step.read else None, histograms=counted).items():
                self._run.event(step.number, "thinned", kind=kind, every=every, budget=self._budget.share)
                self.shut()
        if not step.finite:
            self.shut()

    def spill(self) -> Open | None:
        """The step under way, as the long way has it; None where there is none."""
        step, self._step = self._step, None
        if step is None:
            return None
        row = Open(step.number, step.time, scalars=dict(_scalars(step)), spent=step.spent)
        for leg, _, _, _, _, words, counters in step.legs:
            row.stepped.add(leg.part.number)
            if words:
                row.keys.append(leg.key)
                row.matrices.append(words)
                row.gradients[leg.part.number] = leg.key
            if counters:
                row.histograms.append(counters)
                row.counted += self._rows.ids([leg.key])
        return row

    @staticmethod
    def _read(leg: _Leg, *, histograms: bool) -> tuple[bytes, bool, bytes] | None:
        gradients: list[Any] = [parameter.grad for parameter in leg.part.parameters]
        present = leg.key[2]
        if present is not None:
            if tuple([gradient is not None for gradient in gradients]) != present:
                return None
            gradients = [gradient for gradient in gradients if gradient is not None]
        return leg.steady.read(gradients, histograms=histograms)

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

    def _arrived(self, step: _Step) -> Arrived:
        words = side_by_side([taken[5] for taken in step.legs])
        counters = b"".join([taken[6] for taken in step.legs])
        layout = step.layout if words else self._empty
        scalars = {name: float(value) for name, value in _scalars(step).items()}
        return Arrived(step.number, step.time, scalars, layout, words, not step.finite, counters, step.layout)


def _scalars(step: _Step) -> dict[str, float | Tensor]:
    found: dict[str, float | Tensor] = {}
    for leg, loss, heard, rates, clipped, _, _ in step.legs:
        number = leg.part.number
        found |= {f"lr/{at}" if at else "lr": float(rate) for at, rate in enumerate(rates, leg.part.place)}
        if loss is not None:
            found[f"loss/{number}" if number else "loss"] = loss
        if heard > 1:
            found["micro_batches"] = float(heard)
        found |= clipped
    if step.took is not None:
        found["step_time"] = step.took
    samples, digest = step.batch
    if samples:
        found["samples"] = float(samples)
    return found if digest is None else {**found, "batch_digest": float(digest)}


def side_by_side(words: Sequence[bytes]) -> bytes:
    """The words of several lists of tensors, 12 x R each, as those of one list."""
    if len(words) == 1:
        return words[0]
    rows = [len(each) // WORDS for each in words]
    return b"".join(
        [each[at * row : (at + 1) * row] for at in range(WORDS) for each, row in zip(words, rows, strict=True)]
    )
