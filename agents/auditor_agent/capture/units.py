"""What the units of a layer did on one batch, from its output in host memory. Needs NumPy.

A unit is a place on the last axis: a column of a dense layer's output, a channel where channels come
last. Its samples are all places before.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

F32 = npt.NDArray[np.float32]

#: Samples of a layer's output that a recording holds.
ROWS: Final = 64
#: Activations, by name, and the outputs beyond which their derivative has all but vanished.
_ENDS: Final = {"tanh": (-0.99, 0.99), "sigmoid": (0.01, 0.99), "logistic": (0.01, 0.99)}
#: Activations that are exactly zero over half of their range.
_RECTIFIERS: Final = frozenset({"relu", "relu6"})


def rows(output: npt.NDArray[Any], most: int = ROWS) -> npt.NDArray[Any]:
    """At most ``most`` samples of ``output``, evenly spread, as a matrix of samples and units."""
    flat = output.reshape(-1, output.shape[-1]) if output.ndim > 1 else output.reshape(-1, 1)
    return flat if len(flat) <= most else flat[np.linspace(0, len(flat) - 1, most).astype(np.int64)]


def summary(output: npt.NDArray[Any]) -> F32:
    """Mean, standard deviation, minimum and maximum of each unit over the batch, shape (4, units)."""
    flat = rows(output, output.size + 1).astype(np.float64)
    with np.errstate(all="ignore"):
        return np.stack([flat.mean(0), flat.std(0), flat.min(0), flat.max(0)]).astype(np.float32)


def dead(output: npt.NDArray[Any], activation: str | None) -> float | None:
    """The part of a rectified layer's units that are 0 for every sample; None for other layers."""
    if activation not in _RECTIFIERS or not output.size:
        return None
    return float(1.0 - (output.reshape(-1, output.shape[-1]) != 0).any(axis=0).mean())


def saturated(output: npt.NDArray[Any], activation: str | None) -> float | None:
    """The part of the outputs at the ends of tanh or a sigmoid; None for other activations."""
    if activation not in _ENDS or not output.size:
        return None
    low, high = _ENDS[activation]
    return float(((output < low) | (output > high)).mean())
