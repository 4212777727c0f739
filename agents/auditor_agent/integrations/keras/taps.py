"""What a train step on TensorFlow shows of its layers, and under XLA of its data and gradients.

One tap per traced step (see ``capture.native.tensorflow_taps``), on a CPU with the C library. At
sampled steps it reduces the outputs of layers; at the steps of the flight recorder it hands out
what the recorder asked for as well, where no call of Python is possible.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from auditor_agent.capture import batches
from auditor_agent.capture.native.tensorflow_taps import DIGEST, NEVER, UNITS, Block, Operand, Taken, Tap
from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras.on_tensorflow import reachable
from auditor_agent.recorder import Budget
from auditor_agent.stream.recording import Array, positions

#: Steps at which outputs of layers are looked at: the first, and each ``EVERY``th.
FIRST: Final = 5
EVERY: Final = 50
#: Of an output: rows that are recorded, and elements of them at most.
ROWS: Final = 64
ELEMENTS: Final = 1 << 14
_RECORDED, _SAMPLED = 0, 1
#: Steps whose signals wait for their row; of a loop whose rows nobody reads the oldest go.
_KEPT: Final = 256
_KEPT_DIGESTS: Final = 4096


@dataclass(frozen=True, slots=True)
class Label:
    """One operand as the host knows it. Layers have a ``layer``, all else a name and a dtype."""

    role: str
    name: str
    dtype: str
    layer: Any = None


@dataclass(slots=True)
class _Traced:
    tap: Tap
    labels: list[Label]


class Taps:
    """The taps of one probe.

    Args:
        layers: that were heard while the step was traced; None: each step says what was heard.
        accumulate: iterations to a step.
        jit: whether XLA compiles the step.
        sampled: whether layers are looked at in other steps than the recorded ones too.
    """

    def __init__(self, layers: keras_layers.Layers | None, *, accumulate: int, jit: bool, sampled: bool = True) -> None:
        self._layers, self._accumulate, self._jit, self._sampled = layers, accumulate, jit, sampled
        self._traced: list[_Traced] = []
        self._lock = threading.RLock()
        self._digests: dict[int, tuple[int, int]] = {}
        self._steps: Sequence[int] = ()
        self._tick: Any = None
        self._signals: dict[int, dict[str, float]] = {}
        self._arrays: dict[int, list[Array]] = {}
        self._offset = self._left_out = 0
        self._called: Any = None
        self.receive: Callable[[Block, Sequence[Label]], None] | None = None
        """Told of each block that the recorder asked for."""

    def begin(self, offset: int, steps: Sequence[int]) -> None:
        """Steps count from ``offset`` + 1; those ``steps`` are recorded."""
        self._offset, self._steps = offset, steps
        for traced in self._traced:
            traced.tap.schedule(_RECORDED, steps)
            if not self._sampled:
                traced.tap.schedule(_SAMPLED, steps)

    def put(
        self,
        head: Sequence[Any],
        step: keras_layers.Step,
        told: Sequence[tuple[Label, Operand]],
        inputs: Sequence[Any],
    ) -> None:
        """Put a tap into the step that is being traced.

        Args:
            head: the scalars of its row.
            step: what was heard of its layers.
            told: what the recorder asks for besides.
            inputs: of the model, for the batch's digest.
        """
        if tf.executing_eagerly():
            return
        calls = [call for call in keras_layers.watched(step) if reachable(call.output)]
        pairs = [*told, *((_label(call), _operand(call.output)) for call in calls), *_samples(inputs)]
        if not pairs:
            return
        operands = [operand for _, operand in pairs]
        tap = Tap(operands, self._offset, self._accumulate)
        tap.schedule(_RECORDED, self._steps)
        if self._sampled:
            tap.schedule(_SAMPLED, sorted({*range(1, FIRST + 1), *self._steps}), EVERY)
        else:
            tap.schedule(_SAMPLED, self._steps)
        self._traced.append(_Traced(tap, [label for label, _ in pairs]))
        self._called = tap.call(head, operands, jit=self._jit)
        if self._jit:  # what has no use is pruned from the graph
            if self._tick is None:
                with tf.init_scope():
                    self._tick = tf.Variable(0, dtype=tf.int64, trainable=False)
            self._tick.assign(self._called)

    @property
    def done(self) -> list[Any]:
        """What the row of the step that is being traced comes after: its tap, if there is one."""
        here = self._called is not None and self._called.graph is tf.compat.v1.get_default_graph()
        return [self._called] if here else []

    @property
    def waiting(self) -> bool:
        """Whether anything was taken that was not read."""
        return any(traced.tap.waiting for traced in self._traced)

    @guarded(None)
    def read(self) -> None:
        """Turn what was taken into signals and arrays, oldest first. Any thread may ask."""
        with self._lock:
            self._read()

    def _read(self) -> None:
        found = [(block, traced.labels) for traced in self._traced for block in traced.tap.read()]
        for block, labels in sorted(found, key=lambda pair: pair[0].step):
            self._take(block, labels)
            if self.receive is not None and block.schedules & 1 << _RECORDED:
                self.receive(block, labels)
        for traced in self._traced:
            self._digests.update((step, (digest, samples)) for step, samples, digest in traced.tap.digests())
        for kept, most in ((self._signals, _KEPT), (self._arrays, _KEPT), (self._digests, _KEPT_DIGESTS)):
            for old in sorted(kept)[:-most]:
                del kept[old]

    def left_out(self) -> int:
        """Steps of which the library took nothing, or not all, since the last call: too many bytes waited."""
        before, self._left_out = self._left_out, sum(traced.tap.lost for traced in self._traced)
        return self._left_out - before

    def _take(self, block: Block, labels: Sequence[Label]) -> None:
        signals, arrays = self._signals.setdefault(block.step, {}), []
        for label, taken in zip(labels, block.operands, strict=True):
            if label.layer is None or taken is None:
                continue
            signals |= _signals(label, taken)
            if block.schedules & 1 << _RECORDED:
                arrays += _recorded(label, taken)
        if arrays:
            self._arrays[block.step] = arrays

    def batch(self, step: int) -> tuple[int, int] | None:
        """Digest and samples of a step's batch, once; of accumulated ones the last."""
        return self._digests.pop(step, None)

    def signals(self, step: int) -> dict[str, float]:
        """``dead_units/LAYER`` and ``saturated/LAYER`` of a step, once."""
        return self._signals.pop(step, {})

    def arrays(self, step: int) -> list[Array]:
        """``activation`` and ``units`` of a recorded step, once."""
        return self._arrays.pop(step, [])

    def facts(self) -> list[dict[str, Any]]:
        """The layers recorded, in execution order."""
        if not self._traced:
            return []
        layers = [label for label in self._traced[-1].labels if label.layer is not None]
        return [
            {
                "name": label.name,
                "kind": type(label.layer).__name__,
                "activation": keras_layers.activation_of(label.layer),
            }
            for label in layers
        ]


def _label(call: keras_layers.Call) -> Label:
    return Label("units", keras_layers.path_of(call.layer), "float32", call.layer)


def _operand(output: Any) -> Operand:
    units = output.shape[-1]
    most = ROWS if units is None else min(ROWS, ELEMENTS // max(1, int(units)))
    return Operand(output, UNITS, _SAMPLED, most)


def _samples(inputs: Sequence[Any]) -> list[tuple[Label, Operand]]:
    """What of the model's inputs their digest is made of."""
    there = [tensor for tensor in inputs if reachable(tensor) and tensor.dtype != tf.string]
    runs = batches.runs_of(len(there))
    return [
        (Label("sample", str(at), tensor.dtype.name), Operand(tensor, DIGEST, NEVER, runs))
        for at, tensor in enumerate(there)
    ]


def _signals(label: Label, taken: Taken) -> dict[str, float]:
    figures = taken.values
    values, units = 1, figures.shape[1]
    for extent in taken.shape:
        values *= extent
    if not values:
        return {}
    if keras_layers.rectified(label.layer):
        dead = np.count_nonzero((figures[2] == 0) & (figures[3] == 0))
        return {f"dead_units/{label.name}": float(dead / units)}
    ends = {"tanh": figures[4], "sigmoid": figures[5]}.get(keras_layers.saturating(label.layer) or "")
    return {} if ends is None else {f"saturated/{label.name}": float(ends.sum() / values)}


def _recorded(label: Label, taken: Taken) -> list[Array]:
    found = [_array("activation", label.name, taken.rows)] if taken.rows is not None and taken.rows.size else []
    return [*found, _array("units", label.name, taken.values[:4])]


def _array(role: str, name: str, values: npt.NDArray[Any]) -> Array:
    """The values as they are, of very wide layers a sample."""
    flat = values.astype("<f4").reshape(-1)
    if flat.size > 4 * ELEMENTS:
        flat = flat[positions(flat.size, Budget().sample)]
    return Array(role, name, "float32", values.shape, int(flat.size), flat.tobytes())
