"""From a custom TensorFlow loop to the run: rows written where the loop computes, read beside it.

A loop may be plain Python or one ``tf.function``; in the latter nothing of Python runs at a step, so
a thread reads what the steps left, a few times a second. It is started with the first step.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

import numpy as np
import tensorflow as tf

from auditor_agent.capture.arrays import Words
from auditor_agent.capture.weights import WeightDigests
from auditor_agent.guard import guarded
from auditor_agent.integrations import numbering
from auditor_agent.integrations.keras import on_tensorflow as on
from auditor_agent.integrations.keras.native import NativeStore
from auditor_agent.integrations.keras.probe import accumulated
from auditor_agent.integrations.keras.rows import Row
from auditor_agent.integrations.keras.watch import EARLY, WEIGHTS_EVERY
from auditor_agent.integrations.tensorflow import whole
from auditor_agent.integrations.tensorflow.binding import Binding, inner_of, put_weights, tick_of, unscale_of
from auditor_agent.integrations.tensorflow.epochs import Epochs
from auditor_agent.integrations.tensorflow.record import (
    LoopTape,
    in_xla,
    iterations,
    looked_at,
    penalty,
    records,
    taps_of,
    told_loss,
    unseen_inputs,
)
from auditor_agent.integrations.tensorflow.seen import Seen

#: Seconds between two looks at what the loop left.
READ_EVERY: Final = 0.1
_ROWS: Final = 1024
#: Rows below which there are no histograms: they take so much that few steps would find room.
_ROWS_COUNTED: Final = 32
#: Rows of weights kept: they come seldom.
_WEIGHT_ROWS: Final = 16
#: Sets of variables whose steps are told apart: of more (a model for each fold, trained by hand) the oldest go.
_MOST_BINDINGS: Final = 64


class LoopWatch:
    """Records the steps of custom loops into one run.

    Args:
        run: to record into.
        names: the name of a variable.
        epochs: of the watch before, whose optimizer another one follows.
    """

    def __init__(self, run: Any, names: Callable[[Any], str], epochs: Epochs | None = None) -> None:
        self.run, self._names = run, names
        self._bindings: dict[tuple[Any, ...], Binding] = {}
        self._offsets: dict[int, int] = {}
        """By ``id`` of the optimizer: a binding keeps it alive."""
        with tf.init_scope():
            self._tick = tf.Variable(0, dtype=tf.int64, trainable=False)
        self._lock = threading.RLock()
        self._reader: threading.Thread | None = None
        self._closed = threading.Event()
        self.tape: LoopTape | None = None
        """The flight recorder's part, once the model is known."""
        self.evaluated: Any = None
        """Its part in evaluations (``evaluated.Evaluated``)."""
        self.epochs, self._changes = epochs or Epochs(run), WeightDigests()
        self._taps: dict[tuple[bool, bool], Any] = {}
        self._number = 0
        self._rows: list[tuple[Binding, Row]] = []
        """Read, and not recorded yet."""
        self._busy = False
        """Whether a call is under way in which elements are recorded: what it leaves is read when it ends."""

    def taps(self, seen: Seen) -> Any:
        """What looks at layers in the code that runs or is traced now; None where nothing can."""
        kind = bool(tf.executing_eagerly()), in_xla()
        if kind not in self._taps:
            self._taps[kind] = taps_of(seen.optimizer)
        return self._taps[kind]

    @property
    def looking(self) -> bool:
        """Whether outputs of layers are wanted of the next step, if it runs op by op."""
        looks = self._taps.get((True, False))
        return looks is not None and looks.wanted(self._number + 1)

    @guarded(None)
    def see(self, seen: Seen, *, foreseen: bool = False) -> None:
        """Have this step recorded whenever the code that calls this runs, traced or not.

        ``foreseen``: :meth:`foresee` was told of it.
        """
        binding = self._bind(seen)
        binding.told = told_loss(seen)
        if not foreseen:
            self.epochs.stepping(seen, tick_of(seen, self._tick))
        unscale = unscale_of(seen.optimizer)
        if seen.optimizer is None:
            updates = tf.identity(self._tick)
            rate = on.scalar(seen.rate)
        else:
            updates = tf.convert_to_tensor(inner_of(seen.optimizer)._iterations)  # noqa: SLF001 -- no public name
            rate = tf.convert_to_tensor(inner_of(seen.optimizer).learning_rate)
        beyond = penalty(seen) if seen.heard is not None else None
        values = [on.dense(g) for g in seen.gradients if g is not None]
        if binding.every > 1:
            inner = inner_of(seen.optimizer)
            values = accumulated(inner, binding.variables, binding.present, values, unscale)
            unscale = on.scalar(1.0)
        head = (updates, on.scalar(seen.loss), on.scalar(beyond), rate, unscale)
        offered = () if foreseen else self._record_elements(seen, head, list(zip(binding.present, values, strict=True)))
        if not foreseen:
            self._look(seen, head, offered)
        # Last: whoever finds a row of gradients looks for the rest of its step.
        after = [*put_weights(binding, (*head[:4], on.scalar(1.0))), *self._looked(seen)]
        binding.gradients.put(head, values, after)
        if seen.optimizer is None:
            self._tick.assign_add(1)  # last: who asks meanwhile which step this is is told the same as before
        self._start()
        if tf.executing_eagerly() and binding.gradients.urgent:
            self.read()

    @guarded(None)
    def foresee(self, seen: Seen) -> None:
        """An optimizer is about to act, and the loop reports the step afterwards: take what shows only now."""
        self.epochs.stepping(seen, self._tick)
        beyond = penalty(seen) if seen.heard is not None else None
        head = (tf.identity(self._tick), on.scalar(seen.loss), on.scalar(beyond), on.scalar(seen.rate), on.scalar(1.0))
        given = [(v, on.dense(g)) for v, g in zip(seen.variables, seen.gradients, strict=True) if g is not None]
        self._look(seen, head, self._record_elements(seen, head, given))
        self._start()

    def _record_elements(self, seen: Seen, head: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> Sequence[Any]:
        """Have the flight recorder take the step; what it asks the tap for."""
        tape = self.tape
        if tape is None or not records(tape):
            return ()
        if not tape.started:
            tape.start(self.run, self._offset(seen))
        tape.step(seen, head, gradients)
        offered, tape.offered = tape.offered, []
        return offered

    def begins(self, count: int) -> None:
        """Code that was traced is about to take so many steps."""
        if self.tape is not None:
            if self.tape.near(count):
                with self._lock:
                    self._busy = True
            self.tape.execution_begins(count)

    def ended(self, count: int) -> None:
        """It has."""
        if self.tape is not None:
            self.tape.execution_ended(count)
            self.tape.complete()
        self._busy = False

    def done(self) -> None:
        """The optimizer has acted."""
        if self.tape is not None:
            self.tape.after()
            if tf.executing_eagerly():
                self.tape.execution_ended(1)
                self._busy = False

    @guarded(None)
    def beside(self, seen: Seen, *, certain: bool) -> None:
        """Another optimizer is about to act: in the step under way, if that is ``certain``."""
        tape, inner = self.tape, inner_of(seen.optimizer)
        own = {id(variable) for binding in self._bindings.values() for variable in binding.variables}
        pairs = [pair for pair in zip(seen.variables, seen.gradients, strict=True) if id(pair[0]) not in own]
        if tape is None or not pairs:
            return
        number = tape.others.number(seen.optimizer, [self._names(variable) for variable, _ in pairs])
        if number is not None and certain and inner is not None and iterations(seen.optimizer) == 1 and records(tape):
            given = [(variable, None if g is None else on.dense(g)) for variable, g in pairs]
            rate = on.scalar(tf.convert_to_tensor(inner.learning_rate))
            tape.beside(number, given, rate, unscale_of(seen.optimizer))

    def beside_done(self) -> None:
        """It has acted."""
        if self.tape is not None:
            self.tape.beside_done()

    @guarded(None)
    def _look(self, seen: Seen, head: Sequence[Any], offered: Sequence[Any]) -> None:
        """Have outputs of layers looked at."""
        taps = self.taps(seen) if seen.heard is not None else None
        if taps is None:
            return
        if tf.executing_eagerly():
            self._number = self._offset(seen) + int(head[0]) // iterations(seen.optimizer) + 1
        if self.tape is None or not self.tape.started:
            taps.begin(self._offset(seen), ())
        taps.put(head, looked_at(seen), offered, unseen_inputs(seen))

    def _looked(self, seen: Seen) -> Sequence[Any]:
        """What looks at layers in the code that is traced now."""
        taps = self.taps(seen)
        return () if taps is None else taps.done

    def _bind(self, seen: Seen) -> Binding:
        variables, jit = list(seen.variables), in_xla()
        missing = frozenset(place for place, gradient in enumerate(seen.gradients) if gradient is None)
        key = (tuple(id(variable) for variable in variables), missing, jit, id(seen.optimizer))
        with self._lock:
            if key not in self._bindings:
                stores = (
                    on.store(len(variables) - len(missing), _ROWS, jit=jit),
                    on.store(len(variables), _WEIGHT_ROWS, jit=jit),
                )
                every = iterations(seen.optimizer)
                scaled = inner_of(seen.optimizer) is not seen.optimizer
                if isinstance(stores[0], NativeStore):
                    stores[0].count(_ROWS_COUNTED, every)
                if jit and isinstance(stores[1], NativeStore):
                    stores[1].only([early * every for early in EARLY], WEIGHTS_EVERY * every)
                self._room()
                self._bindings[key] = Binding(variables, missing, scaled, seen.optimizer, every, *stores)
            return self._bindings[key]

    def _room(self) -> None:
        """Let go of the oldest binding where there are too many; its rows are read first."""
        if len(self._bindings) >= _MOST_BINDINGS:
            self.read()
            del self._bindings[next(iter(self._bindings))]

    def initial(self, variables: Sequence[Any]) -> Words | None:
        """Statistics of variables as they are now, out of any trace; None if they have no values yet."""
        with suppress(Exception), tf.init_scope():
            words = on.store(0, 1, jit=False).statistics(list(variables))
            return words if words[0].all() else None
        return None

    # -- reading ----------------------------------------------------------------------------------

    @guarded(None)
    def read(self) -> None:
        """Record every step that has not been recorded."""
        with self._lock, tf.init_scope():
            rows = self._rows
            rows += [(binding, row) for binding in list(self._bindings.values()) for row in self._drain(binding)]
            if self.epochs.tracing and not self._closed.is_set():
                return  # the batch of the step under way is told when its function returns
            self._rows = []
            for taps in self._taps.values():
                if taps is not None:
                    taps.read()
                    self._tell_left_out(taps.left_out())
            if len(self._bindings) > 1:
                rows.sort(key=lambda pair: pair[1].iterations)
            for binding, row in rows:
                self._record(binding, row)
            if rows and self.tape is not None:
                self.tape.reached(rows[-1][1].iterations + 1)

    def _drain(self, binding: Binding) -> list[Row]:
        before = binding.gradients.lost
        rows = binding.gradients.drain()
        binding.held |= {row.iterations: row.words for row in binding.weights.drain()}
        if binding.gradients.lost > before:
            self.run.event(numbering.last(self.run), "rows_lost", count=binding.gradients.lost - before)
        return rows

    def _tell_left_out(self, count: int) -> None:
        if count:
            self.run.event(numbering.last(self.run), "recordings_lost", count=count)

    def counter(self, seen: Seen) -> Any:
        """The variable that counts the updates of a step."""
        return tick_of(seen, self._tick)

    def _offset(self, seen: Seen) -> int:
        """What the count of the optimizer that acts falls short of the run's steps."""
        counter = id(seen.optimizer)
        if counter not in self._offsets:
            with tf.init_scope():
                self._offsets[counter] = numbering.offset(
                    self.run, int(tick_of(seen, self._tick)) // iterations(seen.optimizer)
                )
        return self._offsets[counter]

    def _step(self, binding: Binding, row: Row) -> int:
        counter = id(binding.optimizer)
        if counter not in self._offsets:
            self._offsets[counter] = numbering.offset(self.run, row.iterations // binding.every)
        return self._offsets[counter] + row.iterations // binding.every + 1

    def _record(self, binding: Binding, row: Row) -> None:
        step = self._step(binding, row)
        binding.micro.append(row.loss * row.unscale)
        if (row.iterations + 1) % binding.every:
            return
        loss = sum(binding.micro) / len(binding.micro)
        binding.micro = []
        weights = binding.held.pop(row.iterations, None)
        if binding.scaled and row.nonfinite:
            self.run.event(
                step, "step_skipped", reason="gradient_scale", scale=1 / row.unscale, nonfinite=row.nonfinite
            )
            return
        scalars = ({"loss": loss} if binding.told else {}) | ({} if math.isnan(row.rate) else {"lr": row.rate})
        if not math.isnan(row.penalty):
            beyond = row.penalty * row.unscale
            scalars |= {"loss/data": loss - beyond, "loss/penalty": beyond}
        for taps in self._taps.values():
            scalars |= {} if taps is None else taps.signals(step)
        batches = (None if taps is None else taps.batch(step) for taps in self._taps.values())
        batch = next((told for told in batches if told is not None), None)
        scalars |= self.epochs.step(step, row.iterations, batch, binding.every)
        if row.unscale != 1.0:
            scalars["grad_scale"] = 1.0 / row.unscale
        words = row.words if weights is None else np.concatenate([row.words, weights], axis=1)
        layout = self._layout(binding, weights=weights is not None)
        body = np.ascontiguousarray(words, "<u4").tobytes()
        self.run.record(step, scalars, layout, body, urgent=row.suspicious)
        if row.histograms is not None:
            layout = self._layout(binding, weights=False)
            self.run.histograms(step, layout, np.ascontiguousarray(row.histograms, "<u4").tobytes())
        numbering.told(self.run, step)
        self.epochs.recorded(step, row.iterations)
        if step == WEIGHTS_EVERY:
            whole.tell(self.run, step, self.initial)
        if weights is not None and (step == 1 or step % WEIGHTS_EVERY == 0):
            self.run.event(step, "weights", **self._changes.fields(self._columns(binding, weights)))
        for late in [update for update in binding.held if update < row.iterations]:
            del binding.held[late]  # of a step that was lost

    def _layout(self, binding: Binding, *, weights: bool) -> int:
        if weights not in binding.layouts:
            kinds = [("gradient", binding.present)] + ([("weight", binding.variables)] if weights else [])
            ids = [
                self.run.tensor(kind, self._names(v), [int(extent) for extent in v.shape], tf.as_dtype(v.dtype).name)
                for kind, variables in kinds
                for v in variables
            ]
            binding.layouts[weights] = self.run.layout(ids)
        return binding.layouts[weights]

    def _columns(self, binding: Binding, weights: Words) -> dict[str, Words]:
        """The statistics of each weight: they change when it does."""
        return {self._names(v): weights[:, at] for at, v in enumerate(binding.variables)}

    def _start(self) -> None:
        if self._reader is None:
            self._reader = threading.Thread(target=self._follow, name="auditor-tensorflow", daemon=True)
            self._reader.start()

    def _follow(self) -> None:
        while not self._closed.wait(READ_EVERY) and not self.run.finished:
            with self._lock:
                if not self._busy:
                    self.read()

    def holds(self, variables: Sequence[Any]) -> bool:
        """Whether steps of any of these were seen."""
        known = {id(own) for binding in self._bindings.values() for own in binding.variables}
        return any(id(variable) in known for variable in variables)

    def retire(self) -> Epochs:
        """Another optimizer follows: record what is left, and watch no more. The epochs go on."""
        self.read()
        self._closed.set()
        if self.tape is not None:
            self.tape.close()
        self.epochs.renew()
        return self.epochs

    def close(self) -> None:
        """Record what is left and let the thread end."""
        self._closed.set()
        self.read()
        whole.tell(self.run, numbering.last(self.run), self.initial, until=WEIGHTS_EVERY)
        self.epochs.close()
        if self.tape is not None:
            self.tape.close()
