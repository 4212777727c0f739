"""One tensor, three kernels, the same words: Triton (interpreted), C, portable."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from auditor_agent.capture import kernels, native, portable
from tests.support import interpreter
from tests.support.reference import EDGES, SHAPES, check, columns, scattered, shaped

pytestmark = [
    pytest.mark.skipif(not native.available(), reason="the C kernel was not built (no compiler)"),
    # NumPy, which interprets the kernel, warns of the NaN and Inf that a GPU computes with in silence.
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),
]

DTYPES = [torch.float32, torch.float64, torch.bfloat16, torch.float16]
KERNELS: dict[str, Callable[[list[torch.Tensor]], torch.Tensor]] = {
    "triton": interpreter.words,
    "native": kernels.words,
    "portable": portable.words,
    "portable on devices": lambda tensors: portable._pack(torch.stack([portable._exact(t) for t in tensors], 1)),
}


def agree(*tensors: torch.Tensor) -> None:
    """Each kernel holds to the reference, the counts and extremes of all to the last bit."""
    words = {name: kernel(list(tensors)).numpy().tobytes() for name, kernel in KERNELS.items()}
    for index, tensor in enumerate(tensors):
        for name, got in words.items():
            try:
                check(tensor.double().numpy(), columns(got), index)
            except AssertionError as error:
                raise AssertionError(f"{name}: {error}") from error


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_all_kernels_agree_on_every_dtype_and_distribution(dtype: torch.dtype, shape: str) -> None:
    """Several sizes side by side, none at all among them."""
    agree(*[torch.from_numpy(shaped(shape, size)).to(dtype) for size in (0, 1, 33, 1500)])


@pytest.mark.parametrize("dtype", DTYPES)
def test_all_kernels_agree_on_what_is_no_number(dtype: torch.dtype) -> None:
    """NaN and Inf among ten decades, and alone."""
    nan, inf = torch.full((9,), float("nan"), dtype=dtype), torch.tensor([float("inf")], dtype=dtype)
    agree(torch.from_numpy(scattered(1000)).to(dtype), nan, inf, -inf, torch.zeros(5, dtype=dtype))


@given(arrays(np.float32, st.integers(0, 40), elements=st.one_of(st.floats(width=32), st.sampled_from(EDGES))))
@settings(max_examples=40, deadline=None)
def test_all_kernels_agree_on_any_float32_tensor(values: Any) -> None:
    """Denormals and the largest numbers included."""
    agree(torch.from_numpy(values.copy()))


@given(arrays(np.float64, st.integers(0, 40), elements=st.floats()))
@settings(max_examples=40, deadline=None)
def test_all_kernels_agree_on_any_float64_tensor(values: Any) -> None:
    """Beyond the range of float32, to the end of float64's."""
    agree(torch.from_numpy(values.copy()))
