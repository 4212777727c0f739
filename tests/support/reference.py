"""The twelve statistics in float64, straight from their definition, and how close a kernel must come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from auditor_agent.statistics import COUNTS, MOMENTS, STATISTICS, WORDS

HUGE = float(np.finfo(np.float32).max)
#: What float32 arithmetic trips over; every kernel's properties draw from it.
EDGES = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-45, -1e-40, 3e38, -3e38, 1.0]


def columns(words: Any) -> dict[str, Any]:
    """A step's words (bytes, or an array of four-byte words) by statistic, as the daemon reads them."""
    rows = np.frombuffer(bytes(words), np.uint32).reshape(WORDS, -1)
    return {name: row if name in COUNTS else row.view(np.float32) for name, row in zip(STATISTICS, rows, strict=True)}


def widened(tensor: Any) -> Any:
    """The tensor flat in float64; signalling NaNs make NumPy warn of the cast."""
    with np.errstate(invalid="ignore"):
        return tensor.astype(np.float64).ravel()


def reference(tensor: Any) -> dict[str, Any]:
    """The same in 80 bits, which neither overflow nor drown; not saturated."""
    wide = widened(tensor)
    finite = wide[np.isfinite(wide)].astype(np.longdouble)
    counts = {"count": wide.size, "nan": np.isnan(wide).sum(), "inf": np.isinf(wide).sum(), "zeros": (wide == 0).sum()}
    if not finite.size:
        return {**counts, **dict.fromkeys(MOMENTS, 0.0)}
    square = np.square(finite).sum()
    spread = {"mean": finite.mean(), "std": finite.std(), "min": finite.min(), "max": finite.max()}
    return {
        **counts,
        **spread,
        "absmax": np.abs(finite).max(),
        "l2": np.sqrt(square),
        "sum": finite.sum(),
        "sumsq": square,
    }


def check(tensor: Any, got: Mapping[str, Any], index: int = 0) -> None:
    """Counts and extremes exactly; sums to what float32 lanes can hold of the sum of magnitudes."""
    expected = reference(tensor)
    for name in COUNTS:
        assert got[name][index] == expected[name], name
    for name in ("min", "max", "absmax"):
        assert got[name][index] == np.float32(np.clip(expected[name], -HUGE, HUGE)), name
    wide = widened(tensor)
    scale = np.abs(wide[np.isfinite(wide)].astype(np.longdouble)).sum()
    tolerance = {"sum": 2e-6 * scale, "mean": 2e-6 * scale / max(1, wide.size), "std": 2e-5 * expected["std"]}
    # A spread below the resolution of float32 around the mean cannot be told from none.
    tolerance["std"] += 1e-7 * abs(expected["mean"]) * 1e-2
    for name in ("mean", "std", "l2", "sum", "sumsq"):
        wanted = np.clip(expected[name], -HUGE, HUGE)
        bound = tolerance.get(name, 2e-6 * abs(wanted)) + 1e-44
        assert abs(got[name][index].astype(np.longdouble) - wanted) <= bound + 1e-6 * abs(wanted), (
            name,
            got[name][index],
            wanted,
        )


#: Distributions that try a kernel: spreads that drown in the mean, values that drown in one.
SHAPES = ("centred", "shifted", "tiny", "constant", "outlier")


def shaped(shape: str, size: int) -> Any:
    """``size`` float64 values of a distribution out of :data:`SHAPES`, the same at each call."""
    values = np.random.default_rng(size).normal(size=size)
    made = {"centred": values, "shifted": 5 + values * 1e-2, "tiny": values * 1e-3, "constant": np.full(size, 0.1)}
    made["outlier"] = np.where(np.arange(size) == 0, 1e4, values)
    return made[shape]


def scattered(size: int) -> Any:
    """``size`` float64 values over ten decades, and one of each special value."""
    values = np.random.default_rng(1).normal(size=size) * 10.0 ** np.random.default_rng(2).integers(-6, 4, size)
    values[:5] = [math.nan, math.inf, -math.inf, 0.0, -0.0]
    return values


def histogram(tensor: Any) -> list[int]:
    """Magnitudes by exponent: bin b holds [2^(b-40), 2^(b-39)); ends take the rest; NaN is nowhere."""
    wide = widened(tensor)
    with np.errstate(divide="ignore"):
        bins = np.clip(np.floor(np.log2(np.abs(wide[~np.isnan(wide)]))) + 40, 0, 63).astype(int)
    return np.bincount(bins, minlength=64).tolist()  # type: ignore[no-any-return]
