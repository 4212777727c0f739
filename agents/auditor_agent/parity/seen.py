"""What one step showed, in arrays of float64 that no framework owns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from auditor_agent.parity.cells import F64, Cell
from auditor_agent.parity.told import Told


@dataclass(frozen=True, slots=True)
class Point:
    """A tensor seen on the way through the model.

    ``where`` is (layer, how often the layer was called before, ``input``, ``linear`` or ``output``);
    ``kind`` says what sort of layer it is; ``cell`` whether the layer holds weights; ``dtype`` what it was
    computed in.
    """

    where: tuple[str, int, str]
    kind: str
    value: F64
    cell: bool = False
    settings: Mapping[str, Any] = field(default_factory=dict)
    dtype: str = ""

    @property
    def name(self) -> str:
        """The layer, with what of it: ``block.linear (input)``."""
        layer, times, what = self.where
        again = f", call {times + 1}" if times else ""
        return f"{layer} ({what}{again})"


@dataclass(slots=True)
class Seen:
    """One step of one side. Gradients, updates and state are by parameter (the keys of slots)."""

    points: list[Point]
    output: F64
    loss: float
    output_gradient: F64
    gradients: dict[str, F64]
    regularized: dict[str, F64]
    updates: dict[str, F64]
    state: dict[str, dict[str, F64]]
    learning_rate: float
    penalty: float = 0.0


class Side(Protocol):
    """One implementation as the lockstep drives it."""

    framework: str
    rule: str
    cells: list[Cell]

    def forward(self, inputs: Any, *, training: bool | None) -> tuple[F64, list[Point]]:
        """The output of a batch and what was seen on the way; nothing learns. None: as it trains."""

    def step(self, inputs: Any, target: Any) -> Seen:
        """One whole training step."""

    def weights(self) -> dict[str, F64]:
        """Every parameter and statistic by key."""

    def load(self, arrays: Mapping[str, F64]) -> None:
        """Sets parameters by key."""

    def slots(self) -> dict[str, dict[str, F64]]:
        """The optimizer's state under canonical names, by parameter."""

    def load_slots(self, slots: Mapping[str, Mapping[str, F64]]) -> None:
        """Sets the optimizer's state where it has it."""

    def dropouts(self) -> list[tuple[str, float]]:
        """The layers that drop something, with their rates, in order."""

    def silence(self) -> None:
        """Lets nothing be dropped from here on."""

    def told(self) -> Told:
        """What it declares of itself."""


class Counter:
    """How often each layer was called in a pass."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def next(self, name: str) -> int:
        """Calls of ``name`` before this one."""
        before = self._seen.get(name, 0)
        self._seen[name] = before + 1
        return before


_KINDS = (
    *(("dropout", "dropout"), ("softmax", "softmax"), ("logsoftmax", "softmax"), ("pool", "pool")),
    *(("upsampl", "upsample"), ("pad", "padding"), ("flatten", "reshape"), ("reshape", "reshape")),
    *(("permute", "reshape"), ("identity", "identity"), ("lstm", "recurrent"), ("gru", "recurrent")),
    *(("add", "merge"), ("concat", "merge"), ("multiply", "merge")),
    *(("elu", "activation"), ("sigmoid", "activation"), ("tanh", "activation"), ("activation", "activation")),
    *(("swish", "activation"), ("softplus", "activation"), ("softsign", "activation"), ("mish", "activation")),
)


def kind_of(name: str) -> str:
    """The sort of a layer by its class's name; the name itself where none fits."""
    plain = name.lower().replace("_", "")
    return next((kind for word, kind in _KINDS if word in plain), plain)


def as_input(inputs: Any) -> tuple[Any, ...]:
    """A batch's input as a tuple of inputs."""
    return tuple(inputs) if isinstance(inputs, (tuple, list)) else (inputs,)


def array(value: Any) -> Any:
    """A NumPy array of whatever holds one."""
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value)
