"""Activation functions as frameworks compute them, in float64, by the names that ``structure`` gives them."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import scipy

from auditor.compare.identify.evidence import F64


def _leaky(z: F64, slope: float) -> F64:
    return np.where(z > 0, z, slope * z)


def _gelu(z: F64, *, tanh: bool) -> F64:
    share = np.tanh(math.sqrt(2 / math.pi) * (z + 0.044715 * z**3)) if tanh else scipy.special.erf(z / math.sqrt(2))
    return np.asarray(0.5 * z * (1 + share), np.float64)


FUNCTIONS: Final[Mapping[str, Callable[[F64, Mapping[str, Any]], F64]]] = {
    "linear": lambda z, _: z,
    "relu": lambda z, _: np.maximum(z, 0),
    "relu6": lambda z, _: np.clip(z, 0, 6),
    "tanh": lambda z, _: np.tanh(z),
    "sigmoid": lambda z, _: np.asarray(scipy.special.expit(z), np.float64),
    "gelu": lambda z, s: _gelu(z, tanh=bool(s.get("approximate"))),
    "elu": lambda z, s: np.where(z > 0, z, float(s.get("alpha", 1.0)) * np.expm1(np.minimum(z, 0))),
    "selu": lambda z, _: 1.0507009873554805 * np.where(z > 0, z, 1.6732632423543772 * np.expm1(np.minimum(z, 0))),
    "silu": lambda z, _: np.asarray(z * scipy.special.expit(z), np.float64),
    "quickgelu": lambda z, _: np.asarray(z * scipy.special.expit(1.702 * z), np.float64),
    "softplus": lambda z, _: np.logaddexp(0, z),
    "softsign": lambda z, _: z / (1 + np.abs(z)),
    "mish": lambda z, _: z * np.tanh(np.logaddexp(0, z)),
    "leakyrelu": lambda z, s: _leaky(z, float(s.get("slope", 0.01))),
    "prelu": lambda z, _: _leaky(z, 0.25),
    "hardtanh": lambda z, _: np.clip(z, -1, 1),
    "hardsigmoid": lambda z, s: np.clip(float(s.get("slope", 1 / 6)) * z + 0.5, 0, 1),
    "hardsilu": lambda z, _: z * np.clip(z / 6 + 0.5, 0, 1),
    "exponential": lambda z, _: np.exp(z),
}
