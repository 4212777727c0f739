"""The first batch of an evaluation in a loop of one's own: what a model was given and gave, its layers, the loss.

Of the first evaluation after each recorded step that calls a model without a tape and then a loss of
Keras on what it gave. Where that runs op by op, on a CPU, the tensors are read as the loss is computed;
in a function that is traced a tap hands them out, of the one call that :meth:`Evaluated.begins` announces.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras import looks
from auditor_agent.integrations.keras import on_tensorflow as on
from auditor_agent.integrations.keras.compiled import offered, wide
from auditor_agent.integrations.keras.tape import shape_of, taken_array
from auditor_agent.integrations.tensorflow import forward
from auditor_agent.integrations.tensorflow.record import LoopTape, in_xla
from auditor_agent.stream.recording import Array


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch of an evaluation: eager tensors, or those of a graph that is being traced."""

    call: forward.Call
    target: Any
    output: Any
    loss: Any
    facts: dict[str, Any]
    """Of the loss."""
    layers: dict[int, Any]
    """The first call of each layer, by identity."""

    def data(self) -> list[tuple[tuple[str, str, str], Any]]:
        """Role, name and type with the tensors that were there."""
        given = [(("batch", f"input{at}"), one) for at, one in enumerate(self.call.inputs)]
        given += [(("target", "target0"), self.target), (("output", "output0"), self.output)]
        found = [(label, tf.convert_to_tensor(one)) for label, one in given]
        return [
            ((*label, one.dtype.name), one)
            for label, one in found
            if one.dtype.is_numpy_compatible and one.dtype != tf.string
        ]

    def told(self) -> dict[str, Any]:
        """The facts of its recording, but for shapes and layers."""
        mode = forward.mode(self.call, learning=False)
        activation = forward.activation(self.call.model)
        return {"loss": self.facts, "training": mode["training"], "output_activation": activation}


class Evaluated:
    """Records the evaluations of one loop.

    Args:
        tape: of its steps.
    """

    def __init__(self, tape: LoopTape) -> None:
        self._tape = tape
        self._taps: dict[bool, Any] = {}
        self._facts: dict[str, Any] = {}
        self._after = self._step = 0

    @property
    def wanted(self) -> bool:
        """Whether the next evaluation is recorded."""
        return self._tape.recorder is not None and self._tape.recorded > self._after

    # -- around a function that may evaluate ------------------------------------------------------

    @guarded(None)
    def begins(self) -> None:
        """A function is about to be called in which no step was traced."""
        if self._taps and self.wanted:
            self._announce()

    @guarded(None)
    def ended(self) -> None:
        """It has returned."""
        if not self._step:
            return
        for taps in self._taps.values():
            taps.read()
            taps.begin(self._tape.offset, ())
        self._step = 0

    def _announce(self) -> None:
        self._step = self._tape.taken()
        for taps in self._taps.values():
            taps.begin(self._tape.offset, [self._step + 1])

    # -- within it --------------------------------------------------------------------------------

    @guarded(None)
    def compared(self, batch: Batch) -> None:
        """A loss was computed of what a model gave without a tape, or is being traced."""
        if self._tape.recorder is None:
            return
        if tf.executing_eagerly():
            if self.wanted and on.on_cpu():
                self._look(batch)
            return
        self._put(batch)

    def _look(self, batch: Batch) -> None:
        read = [(label, on.host(tensor)) for label, tensor in batch.data()]
        calls = keras_layers.watched(keras_layers.Step(calls=batch.layers))
        layers, kinds = looks.outputs([(call.layer, on.host(call.output)) for call in calls])
        self._step, self._facts = self._tape.taken(), batch.told()
        self._send(
            [(label, values.reshape(-1), values.shape) for label, values in read], layers, kinds, float(batch.loss)
        )
        self._step = 0

    def _put(self, batch: Batch) -> None:
        """Have a tap called in what is being traced."""
        jit, tape = in_xla(), self._tape
        if jit not in self._taps:
            if on.taps(None, accumulate=tape.every, jit=jit) is None:
                return
            from auditor_agent.integrations.keras.taps import Taps

            self._taps[jit] = Taps(None, accumulate=tape.every, jit=jit, sampled=False)
            self._taps[jit].receive = functools.partial(self._received, jit)
            with tf.init_scope():
                self._announce()
        self._facts = batch.told()
        count = tf.cast(tf.convert_to_tensor(tape.counter), tf.int64)
        head = (count, on.scalar(batch.loss), on.scalar(None), on.scalar(None), on.scalar(1.0))
        self._taps[jit].put(head, keras_layers.Step(calls=batch.layers), offered(batch.data()), ())

    def _received(self, jit: bool, block: Any, labels: Sequence[Any]) -> None:
        """A tap took a batch; of several in one call the first."""
        taps = self._taps[jit]
        told = [
            ((label.role, label.name, label.dtype), wide(label, taken.values), taken.shape)
            for label, taken in zip(labels, block.operands, strict=True)
            if taken is not None and label.layer is None
        ]
        self._send(told, taps.arrays(block.step), taps.facts(), float(block.head[1]))

    def _send(self, told: Sequence[Any], layers: list[Array], kinds: list[dict[str, Any]], loss: float) -> None:
        recorder, step, self._step = self._tape.recorder, self._step, 0
        if recorder is None or not step or not self.wanted:
            return
        self._tape.complete()  # the step before is told first
        self._after = self._tape.recorded
        taken = (taken_array(recorder, label, flat, shape, 1.0) for label, flat, shape in told)
        arrays = [array for array in taken if array is not None]
        seen = [array for array in layers if recorder.admit(len(array.data))]
        shapes = {f"{role}_shape": s for role in ("output", "target") if (s := shape_of(arrays, role)) is not None}
        facts = {**self._facts, "loss": {**self._facts["loss"], **shapes}, "layers": kinds if seen else []}
        recorder.send(step, arrays + seen, {"loss": loss}, facts, phase="eval")
