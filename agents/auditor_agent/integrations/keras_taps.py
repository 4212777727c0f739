"""What a train step on TensorFlow shows of its layers, and under XLA of its data and gradients.

One tap per traced step (see ``capture.native.tensorflow_taps``), on a CPU with the C library. At
sampled steps it reduces the outputs of layers; at the steps of the flight recorder it hands out
what the recorder asked for as well, where no call of Python is possible.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from auditor_agent.capture.native.tensorflow_taps import UNITS, Block, Operand, Taken, Tap
from auditor_agent.guard import guarded
from auditor_agent.integrations import keras_layers
from auditor_agent.integrations.keras_on_tensorflow import reachable
from auditor_agent.integrations.keras_ring import stacked
from auditor_agent.stream.recording import Array

#: Steps at which outputs of layers are looked at: the first, and each ``EVERY``th.
FIRST: Final = 5
EVERY: Final = 50
#: Of an output: rows that are recorded, and elements of them at most.
ROWS: Final = 64
ELEMENTS: Final = 1 << 14
_RECORDED, _SAMPLED = 0, 1
#: Steps whose signals wait for their row; of a loop whose rows nobody reads the oldest go.
_KEPT: Final = 256


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
    facts: dict[str, Any]


class Taps:
    """The taps of one probe.

    Args:
        layers: that were heard while the step was traced.
        accumulate: iterations to a step.
        jit: whether XLA compiles the step.
    """

    def __init__(self, layers: keras_layers.Layers, *, accumulate: int, jit: bool) -> None:
        self._layers, self._accumulate, self._jit = layers, accumulate, jit
        self._traced: list[_Traced] = []
        self._steps: Sequence[int] = ()
        self._ticks: list[Any] = []
        self._signals: dict[int, dict[str, float]] = {}
        self._arrays: dict[int, list[Array]] = {}
        self._offset = 0
        self.receive: Callable[[Block, Sequence[Label]], None] | None = None
        """Told of each block that the recorder asked for."""

    def begin(self, offset: int, steps: Sequence[int]) -> None:
        """Steps count from ``offset`` + 1; those ``steps`` are recorded."""
        self._offset, self._steps = offset, steps
        for traced in self._traced:
            traced.tap.schedule(_RECORDED, steps)

    def put(self, head: Sequence[Any], step: keras_layers.Step, told: Sequence[tuple[Label, Operand]]) -> Any:
        """Put a tap into the step that is being traced; what it gives must be used under XLA."""
        calls = [call for call in keras_layers.watched(step) if reachable(call.output)]
        outputs = [(_label(call), _operand(call.output)) for call in calls]
        pairs = [*told, *outputs]
        if not pairs:
            return None
        operands = [operand for _, operand in pairs]
        tap = Tap(operands, self._offset, self._accumulate)
        tap.schedule(_RECORDED, self._steps)
        tap.schedule(_SAMPLED, sorted({*range(1, FIRST + 1), *self._steps}), EVERY)
        self._traced.append(_Traced(tap, [label for label, _ in pairs], {}))
        return tap.call(stacked(head), operands, jit=self._jit)

    @property
    def waiting(self) -> bool:
        """Whether anything was taken that was not read."""
        return any(traced.tap.waiting for traced in self._traced)

    @guarded(None)
    def read(self) -> None:
        """Turn what was taken into signals and arrays, oldest first."""
        found = [(block, traced.labels) for traced in self._traced for block in traced.tap.read()]
        for block, labels in sorted(found, key=lambda pair: pair[0].step):
            self._take(block, labels)
            if self.receive is not None and block.schedules & 1 << _RECORDED:
                self.receive(block, labels)
        for kept in (self._signals, self._arrays):
            for old in sorted(kept)[:-_KEPT]:
                del kept[old]

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
    most = ROWS if units is None else max(1, min(ROWS, ELEMENTS // max(1, int(units))))
    return Operand(output, UNITS, _SAMPLED, most)


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
    if taken.rows is None:
        return []
    rows, units = taken.rows.astype("<f4"), taken.values[:4].astype("<f4")
    return [
        Array("activation", label.name, "float32", rows.shape, rows.size, rows.tobytes()),
        Array("units", label.name, "float32", units.shape, units.size, units.tobytes()),
    ]
