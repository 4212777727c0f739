"""Layers with weights under one description, whatever framework they are of.

The canonical layout is Keras's: dense kernels (in, out), convolutions (h, w, in, out), gates of an LSTM
i, f, c, o, of a GRU z, r, h. A *slot* says where a canonical tensor lies in a parameter and how it is
turned: turning is linear and the same for a weight, its gradient and its optimizer state.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

F64 = npt.NDArray[np.float64]
Turn = Callable[[F64], F64]


def same(array: F64) -> F64:
    """As it is."""
    return array


def axes(*order: int) -> tuple[Turn, Turn]:
    """A transposition and its inverse."""
    back = tuple(int(i) for i in np.argsort(order))
    return (lambda array: array.transpose(order)), (lambda array: array.transpose(back))


@dataclass(frozen=True, slots=True)
class Slot:
    """Where one canonical tensor lies.

    ``key`` names the parameter; ``rows`` its part along the first axis, None for all; ``to`` turns that
    part into the canonical layout, ``back`` undoes it. ``added`` names a second parameter that the layer
    adds to the first (the second bias of PyTorch's LSTM): values and updates are summed, gradients are not.
    """

    key: str
    to: Turn = same
    back: Turn = same
    rows: tuple[int, int] | None = None
    added: str | None = None

    def take(self, arrays: Mapping[str, F64], *, summed: bool = False) -> F64 | None:
        """The canonical tensor out of arrays by parameter; None where the parameter has none."""
        whole = arrays.get(self.key)
        if whole is None:
            return None
        if summed and self.added is not None and self.added in arrays:
            whole = whole + arrays[self.added]
        return np.ascontiguousarray(self.to(whole if self.rows is None else whole[slice(*self.rows)]))

    def put(self, arrays: dict[str, F64], value: F64) -> None:
        """Lays a canonical tensor into arrays by parameter."""
        part = self.back(value)
        if self.rows is None:
            arrays[self.key] = part.reshape(arrays[self.key].shape)
        else:
            arrays[self.key] = arrays[self.key].copy()
            arrays[self.key][slice(*self.rows)] = part
        if self.added is not None and self.added in arrays:
            arrays[self.added] = np.zeros_like(arrays[self.added])


@dataclass(slots=True)
class Cell:
    """One layer with weights: its canonical tensors and the settings that change what it computes."""

    name: str
    kind: str
    slots: dict[str, Slot]
    shapes: dict[str, tuple[int, ...]]
    settings: dict[str, Any] = field(default_factory=dict)
    layer: Any = None
    rows: npt.NDArray[np.int64] | None = None
    """Where each of its inputs stands among the other side's; None if they stand alike."""

    @property
    def signature(self) -> tuple[Any, ...]:
        """What two cells must have in common to be partners: kind and shapes of what both must have."""
        needed = {name: shape for name, shape in self.shapes.items() if name not in _OPTIONAL}
        return (self.kind, tuple(sorted(needed.items())))

    def permuted(self, order: npt.NDArray[np.int64]) -> Cell:
        """The cell with the rows of its kernel in another order: a dense layer after a flatten."""
        back = np.argsort(order)
        old = self.slots["kernel"]
        slot = replace(old, to=lambda array: old.to(array)[back], back=lambda array: old.back(array[order]))
        return replace(self, slots={**self.slots, "kernel": slot}, rows=back)


#: Tensors that one of two partners may lack (a missing bias is a difference to be named, not another layer).
_OPTIONAL = frozenset(
    {*("bias", "recurrent_bias", "gamma", "beta"), *("query_bias", "key_bias", "value_bias", "output_bias")}
)
#: Tensors that no gradient moves.
STATISTICS = frozenset({"moving_mean", "moving_variance"})


def gates(array: F64, order: tuple[int, ...]) -> F64:
    """Blocks of the last axis in another order."""
    blocks = np.split(array, len(order), axis=-1)
    return np.concatenate([blocks[i] for i in order], axis=-1)
