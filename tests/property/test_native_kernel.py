"""The C kernel against float64 references."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auditor_agent.capture import native
from auditor_agent.statistics import COUNTS, STATISTICS

pytestmark = pytest.mark.skipif(not native.available(), reason="the C kernel was not built (no compiler)")

HUGE = float(np.finfo(np.float32).max)
NUMPY = {"float32": np.float32, "float64": np.float64, "float16": np.float16}
EDGES = [math.nan, math.inf, -math.inf, 0.0, -0.0, 1e-45, -1e-40, 3e38, -3e38, 1.0]


def statistics(tensors: list[Any], dtypes: list[str], threads: int = 1) -> dict[str, Any]:
    """What the kernel says, by statistic."""
    plan = native.Plan([t.size for t in tensors], dtypes)
    words = np.frombuffer(bytes(plan.run([t.ctypes.data for t in tensors], threads)), np.uint32).reshape(12, -1)
    return {name: row if name in COUNTS else row.view(np.float32) for name, row in zip(STATISTICS, words, strict=True)}


def widened(tensor: Any) -> Any:
    """The tensor flat in float64; signalling NaNs make NumPy warn of the cast."""
    with np.errstate(invalid="ignore"):
        return tensor.astype(np.float64).ravel()


def reference(tensor: Any) -> dict[str, float]:
    """The same in float64, the sums through math.fsum."""
    wide = widened(tensor)
    finite = wide[np.isfinite(wide)]
    counts = {"count": wide.size, "nan": np.isnan(wide).sum(), "inf": np.isinf(wide).sum(), "zeros": (wide == 0).sum()}
    if not finite.size:
        return {**counts, **dict.fromkeys(STATISTICS[4:], 0.0)}
    total, square = math.fsum(finite), float(np.sum(finite * finite))
    moments = {"mean": total / finite.size, "std": float(finite.std()), "min": finite.min(), "max": finite.max()}
    return {**counts, **moments, "absmax": np.abs(finite).max(), "l2": math.sqrt(square), "sum": total, "sumsq": square}


def check(tensor: Any, got: dict[str, Any], index: int = 0) -> None:
    """Counts and extremes exactly; sums to what float32 lanes can hold of the sum of magnitudes."""
    expected = reference(tensor)
    for name in ("count", "nan", "inf", "zeros"):
        assert got[name][index] == expected[name], name
    for name in ("min", "max", "absmax"):
        assert got[name][index] == np.float32(np.clip(expected[name], -HUGE, HUGE)), name
    wide = widened(tensor)
    scale = float(np.abs(wide[np.isfinite(wide)]).sum()) if wide.size else 0.0
    tolerance = {"sum": 2e-6 * scale, "mean": 2e-6 * scale / max(1, wide.size), "std": 2e-5 * expected["std"]}
    # A spread below the resolution of float32 around the mean cannot be told from none.
    tolerance["std"] += 1e-7 * abs(expected["mean"]) * 1e-2
    for name in ("mean", "std", "l2", "sum", "sumsq"):
        wanted = min(max(expected[name], -HUGE), HUGE)
        bound = tolerance.get(name, 2e-6 * abs(wanted)) + 1e-44
        assert abs(float(got[name][index]) - wanted) <= bound + 1e-6 * abs(wanted), (name, got[name][index], wanted)


@given(arrays(np.float32, st.integers(0, 300), elements=st.one_of(st.floats(width=32), st.sampled_from(EDGES))))
@settings(max_examples=300, deadline=None)
def test_any_float32_tensor_has_the_statistics_of_its_float64_copy(tensor: Any) -> None:
    """NaN, infinities, denormals, huge and empty tensors included."""
    check(tensor, statistics([tensor], ["float32"]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 4095, 4096, 4097, 65536, 300_001])
@pytest.mark.parametrize("shape", ["centred", "shifted", "tiny", "constant", "outlier"])
def test_every_size_and_dtype_agrees_with_float64(dtype: str, size: int, shape: str) -> None:
    """Across chunk and task borders, for spreads that drown in the mean and values that drown in one."""
    values = np.random.default_rng(size).normal(size=size)
    made = {"centred": values, "shifted": 5 + values * 1e-2, "tiny": values * 1e-3, "constant": np.full(size, 0.1)}
    made["outlier"] = np.where(np.arange(size) == 0, 1e4, values)
    tensor = made[shape].astype(NUMPY[dtype])
    check(tensor, statistics([tensor], [dtype]))


def test_bfloat16_is_read_as_the_upper_half_of_float32() -> None:
    """Every one of the 65,536 bit patterns, against its float32 value."""
    bits = np.arange(65536, dtype=np.uint32)
    wide = (bits << 16).view(np.float32)
    check(wide, statistics([bits.astype(np.uint16)], ["bfloat16"]))


def test_float16_is_read_exactly() -> None:
    """Every one of the 65,536 bit patterns, denormals included, one tensor each block of 64."""
    bits = np.arange(65536, dtype=np.uint16).view(np.float16)
    blocks = [np.ascontiguousarray(block) for block in bits.reshape(-1, 64)]
    got = statistics(blocks, ["float16"] * len(blocks))
    for index, block in enumerate(blocks):
        check(block, got, index)


def test_the_number_of_threads_changes_no_bit() -> None:
    """Tasks merge in a fixed order whoever computed them."""
    rng = np.random.default_rng(0)
    tensors = [rng.normal(size=size).astype(np.float32) for size in (3, 700_001, 64, 1_300_000, 0, 70_000)]
    plan = native.Plan([t.size for t in tensors], ["float32"] * len(tensors), histogram=True)
    addresses = [t.ctypes.data for t in tensors]
    outcomes = set()
    for threads in (1, 2, 3, 4, 4, 2, 1):
        words = bytes(plan.run(addresses, threads))
        assert plan.histograms is not None
        outcomes.add((words, bytes(plan.histograms)))
    assert len(outcomes) == 1


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
def test_the_histogram_counts_magnitudes_by_their_exponent(dtype: str) -> None:
    """Bin b holds [2^(b-40), 2^(b-39)); ends take the rest; NaN is nowhere."""
    values = np.random.default_rng(1).normal(size=10_000) * 10.0 ** np.random.default_rng(2).integers(-6, 4, 10_000)
    values[:5] = [math.nan, math.inf, -math.inf, 0.0, -0.0]
    tensor = values.astype(NUMPY[dtype])
    plan = native.Plan([tensor.size], [dtype], histogram=True)
    plan.run([tensor.ctypes.data])
    assert plan.histograms is not None
    counted = np.frombuffer(plan.histograms, np.uint32)
    magnitudes = np.abs(widened(tensor)[~np.isnan(tensor)])
    with np.errstate(divide="ignore"):
        bins = np.clip(np.floor(np.log2(magnitudes)) + 40, 0, 63).astype(int)
    assert counted.tolist() == np.bincount(bins, minlength=64).tolist()
