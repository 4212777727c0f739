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

from auditor_agent.capture import kernels, native, portable, portable_histogram
from tests.support import interpreter
from tests.support.reference import EDGES, SHAPES, check, columns, histogram, scattered, shaped

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


HISTOGRAMS: dict[str, Callable[[list[torch.Tensor]], Any]] = {
    "triton": interpreter.histograms,
    "native": lambda tensors: kernels.with_histograms(tensors)[1],
    "portable": portable_histogram.histograms,
    "portable on devices": lambda tensors: torch.stack(
        [portable_histogram._scattered(portable_histogram._bins(t.flatten()))[:64].int() for t in tensors]
    ),
}


def same_histograms(*tensors: torch.Tensor) -> None:
    """Each kernel counts what the definition does, and what it says beside does not change for it."""
    expected = [histogram(tensor.double().numpy()) for tensor in tensors]
    for name, kernel in HISTOGRAMS.items():
        counters = kernel(list(tensors))
        found = counters if isinstance(counters, bytes) else counters.numpy().tobytes()
        assert np.frombuffer(found, np.uint32).reshape(-1, 64).tolist() == expected, name
    assert kernels.with_histograms(list(tensors))[0] == kernels.at_once(list(tensors))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_all_kernels_count_the_same_magnitudes(dtype: torch.dtype, shape: str) -> None:
    """Of every dtype and distribution, across chunks, empty and non-finite tensors among them."""
    odd = torch.tensor([float("nan"), float("inf"), -float("inf"), 0.0, -0.0], dtype=dtype)
    same_histograms(odd, *[torch.from_numpy(shaped(shape, size)).to(dtype) for size in (0, 1, 33, 4500)])


@given(
    arrays(np.float32, st.integers(0, 70), elements=st.one_of(st.floats(width=32), st.sampled_from(EDGES))),
    arrays(np.float64, st.integers(0, 70), elements=st.floats()),
)
@settings(max_examples=60, deadline=None)
def test_all_kernels_count_the_magnitudes_of_any_tensor(single: Any, double: Any) -> None:
    """Denormals, the largest numbers and NaN with any payload included."""
    same_histograms(torch.from_numpy(single.copy()), torch.from_numpy(double.copy()))


@given(arrays(np.float64, 200, elements=st.floats(-1e300, 1e300)), st.integers(-50, 50))
@settings(max_examples=60, deadline=None)
def test_a_shifted_histogram_is_that_of_the_scaled_tensor(values: Any, octaves: int) -> None:
    """Where no magnitude begins or ends in the first or last bin, which keep what they hold."""
    scaled = values * 2.0**octaves
    inside = np.all([(np.abs(each) >= 2.0**-39) & (np.abs(each) < 2.0**23) for each in (values, scaled)], axis=0)
    kept = torch.from_numpy(values[inside])
    made = portable_histogram.shifted(portable_histogram.histograms([kept]), torch.tensor(2.0**octaves))
    assert made[0].tolist() == histogram(scaled[inside])


def test_a_shifted_histogram_loses_nothing() -> None:
    """What leaves the bins at either end is counted in the last; zeros and infinities stay."""
    tensor = torch.tensor([0.0, 2.0**-39, 1.0, 2.0**22, float("inf")])
    counters = portable_histogram.histograms([tensor])
    up, down = (portable_histogram.shifted(counters, torch.tensor(2.0**by))[0] for by in (10, -10))
    assert {bin_: int(n) for bin_, n in enumerate(up) if n} == {0: 1, 11: 1, 50: 1, 63: 2}
    assert {bin_: int(n) for bin_, n in enumerate(down) if n} == {0: 2, 30: 1, 52: 1, 63: 1}
