"""The Triton kernel, interpreted on the CPU, against float64 references."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auditor_agent.capture.triton_plan import Plan
from tests.support import interpreter
from tests.support.reference import EDGES, SHAPES, check, columns, histogram, scattered, shaped

# NumPy, which interprets the kernel, warns of the NaN and Inf that a GPU computes with in silence.
pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")

TORCH = {np.float32: torch.float32, np.float64: torch.float64, np.float16: torch.float16}


def statistics(*tensors: torch.Tensor, **sizes: int) -> dict[str, Any]:
    """What the kernel says, by statistic."""
    return columns(interpreter.words(tensors, **sizes).numpy().tobytes())


@given(arrays(np.float32, st.integers(0, 150), elements=st.one_of(st.floats(width=32), st.sampled_from(EDGES))))
@settings(max_examples=60, deadline=None)
def test_any_float32_tensor_has_the_statistics_of_its_float64_copy(values: Any) -> None:
    """NaN, infinities, denormals, huge and empty tensors included."""
    check(values, statistics(torch.from_numpy(values.copy())))


@given(arrays(np.float64, st.integers(0, 150), elements=st.floats()))
@settings(max_examples=30, deadline=None)
def test_any_float64_tensor_saturates_instead_of_claiming_an_infinity(values: Any) -> None:
    """Up to 1.8e308, where sums overflow even float64."""
    check(values, statistics(torch.from_numpy(values.copy())))


@pytest.mark.parametrize("dtype", TORCH)
@pytest.mark.parametrize("size", [0, 31, 508, 513, 3001])
@pytest.mark.parametrize("shape", SHAPES)
def test_every_size_and_dtype_agrees_with_float64(dtype: Any, size: int, shape: str) -> None:
    """Across the borders of rounds and tasks of 512, whole ones and ragged ones."""
    values = shaped(shape, size).astype(dtype)
    check(values, statistics(torch.from_numpy(values)))


def test_a_task_of_the_size_that_gpus_get_agrees_with_float64() -> None:
    """A whole task of 32 rounds of 1,024 in float32 lanes, and a bit of a second one."""
    values = shaped("centred", 40_000).astype(np.float32)
    check(values, statistics(torch.from_numpy(values), block=1024, rounds=32))


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_read_exactly(dtype: torch.dtype) -> None:
    """Every one of the 65,536 bit patterns, denormals included, in tensors of 1,024."""
    every = torch.arange(65536, dtype=torch.int32).to(torch.uint16).view(dtype).reshape(64, 1024)
    got = statistics(*every, block=1024)
    for index, block in enumerate(every):
        check(block.float().numpy(), got, index)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16, torch.float16])
@pytest.mark.parametrize("skipped", range(9))
def test_a_view_into_a_bucket_may_begin_anywhere(dtype: torch.dtype, skipped: int) -> None:
    """The kernel reads aligned windows; what lies around the tensor must not count."""
    bucket = torch.full((1024,), float("nan"), dtype=dtype)
    view = bucket[skipped : skipped + 600]
    view.copy_(torch.arange(600) - 300)
    check(view.double().numpy(), statistics(view))


def test_faults_stay_in_their_column() -> None:
    """Tensors of several dtypes and faults, of no and of many tasks, side by side in one launch."""
    tensors = [
        torch.from_numpy(scattered(700)),
        torch.zeros(0),
        torch.full((300,), float("nan"), dtype=torch.bfloat16),
        torch.from_numpy(shaped("shifted", 2000).astype(np.float32)),
        torch.from_numpy(scattered(700).astype(np.float16)),
    ]
    got = statistics(*tensors)
    for index, tensor in enumerate(tensors):
        check(tensor.double().numpy(), got, index)


@pytest.mark.parametrize("dtype", TORCH)
def test_the_histogram_counts_magnitudes_by_their_exponent(dtype: Any) -> None:
    """The bins of the C kernel, over several tasks, added to what was counted before."""
    values = scattered(2000).astype(dtype)
    plan = Plan([2000, 0], [TORCH[dtype]] * 2, torch.device("cpu"), block=64, rounds=4)
    counters = torch.zeros((2, 64), dtype=torch.int32)
    tensor = torch.from_numpy(values)
    for _ in range(2):
        plan.launch(plan.table([tensor.data_ptr(), 0]), counters)
    assert counters.tolist() == [[2 * count for count in histogram(values)], [0] * 64]


def test_counts_saturate() -> None:
    """Five billion elements do not wrap around; the merge sees only their partial results."""
    from auditor_agent.capture import triton_kernel

    size = torch.tensor([5_000_000_000])
    tallies = torch.tensor([[2**31 - 1] * 4, [0] * 4, [3] * 4, [2**30] * 4], dtype=torch.int32)
    moments = torch.zeros((5, 4), dtype=torch.float64)
    words = torch.empty((12, 1), dtype=torch.int32)
    triton_kernel.merge[(1,)](size, torch.tensor([0, 4], dtype=torch.int32), moments, tallies, words, 4, 8)
    assert [row[0] for row in columns(words.numpy().tobytes()).values()][:4] == [2**32 - 1, 0, 12, 2**32 - 1]


def test_no_tensors_give_no_words() -> None:
    """Neither do empty ones need an address."""
    plan = Plan([], [], torch.device("cpu"))
    assert plan.launch(plan.table([])).shape == (12, 0)
    plan = Plan([0], [torch.float32], torch.device("cpu"))
    assert plan.launch(plan.table([0])).tolist() == [[0]] * 12
