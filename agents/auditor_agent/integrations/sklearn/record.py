"""The flight recorder's part in the training of an MLP of scikit-learn.

Everything lies in host memory and is read where backpropagation and the optimizer leave it: weights,
gradients, batch, target, outputs of the layers before the optimizer acts; weights and its state after.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from auditor_agent.capture import units
from auditor_agent.guard import guarded
from auditor_agent.integrations.sklearn import manifest as declared
from auditor_agent.integrations.sklearn.evaluation import Scored
from auditor_agent.recorder import Recorder, state_role
from auditor_agent.stream.recording import Array, positions

#: What scikit-learn's optimizers keep per weight, by the name of the attribute.
_STATE: Final = ("ms", "vs", "velocities")
_SCALARS: Final = frozenset({"loss", "loss/data", "loss/penalty", "lr", "samples"})
#: Elements up to which a sparse batch is written out: of a vocabulary's counts there are millions.
_DENSE: Final = 1 << 16

Values = npt.NDArray[Any]


class Tape:
    """Records the steps of one estimator into ``run``.

    Args:
        run: takes the recordings.
    """

    def __init__(self, run: Any) -> None:
        self._recorder = Recorder(run, layout="sklearn")
        self._names: list[str] = []
        self._step = self._after = 0
        self._arrays: list[Array] | None = None
        self._scalars: dict[str, float] = {}
        self._facts: dict[str, Any] = {}

    def size(self, weights: Sequence[Values]) -> None:
        """The weights of the model, before its first step, layer by layer."""
        self._names = declared.names(len(weights) // 2)
        self._recorder.size([(weight.size, weight.itemsize) for weight in weights])

    @guarded(None)
    def before(self, step: int, now: Any, weights: Sequence[Values], gradients: Sequence[Values]) -> None:
        """The optimizer is about to act: weights and gradients layer by layer, as named in the manifest."""
        self._arrays = None
        if not self._recorder.active or not self._recorder.begin(step):
            return
        self._step, self._arrays = step, []
        self._scalars = {name: value for name, value in now.scalars.items() if name in _SCALARS}
        for role, values in (("weight", weights), ("gradient", gradients)):
            self._each(role, self._names, values)
        self._data(now.arguments)
        layers = declared.layers(now.estimator)
        self._facts = {"phase": "train", "training": "true", "loss": declared.seen_loss(now.estimator, now.arguments)}
        self._facts |= {"layers": layers, "output_activation": layers[-1]["activation"]}
        for layer, output in zip(layers, now.arguments["activations"][1:], strict=True):
            self._put("activation", layer["name"], units.rows(output))
            self._put("units", layer["name"], units.summary(output))

    @guarded(None)
    def after(self, weights: Sequence[Values], optimizer: Any) -> None:
        """The optimizer has acted; None for ``optimizer``: nothing is known of what it did."""
        arrays = self._arrays
        if arrays is None:
            return
        if optimizer is not None:
            self._each("updated", self._names, weights)
            for attribute in _STATE:
                kept = getattr(optimizer, attribute, ())
                self._each(state_role(attribute), self._names, declared.by_layer(kept))
        self._arrays = None
        self._recorder.send(self._step, arrays, self._scalars, self._facts)

    @property
    def evaluates(self) -> bool:
        """Whether the next evaluation is recorded: the first one after each recorded step is."""
        return self._step > self._after and self._recorder.active

    @guarded(None)
    def evaluated(self, estimator: Any, scored: Scored) -> None:
        """The first samples of an evaluation, which ended."""
        if scored.batch is None or not self.evaluates:
            return
        self._after, self._arrays = self._step, []
        inputs, target, output = scored.batch
        for role, name, values in (
            ("batch", "input0", inputs),
            ("target", "target0", target),
            ("output", "output0", output),
        ):
            self._put(role, name, values)
        arrays, self._arrays = self._arrays, None
        seen = declared.seen_loss(estimator, {"activations": [output], "y": target})
        facts = {"training": "false", "loss": seen, "output_activation": declared.layers(estimator)[-1]["activation"]}
        self._recorder.send(self._step, arrays, {"loss": scored.loss}, facts, phase="eval")

    @guarded(None)
    def close(self) -> None:
        """Record no more."""
        self._recorder.close()

    def _data(self, arguments: Mapping[str, Any]) -> None:
        given = {"input0": ("batch", "X"), "sample_weight0": ("batch", "sample_weight"), "target0": ("target", "y")}
        for name, (role, argument) in given.items():
            self._put(role, name, _dense(arguments.get(argument)))
        self._put("output", "output0", arguments["activations"][-1])

    def _each(self, role: str, names: Sequence[str], values: Sequence[Values]) -> None:
        for name, array in zip(names, values, strict=False):
            self._put(role, name, array)

    def _put(self, role: str, name: str, values: Any) -> None:
        if not isinstance(values, np.ndarray) or values.dtype.hasobject or self._arrays is None:
            return
        count = self._recorder.take(role, values.size, values.itemsize)
        if values.size and not count:
            return
        flat = np.ascontiguousarray(values).reshape(-1)
        flat = flat if count == flat.size else flat[positions(flat.size, count)]
        data = flat.astype(flat.dtype.newbyteorder("<"), copy=False).tobytes()
        self._arrays.append(Array(role, name, values.dtype.name, values.shape, int(flat.size), data))


def _dense(values: Any) -> Any:
    """A small sparse matrix as an array; anything else as it is."""
    small = hasattr(values, "nnz") and math.prod(values.shape) <= _DENSE
    return values.toarray() if small else values
