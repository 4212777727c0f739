"""What a train step shows of itself as it runs op by op: outputs of layers at sampled steps, the batch.

Whatever framework is under Keras: ``host`` reads its tensors. On a device every look would have to
wait for it; there nothing is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np

from auditor_agent.capture import batches, units
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras.tape import Values
from auditor_agent.stream.recording import Array

#: Steps at which outputs of layers are looked at: the first, and each ``EVERY``th; the recorder's besides.
FIRST: Final = 5
EVERY: Final = 50


class Looks:
    """Looks at layers' outputs at sampled steps, and at each batch; see ``keras_taps.Taps``.

    Args:
        host: the values of a tensor in host memory.
        accumulate: iterations to a step.
        layers: told whether to keep the outputs of the step to come; None: nobody needs to be told.
    """

    waiting = False

    def __init__(
        self, host: Callable[[Any], Values], *, accumulate: int, layers: keras_layers.Layers | None = None
    ) -> None:
        self._host, self._layers, self._accumulate = host, layers, accumulate
        self._offset = 0
        self._recorded: frozenset[int] = frozenset()
        self._signals: dict[int, dict[str, float]] = {}
        self._arrays: dict[int, list[Array]] = {}
        self._digests: dict[int, tuple[int, int]] = {}
        self._told: list[dict[str, Any]] = []

    def begin(self, offset: int, steps: Sequence[int]) -> None:
        """Steps count from ``offset`` + 1; those ``steps`` are recorded."""
        self._offset, self._recorded = offset, frozenset(steps)

    done: Final = ()
    """Nothing runs later than it is called."""

    def put(self, head: Sequence[Any], step: keras_layers.Step, told: Sequence[Any], inputs: Sequence[Any]) -> None:
        """Look at the step that runs."""
        del told
        iterations = int(head[0])
        number = self._offset + iterations // self._accumulate + 1
        completes = (iterations + 1) % self._accumulate == 0
        if completes:
            arrays = [self._host(tensor) for tensor in inputs]
            if arrays:
                self._digests[number] = batches.batch_digest(arrays), len(arrays[0]) if arrays[0].ndim else 1
            if self.wanted(number):
                self._look(number, step)
        if self._layers is not None:
            self._layers.keep = self.wanted(number + 1)

    def wanted(self, step: int) -> bool:
        """Whether the outputs of layers are looked at in this step."""
        return step <= FIRST or step % EVERY == 0 or step in self._recorded

    def _look(self, number: int, step: keras_layers.Step) -> None:
        signals: dict[str, float] = {}
        calls = [(call.layer, self._host(call.output)) for call in keras_layers.watched(step)]
        for layer, values in calls:
            signals |= _signals(layer, keras_layers.path_of(layer), values)
        self._signals[number] = signals
        arrays, self._told = outputs(calls) if number in self._recorded else ([], [])
        if arrays:
            self._arrays[number] = arrays

    def read(self) -> None:
        """All is there already; what nobody asked for is let go."""
        for kept in (self._signals, self._arrays, self._digests):
            for old in sorted(kept)[: -4 * EVERY]:
                del kept[old]

    def left_out(self) -> int:
        """None: what is looked at is taken there and then."""
        return 0

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


def outputs(calls: Sequence[tuple[Any, Values]]) -> tuple[list[Array], list[dict[str, Any]]]:
    """Of layers and their outputs: ``activation`` and ``units``, and the entries of ``facts.layers``."""
    arrays: list[Array] = []
    told = []
    for layer, values in calls:
        name = keras_layers.path_of(layer)
        arrays += [_array("activation", name, units.rows(values)), _array("units", name, units.summary(values))]
        told.append({"name": name, "kind": type(layer).__name__, "activation": keras_layers.activation_of(layer)})
    return arrays, told


def _signals(layer: Any, name: str, values: Values) -> dict[str, float]:
    dead = units.dead(values, "relu") if keras_layers.rectified(layer) else None
    ends = units.saturated(values, keras_layers.saturating(layer))
    found = {f"dead_units/{name}": dead, f"saturated/{name}": ends}
    return {key: value for key, value in found.items() if value is not None}


def _array(role: str, name: str, values: Values) -> Array:
    flat = np.ascontiguousarray(values, "<f4")
    return Array(role, name, "float32", values.shape, flat.size, flat.tobytes())
