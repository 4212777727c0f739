"""From the rows that a train function left to the run: numbering, scalars, weights, urgency.

One watch per run and process; it lives through several ``fit`` calls. A step is one update of the
weights: the first is step 1, accumulated micro-batches are one step, and a step that a
LossScaleOptimizer skips is an event, not a step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor_agent.capture.arrays import Words
from auditor_agent.capture.batches import Epoch
from auditor_agent.capture.weights import WeightDigests
from auditor_agent.integrations import numbering
from auditor_agent.integrations.keras_probe import RING, Binding, Probe, floats
from auditor_agent.integrations.keras_rows import Row
from auditor_agent.statistics import STATISTICS

#: Seconds after which the host reads what the train function left, whatever the step count.
READ_EVERY: Final = 0.25
#: Steps after which weights are sampled besides every ``WEIGHTS_EVERY``.
EARLY: Final = (1, 2, 3, 5, 10, 20)
WEIGHTS_EVERY: Final = 50
#: Elements of a weight that its digest is made of, about: a checksum of all would cost more than the statistics.
DIGESTED: Final = 4096
_L2: Final = STATISTICS.index("l2")


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
        self._digests, self._epoch, self._epoch_steps = WeightDigests(), Epoch(), 0
        self._micro: list[float] = []
        self._ends: list[float] = []
        self._read_at = clock()
        self._executed = 0
        self._names: dict[int, str] = {}
        self._layouts: dict[tuple[int, frozenset[int], bool], int] = {}

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
            self.run.event(self.step, "optimizer_changed", model=str(probe.model.name))
        if self._probe is not probe:
            for binding in probe.bindings:
                binding.store.drain()
        self._probe, self._optimizer = probe, probe.inner
        probe.tape.start(self.run, self._offset)
        self._executed, self._ends, self._micro, self._names, self._layouts = 0, [], [], {}, {}
        self._read_at = self._clock()

    def batch_begin(self, executed: int) -> None:
        """``executed`` train steps are about to run."""
        if self._probe is not None:
            self._probe.tape.execution_begins(executed)

    def batch_end(self, executed: int, logs: Mapping[str, Any] | None = None) -> None:
        """``executed`` more train steps were run; reads when it is time to. ``logs`` hold means only."""
        del logs
        if self._probe is None:
            return
        self._probe.seen = True
        self._probe.tape.execution_ended(executed)
        now = self._clock()
        self._ends.append(now)
        self._executed += executed
        # After nearly every step, with cold caches: nothing here but comparisons.
        if (
            self._executed >= RING
            or not 0 <= now - self._read_at < READ_EVERY
            or self.step + self._executed // self._probe.every >= self._sample_at
        ):
            self.read()
            return
        for binding in self._probe.bindings:
            if binding.store.urgent or self._executed + executed > binding.store.rows:
                self.read()
                return

    def read(self) -> None:
        """Record every step that has not been recorded."""
        if self._probe is None:
            return
        self._tell_modes()
        if self._probe.taps is not None:
            self._probe.taps.read()
        rows, lost = [], 0
        for binding in self._probe.bindings:
            before = binding.store.lost
            rows += [(binding, row) for row in binding.store.drain()]
            lost += binding.store.lost - before
        if len(self._probe.bindings) > 1:
            rows.sort(key=lambda pair: pair[1].iterations)
        times = _times(self._ends, len(rows), self._clock())
        self._executed, self._ends, self._read_at = 0, [], self._clock()
        found = (self._update(binding, row, when) for (binding, row), when in zip(rows, times, strict=True))
        updates = [update for update in found if update is not None]
        for update in updates[:-1]:
            self._record(update)
        if updates:
            due = updates[-1].step >= self._sample_at or any(row.suspicious for _, row in rows)
            self._record(updates[-1], self._weights(updates[-1]) if due else None)
        if lost:
            self.run.event(self.step, "rows_lost", count=lost)
        if rows:
            self._probe.tape.reached(rows[-1][1].iterations + 1)

    def _tell_modes(self) -> None:
        assert self._probe is not None  # noqa: S101 -- only called from read()
        while self._probe.modes:
            self.run.event(max(self.step, 1), "mode", **self._probe.modes.pop(0))

    # -- steps ------------------------------------------------------------------------------------

    def _update(self, binding: Binding, row: Row, when: float) -> _Update | None:
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
        return _Update(probe, binding, row, step, loss, when)

    def _skipped(self, row: Row, step: int, when: float) -> None:
        scale = 1.0 / row.unscale if row.unscale else math.inf
        told = {"reason": "gradient_scale", "scale": scale, "nonfinite": row.nonfinite, "loss": row.loss}
        self.run.event(step, "step_skipped", **told)
        if not math.isfinite(row.loss):  # no overflow of the scaled gradients: the loss itself is broken
            self.run.record(step, {"loss": row.loss, "grad_scale": scale}, time=when, urgent=True)

    def _record(self, update: _Update, weights: Words | None = None) -> None:
        binding, words = update.binding, update.row.words
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

    def _signals(self, update: _Update) -> dict[str, float]:
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

    def _layout(self, update: _Update, *, weights: bool) -> int:
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

    def _weights(self, update: _Update) -> Words:
        before, self._sampled = self._sampled, update.step
        self._sample_at = self._next_sample(update.step)
        if update.probe.taps is not None and (not before or update.step // WEIGHTS_EVERY > before // WEIGHTS_EVERY):
            told = {self._name(v): _part(update.probe.host(v)) for v in floats(update.probe.model)}
            self.run.event(update.step, "weights", **self._digests.fields(told))
        return update.binding.store.statistics(floats(update.probe.model))

    @property
    def ready(self) -> bool:
        """Whether the model exists whole: some do only once their first step was traced."""
        return self._probe is not None and bool(self._probe.bindings or _built(self._probe.model))

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


@dataclass(frozen=True, slots=True)
class _Update:
    """One step to record."""

    probe: Probe
    binding: Binding
    row: Row
    step: int
    loss: float
    when: float

    def scalars(self) -> dict[str, float]:
        """Learning rate, loss and its parts, loss scale, norm after clipping: what there is of them."""
        row, loss = self.row, self.loss
        scalars = {"lr": row.rate}
        if not (math.isnan(loss) and math.isnan(row.penalty)):  # both: the step's code never showed a loss
            scalars["loss"] = loss
        if row.penalty and not math.isnan(row.penalty):
            scalars["loss/data"], scalars["loss/penalty"] = loss - row.penalty, row.penalty
        if row.unscale != 1.0:
            scalars["grad_scale"] = 1.0 / row.unscale
        clipped = clipped_norm(self.probe.inner, row.words[_L2].view(np.float32))
        if clipped is not None:
            scalars["grad_norm_clipped"] = clipped
        return scalars


def clipped_norm(optimizer: Any, norms: Any) -> float | None:
    """The global gradient norm after the optimizer's clipping, from the tensors' norms before it.

    None without clipping by norm. ``clipvalue`` is not told: it needs the elements.
    """
    squares = np.asarray(norms, np.float64) ** 2
    if optimizer.clipnorm is not None and optimizer.clipnorm > 0:
        return float(np.sqrt(np.minimum(squares, float(optimizer.clipnorm) ** 2).sum()))
    if optimizer.global_clipnorm is not None and optimizer.global_clipnorm > 0:
        return float(min(np.sqrt(squares.sum()), float(optimizer.global_clipnorm)))
    return None


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


def _built(model: Any) -> bool:
    return bool(model.built) and all(layer.built for layer in model._flatten_layers())  # noqa: SLF001 -- no public walk


def named(column: Words) -> dict[str, float]:
    """The twelve words of one tensor as numbers by name."""
    moments = column[4:].view(np.float32)
    values = [*column[:4].tolist(), *moments.tolist()]
    return dict(zip(STATISTICS, values, strict=True))


def _times(ends: Sequence[float], rows: int, now: float) -> list[float]:
    """When each of ``rows`` steps ended: ``ends`` where they match, else spread evenly between."""
    if len(ends) == rows:
        return list(ends)
    if not ends or not rows:
        return [now] * rows
    at = np.linspace(0, len(ends) - 1, rows) if rows > 1 else np.array([len(ends) - 1.0])
    return [float(value) for value in np.interp(at, range(len(ends)), ends)]
