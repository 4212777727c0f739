"""The C kernel against float64 references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auditor_agent.capture import native
from support.reference import EDGES, SHAPES, check, columns, histogram, scattered, shaped

pytestmark = pytest.mark.skipif(not native.available(), reason="the C kernel was not built (no compiler)")

NUMPY = {"float32": np.float32, "float64": np.float64, "float16": np.float16}


def statistics(tensors: list[Any], dtypes: list[str], threads: int = 1) -> dict[str, Any]:
    """What the kernel says, by statistic."""
    plan = native.Plan([t.size for t in tensors], dtypes)
    return columns(plan.run([t.ctypes.data for t in tensors], threads))


@given(arrays(np.float32, st.integers(0, 300), elements=st.one_of(st.floats(width=32), st.sampled_from(EDGES))))
@settings(max_examples=300, deadline=None)
def test_any_float32_tensor_has_the_statistics_of_its_float64_copy(tensor: Any) -> None:
    """NaN, infinities, denormals, huge and empty tensors included."""
    check(tensor, statistics([tensor], ["float32"]))


@pytest.mark.parametrize("dtype", ["float32", "float64", "float16"])
@pytest.mark.parametrize("size", [0, 1, 31, 32, 33, 4095, 4096, 4097, 65536, 300_001])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_size_and_dtype_agrees_with_float64(dtype: str, size: int, shape: str) -> None:
    """Across chunk and task borders, for spreads that drown in the mean and values that drown in one."""
    tensor = shaped(shape, size).astype(NUMPY[dtype])
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
@pytest.mark.parametrize("special", [True, False])
def test_the_histogram_counts_magnitudes_by_their_exponent(dtype: str, special: bool) -> None:
    """Bin b holds [2^(b-40), 2^(b-39)); ends take the rest; NaN is nowhere. With and without the exact way."""
    tensor = scattered(10_000)[0 if special else 3 :].astype(NUMPY[dtype])
    plan = native.Plan([tensor.size], [dtype], histogram=True)
    plan.run([tensor.ctypes.data])
    assert plan.histograms is not None
    assert np.frombuffer(plan.histograms, np.uint32).tolist() == histogram(tensor)
