"""What a Keras train step on PyTorch shows of itself, as it runs: for models on a CPU.

On a device every look would have to wait for it; there nothing is looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch

from auditor_agent.guard import guarded
from auditor_agent.integrations.keras import layers as keras_layers
from auditor_agent.integrations.keras.looks import Looks
from auditor_agent.integrations.keras.tape import Label, Tape, Values


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


class EagerTaps(Looks):
    """Looks at tensors of PyTorch."""

    def __init__(self, layers: keras_layers.Layers, *, accumulate: int) -> None:
        super().__init__(host, accumulate=accumulate, layers=layers)

    def put(self, head: Sequence[Any], step: keras_layers.Step, told: Sequence[Any], inputs: Sequence[Any]) -> None:
        """Look at the step that runs."""
        super().put(head, step, told, [tensor for tensor in inputs if isinstance(tensor, torch.Tensor)])
