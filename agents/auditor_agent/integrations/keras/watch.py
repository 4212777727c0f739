"""From the rows that a train function left to the run: numbering, scalars, weights, urgency.

One watch per run and process; it lives through several ``fit`` calls. A step is one update of the
weights: the first is step 1, accumulated micro-batches are one step, and a step that a
LossScaleOptimizer skips is an event, not a step.

Between two steps there is as good as nothing to do: of most it is only counted that they ran
(:meth:`Watch.batch_end`), for each line of Python there is fetched into cold caches. Rows become
records in the sender's thread (:meth:`Watch.settle`), many at once, where the store lets any thread
read. Steps at which weights are looked at, the flight recorder listens, or something was not finite
are dealt with where they happen.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np

from auditor_agent.capture.arrays import Words
from auditor_agent.capture.batches import Epoch
from auditor_agent.capture.weights import WeightDigests
from auditor_agent.guard import guarded
from auditor_agent.integrations import numbering
from auditor_agent.integrations.keras.layers import built
from auditor_agent.integrations.keras.probe import RING, Binding, Probe, floats
from auditor_agent.integrations.keras.rows import Row
from auditor_agent.integrations.keras.update import Update, times
from auditor_agent.statistics import STATISTICS

#: Seconds after which the host reads what the train function left, whatever the step count.
READ_EVERY: Final = 0.25
#: Steps after which weights are sampled besides every ``WEIGHTS_EVERY``.
EARLY: Final = (1, 2, 3, 5, 10, 20)
WEIGHTS_EVERY: Final = 50
#: Elements of a weight that its digest is made of, about: a checksum of all would cost more than the statistics.
DIGESTED: Final = 4096


class Watch:
    """Turns rows of one probe after the other into records of one run."""

    def __init__(self, run: Any, *, clock: Callable[[], float] = time.time, weights_every: int = WEIGHTS_EVERY) -> None:
        self.run = run
        self.step = 0
        """The last step recorded."""
        self._clock, self._weights_every = clock, weights_every
        self._probe: Probe | None = None
        self._optimizer: Any = None
        self._offset = 0
        self._sampled = 0
        self._sample_at = self._next_sample(0)
        self._lock = threading.RLock()
        self._quiet = 0
        """Train steps that may still run before somebody has to look."""
        self._alarm = False
        self._pending: deque[Update] = deque()
        self._weighed: dict[int, Words] = {}
        self._digests, self._epoch, self._epoch_steps = WeightDigests(), Epoch(), 0
        self._micro: list[float] = []
        self._ends: list[float] = []
        self._read_at = clock()
        self._executed = 0
        self._names: dict[int, str] = {}
        self._layouts: dict[tuple[int, frozenset[int], bool], int] = {}
        settling = getattr(run, "on_settle", None)
        if settling is not None:
            settling(self.settle)

    # -- what the callback tells -----------------------------------------------------------------

    def tap(self, model: Any) -> None:
        """Watch ``model`` from here on: called before its train function is made."""
        self.follow(Probe.of(model))

    def begin(self, model: Any) -> None:
        """Training starts: what passed since the tap was not training."""
        del model
        self._read_at = self._clock()

    def follow(self, probe: Probe) -> None:
        """Watch the probe's model from here on; another optimizer continues the step count."""
        if self._probe is not None and self._probe is not probe:
            self.read()
        if self._optimizer is not probe.inner:
            self._offset = numbering.offset(self.run, probe.updates)
        if self._optimizer is not None and self._optimizer is not probe.inner:
            other = self._probe is not None and self._probe.model is not probe.model
            self.run.event(self.step, "optimizer_changed", model=str(probe.model.name), another_model=other)
        if self._probe is not probe:
            for binding in probe.bindings:
                binding.store.drain()
        self._probe, self._optimizer = probe, probe.inner
        probe.tape.start(self.run, self._offset)
        self._executed, self._ends, self._micro, self._names, self._layouts = 0, [], [], {}, {}
        self._quiet, self._read_at = 0, self._clock()

    def follows(self, model: Any) -> bool:
        """Whether ``model`` is what is watched."""
        return self._probe is not None and self._probe.model is model

    def batch_begin(self, executed: int) -> None:
        """``executed`` train steps are about to run."""
        if self._quiet < executed and self._probe is not None:
            with self._lock:
                self._probe.tape.execution_begins(executed)

    def batch_end(self, executed: int, logs: Mapping[str, Any] | None = None) -> None:
        """``executed`` more train steps were run; looks when it is time to. ``logs`` hold means only."""
        del logs
        probe = self._probe
        if probe is None:
            return
        # After nearly every step, with cold caches: nothing here but comparisons.
        self._quiet -= executed
        if self._quiet >= 0 and not self._alarm:
            for binding in probe.bindings:  # no generator: it would be one more thing to fetch
                if binding.store.urgent:
                    break
            else:
                return
        with self._lock:
            self._look(probe, executed)

    def evaluation_begins(self) -> None:
        """The first batch of an evaluation is about to be given to the model."""
        if self._probe is not None:
            with self._lock:
                self._probe.evaluated.begins()

    def evaluated(self) -> None:
        """A batch of an evaluation was."""
        if self._probe is not None and self._probe.evaluated.under_way:
            with self._lock:
                self._probe.evaluated.ended()

    def _look(self, probe: Probe, executed: int) -> None:
        """After steps that somebody has to look at: weights, the recorder, rows that cannot wait."""
        probe.seen = True
        probe.tape.execution_ended(executed)
        urgent = self._alarm or any(binding.store.urgent for binding in probe.bindings)
        if not _anywhere(probe):
            self._ends.append(self._clock())
            self._executed += executed
            if urgent or self._due(probe, executed):
                self.read()
            return
        iterations = probe.iterations
        probe.tape.reached(iterations)
        done = self._offset + iterations // probe.every
        if done > self._sampled and (urgent or done >= self._sample_at):
            self._weigh(probe, done)
        late = not 0 <= self._clock() - self._read_at < READ_EVERY and self._quiet <= 0
        if urgent or late or any(binding.store.crowded for binding in probe.bindings):
            self.read()
        self._quiet = self._idle(probe, done, executed)

    def _due(self, probe: Probe, executed: int) -> bool:
        """Whether the rows of a store that only this thread reads are to be read."""
        return (
            self._executed >= RING
            or not 0 <= self._ends[-1] - self._read_at < READ_EVERY
            or self.step + self._executed // probe.every >= self._sample_at
            or any(self._executed + executed > binding.store.rows for binding in probe.bindings)
        )

    def _idle(self, probe: Probe, done: int, executed: int) -> int:
        """How many train steps may run before the next look, ``done`` being complete and ``executed`` at a time.

        Before the execution that holds a step which is due there is another look: it tells the tape where we are.
        """
        if probe.tape.listening or not probe.bindings:
            return 0
        due = min([self._sample_at, *(step for step in probe.tape.steps if step > done)])
        most = min(RING, *(binding.store.rows // 4 for binding in probe.bindings))
        return max(0, min((due - 2 - done) * probe.every + 1 - executed, most))

    @guarded(None)
    def settle(self) -> None:
        """Record what waits and needs nothing else; called by the sender's thread."""
        if self.run.finished or self._quiet <= 0:  # in a forked child the lock may be held for ever
            return
        with self._lock:
            probe = self._probe
            if probe is None or self._quiet <= 0 or not _anywhere(probe):
                return
            self._drain(probe)
            while self._pending and not self._alarm and self._pending[0].step < self._sample_at:
                self._record(self._pending.popleft())

    def read(self) -> None:
        """Record every step that has not been recorded."""
        probe = self._probe
        if probe is None:
            return
        with self._lock:
            self._tell_modes()
            self._drain(probe)
            self._alarm = False
            latest = self._pending[-1] if self._pending else None
            urgent = any(update.row.suspicious for update in self._pending)
            if latest is not None and not _anywhere(probe) and (urgent or latest.step >= self._sample_at):
                self._weigh(probe, latest.step)
            while self._pending:
                self._record(self._pending.popleft())
            self._weighed.clear()
            self._quiet, self._read_at = 0, self._clock()

    def _drain(self, probe: Probe) -> None:
        """Turn the rows that were written into steps that wait."""
        rows, lost = [], 0
        for binding in probe.bindings:
            before = binding.store.lost
            rows += [(binding, row) for row in binding.store.drain()]
            lost += binding.store.lost - before
        if probe.taps is not None:
            probe.taps.read()  # a row comes after what else its step tells
            left_out = probe.taps.left_out()
            if left_out:
                self.run.event(self.step, "recordings_lost", count=left_out)
        if len(probe.bindings) > 1:
            rows.sort(key=lambda pair: pair[1].iterations)
        if not _anywhere(probe):
            ended = times(self._ends, len(rows), self._clock())
            rows = [(binding, replace(row, when=when)) for (binding, row), when in zip(rows, ended, strict=True)]
            self._executed, self._ends, self._read_at = 0, [], self._clock()
            if rows:
                probe.tape.reached(rows[-1][1].iterations + 1)
        for binding, row in rows:
            update = self._update(binding, row, row.when)
            if update is not None:
                self._pending.append(update)
            self._alarm = self._alarm or row.suspicious
        if lost:
            self.run.event(self.step, "rows_lost", count=lost)

    def _tell_modes(self) -> None:
        assert self._probe is not None  # noqa: S101 -- only called from read()
        while self._probe.modes:
            self.run.event(max(self.step, 1), "mode", **self._probe.modes.pop(0))

    # -- steps ------------------------------------------------------------------------------------

    def _update(self, binding: Binding, row: Row, when: float) -> Update | None:
        """The step that a row completes; None within an accumulation or when it was skipped."""
        probe = self._probe
        assert probe is not None  # noqa: S101 -- only called from read()
        step = self._offset + row.iterations // probe.every + 1
        if probe.scaled and row.nonfinite:
            self._skipped(row, step, when)
            return None
        self._micro.append(row.loss)
        if (row.iterations + 1) % probe.every:
            return None
        loss = sum(self._micro) / len(self._micro)
        self._micro = []
        return Update(probe, binding, row, step, loss, when)

    def _skipped(self, row: Row, step: int, when: float) -> None:
        scale = 1.0 / row.unscale if row.unscale else math.inf
        told = {"reason": "gradient_scale", "scale": scale, "nonfinite": row.nonfinite, "loss": row.loss}
        self.run.event(step, "step_skipped", **told)
        if not math.isfinite(row.loss):  # no overflow of the scaled gradients: the loss itself is broken
            self.run.record(step, {"loss": row.loss, "grad_scale": scale}, time=when, urgent=True)

    def _record(self, update: Update) -> None:
        binding, words, weights = update.binding, update.row.words, self._weighed.pop(update.step, None)
        if binding.missing:
            words = words[:, binding.present]
        if weights is not None:
            words = np.concatenate([words, weights], axis=1)
        body = np.ascontiguousarray(words, "<u4").tobytes()
        layout = self._layout(update, weights=weights is not None)
        urgent = update.row.suspicious
        scalars = update.scalars() | self._signals(update)
        self.run.record(update.step, scalars, layout, body, time=update.when, urgent=urgent)
        counters = update.row.histograms
        if counters is not None:
            counters = np.ascontiguousarray(counters[binding.present] if binding.missing else counters, "<u4")
            self.run.histograms(update.step, self._layout(update, weights=False), counters.tobytes())
        self.step = update.step
        self._epoch_steps += 1
        numbering.told(self.run, update.step)

    def _signals(self, update: Update) -> dict[str, float]:
        """What the taps saw of the step: units of layers, the batch."""
        taps = update.probe.taps
        if taps is None:
            return {}
        signals: dict[str, float] = taps.signals(update.step)
        batch = taps.batch(update.step)
        if batch is not None:
            digest, samples = batch[0], batch[1] * update.probe.every
            signals |= {"batch_digest": float(digest), "samples": float(samples)}
            self._epoch.add(digest, samples)
        return signals

    def epoch_end(self, number: int) -> None:
        """Epoch ``number``, from 1, has ended; its steps are recorded."""
        self.read()
        steps, self._epoch_steps = self._epoch_steps, 0
        seen = self._epoch.steps
        told = self._epoch.end(number)
        if not seen or seen != steps:  # digests of some of its batches would tell of another order
            told = {"epoch": number, "steps": steps}
        self.run.event(self.step, "epoch", **told)

    def _layout(self, update: Update, *, weights: bool) -> int:
        """The layout of a step's words: asked for once, as it costs more than the words do."""
        binding = update.binding
        key = (id(binding), frozenset(binding.missing), weights)
        if key not in self._layouts:
            tensors = [self._tensor("gradient", binding.variables[place]) for place in binding.present]
            if weights:
                tensors += [self._tensor("weight", variable) for variable in floats(update.probe.model)]
            self._layouts[key] = self.run.layout(tensors)
        return self._layouts[key]

    # -- weights ----------------------------------------------------------------------------------

    def _next_sample(self, step: int) -> int:
        """The first step after ``step`` at which weights are sampled."""
        regular = (step // self._weights_every + 1) * self._weights_every
        return min([regular, *(point for point in EARLY if point > step)])

    def _weigh(self, probe: Probe, step: int) -> None:
        """Look at the weights as ``step`` left them; its row is recorded later."""
        before, self._sampled = self._sampled, step
        self._sample_at = self._next_sample(step)
        if probe.taps is not None and (not before or step // WEIGHTS_EVERY > before // WEIGHTS_EVERY):
            told = {self._name(v): _part(probe.host(v)) for v in floats(probe.model)}
            self.run.event(step, "weights", **self._digests.fields(told))
        if probe.bindings:
            self._weighed[step] = probe.bindings[-1].store.statistics(floats(probe.model))

    @property
    def ready(self) -> bool:
        """Whether the model exists whole: some do only once their first step was traced."""
        return self._probe is not None and bool(self._probe.bindings or built(self._probe.model))

    def initial_weights(self) -> dict[str, dict[str, float]]:
        """Statistics of every float weight before the first step of this ``fit``, by name."""
        if self._probe is None or not self._probe.bindings:
            return {}
        table = self._probe.bindings[-1].initial
        variables = floats(self._probe.model)
        if table is None or table.shape[1] != len(variables):
            return {}
        return {self._name(variable): named(table[:, i]) for i, variable in enumerate(variables)}

    def _tensor(self, kind: str, variable: Any) -> int:
        shape = [int(extent) for extent in variable.shape]
        return int(self.run.tensor(kind, self._name(variable), shape, str(variable.dtype)))

    def _name(self, variable: Any) -> str:
        if id(variable) not in self._names and self._probe is not None:
            self._names = _names(self._probe.model)
        return self._names.get(id(variable)) or str(variable.path)


def _names(model: Any) -> dict[int, str]:
    """Names of a model's weights by ``id``: their paths, made unique."""
    names: dict[int, str] = {}
    seen: dict[str, int] = {}
    for variable in model.weights:
        path = str(variable.path)
        seen[path] = seen.get(path, 0) + 1
        names[id(variable)] = path if seen[path] == 1 else f"{path}#{seen[path]}"
    return names


def _part(values: Any) -> Any:
    """Evenly spread elements of a weight, for its digest."""
    flat = values.reshape(-1)
    return flat[:: max(1, flat.size // DIGESTED)]


def named(column: Words) -> dict[str, float]:
    """The twelve words of one tensor as numbers by name."""
    moments = column[4:].view(np.float32)
    values = [*column[:4].tolist(), *moments.tolist()]
    return dict(zip(STATISTICS, values, strict=True))


def _anywhere(probe: Probe) -> bool:
    """Whether any thread may read the rows, which know when they were written."""
    return bool(probe.bindings) and all(binding.store.anywhere for binding in probe.bindings)
