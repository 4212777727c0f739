"""What a Keras train step on PyTorch shows of itself, as it runs: for models on a CPU.

On a device every look would have to wait for it; there nothing is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from auditor_agent.capture import batches, units
from auditor_agent.guard import guarded
from auditor_agent.integrations import keras_layers
from auditor_agent.integrations.keras_tape import Label, Tape, Values
from auditor_agent.stream.recording import Array

#: Steps at which outputs of layers are looked at: the first, and each ``EVERY``th; the recorder's besides.
FIRST = 5
EVERY = 50


def host(tensor: Any) -> Values:
    """The values of a tensor or variable on a CPU, in place; bfloat16 as float32."""
    value = getattr(tensor, "value", tensor)
    value = (value() if callable(value) else value).detach()
    return np.asarray(value.float() if value.dtype == torch.bfloat16 else value)


class EagerTape(Tape):
    """Reads at once what is recorded."""

    eager = True

    @guarded(None)
    def before(self, head: Sequence[Any], variables: Sequence[Any], gradients: Sequence[tuple[Any, Any]]) -> None:
        """The optimizer is about to act: ``gradients`` are (variable, dense gradient)."""
        if self._recorder is None or not self._recorder.active or not self._listening:
            return
        self._prepare(variables)
        self._variables = list(variables)
        told = [(("weight", self._name(v), str(v.dtype)), v) for v in variables]
        told += [(("gradient", self._name(v), _dtype(g)), g) for v, g in gradients]
        self._told(self.receive_before, told + self._data, [float(part) for part in head])
        self._data = []

    @guarded(None)
    def after(self) -> None:
        """The optimizer has acted."""
        variables, self._variables = self._variables, []
        if variables:
            updated = [(("updated", self._name(v), str(v.dtype)), v) for v in variables]
            self._told(self.receive_after, updated + self._state(variables), [])

    def _told(self, receive: Callable[..., None], pairs: Sequence[tuple[Label, Any]], head: Sequence[float]) -> None:
        values = [host(tensor) for _, tensor in pairs]
        receive([label for label, _ in pairs], np.asarray(head), [(v.reshape(-1), v.shape) for v in values])


def _dtype(tensor: Any) -> str:
    return str(tensor.dtype).removeprefix("torch.")


class EagerTaps:
    """Looks at layers' outputs at sampled steps, and at each batch; see ``keras_taps.Taps``."""

    waiting = False

    def __init__(self, layers: keras_layers.Layers, *, accumulate: int) -> None:
        self._layers, self._accumulate = layers, accumulate
        self._offset = 0
        self._recorded: frozenset[int] = frozenset()
        self._signals: dict[int, dict[str, float]] = {}
        self._arrays: dict[int, list[Array]] = {}
        self._digests: dict[int, tuple[int, int]] = {}
        self._told: list[dict[str, Any]] = []

    def begin(self, offset: int, steps: Sequence[int]) -> None:
        """Steps count from ``offset`` + 1; those ``steps`` are recorded."""
        self._offset, self._recorded = offset, frozenset(steps)

    def put(self, head: Sequence[Any], step: keras_layers.Step, told: Sequence[Any], inputs: Sequence[Any]) -> None:
        """Look at the step that runs."""
        del told
        iterations = int(head[0])
        number = self._offset + iterations // self._accumulate + 1
        completes = (iterations + 1) % self._accumulate == 0
        if completes:
            arrays = [host(tensor) for tensor in inputs if isinstance(tensor, torch.Tensor)]
            if arrays:
                self._digests[number] = batches.batch_digest(arrays), len(arrays[0]) if arrays[0].ndim else 1
            if self._wanted(number):
                self._look(number, step)
        self._layers.keep = self._wanted(number + 1)

    def _wanted(self, step: int) -> bool:
        return step <= FIRST or step % EVERY == 0 or step in self._recorded

    def _look(self, number: int, step: keras_layers.Step) -> None:
        signals: dict[str, float] = {}
        arrays: list[Array] = []
        told: list[dict[str, Any]] = []
        for call in keras_layers.watched(step):
            name, values = keras_layers.path_of(call.layer), host(call.output)
            signals |= _signals(call.layer, name, values)
            if number in self._recorded:
                arrays += [_array("activation", name, units.rows(values)), _array("units", name, units.summary(values))]
                activation = keras_layers.activation_of(call.layer)
                told.append({"name": name, "kind": type(call.layer).__name__, "activation": activation})
        self._signals[number], self._told = signals, told
        if arrays:
            self._arrays[number] = arrays

    def read(self) -> None:
        """All is there already; what nobody asked for is let go."""
        for kept in (self._signals, self._arrays, self._digests):
            for old in sorted(kept)[: -4 * EVERY]:
                del kept[old]

    def signals(self, step: int) -> dict[str, float]:
        """``dead_units/LAYER`` and ``saturated/LAYER`` of a step, once."""
        return self._signals.pop(step, {})

    def arrays(self, step: int) -> list[Array]:
        """``activation`` and ``units`` of a recorded step, once."""
        return self._arrays.pop(step, [])

    def batch(self, step: int) -> tuple[int, int] | None:
        """Digest and samples of a step's batch, once; of accumulated ones the last."""
        return self._digests.pop(step, None)

    def facts(self) -> list[dict[str, Any]]:
        """The layers recorded, in execution order."""
        return self._told


def _signals(layer: Any, name: str, values: Values) -> dict[str, float]:
    dead = units.dead(values, "relu") if keras_layers.rectified(layer) else None
    ends = units.saturated(values, keras_layers.saturating(layer))
    found = {f"dead_units/{name}": dead, f"saturated/{name}": ends}
    return {key: value for key, value in found.items() if value is not None}


def _array(role: str, name: str, values: Values) -> Array:
    flat = np.ascontiguousarray(values, "<f4")
    return Array(role, name, "float32", values.shape, flat.size, flat.tobytes())
