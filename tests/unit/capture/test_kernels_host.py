from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor, nn

from auditor_agent.capture import kernels, native, portable
from auditor_agent.statistics import COUNTS

needs_compiler = pytest.mark.skipif(not native.available(), reason="the C kernel was not built here")


def columns(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Counts and moments."""
    return matrix[: len(COUNTS)], matrix[len(COUNTS) :].contiguous().view(torch.float32)


def images() -> Tensor:
    """Dense, but not contiguous."""
    return torch.randn(2, 3, 5, 7).to(memory_format=torch.channels_last)


CASES = {
    "plain": lambda: [torch.randn(64, 3), torch.randn(7)],
    "parameter": lambda: [nn.Parameter(torch.randn(5, 5))],
    "channels_last": lambda: [images()],
    "transposed": lambda: [torch.randn(4, 6).t()],
    "permuted": lambda: [torch.randn(2, 3, 4, 5).permute(3, 0, 2, 1)],
    "with gaps": lambda: [torch.randn(8, 8)[:, ::2], torch.randn(3)],
    "expanded": lambda: [torch.randn(1, 4).expand(3, 4)],
    "one column": lambda: [torch.randn(6, 4)[:, 1:2]],
    "half": lambda: [torch.randn(9).to(torch.float16), torch.randn(9).to(torch.bfloat16), torch.randn(9).double()],
    "sparse": lambda: [
        torch.sparse_coo_tensor(torch.tensor([[0, 0, 2]]), torch.tensor([1.0, 2.0, 3.0]), (4,), check_invariants=True)
    ],
    "complex": lambda: [torch.randn(4, dtype=torch.complex64)],
    "negated view": lambda: [torch.randn(4, dtype=torch.complex64).conj().imag],
    "float8": lambda: [torch.randn(8).to(torch.float8_e4m3fn), torch.randn(3)],
    "empty": lambda: [torch.empty(0, 3), torch.randn(2)],
    "not finite": lambda: [torch.tensor([1.0, torch.nan, -torch.inf, 0.0])],
    "none": list,
}


@needs_compiler
@pytest.mark.parametrize("case", CASES)
def test_the_chosen_kernel_gives_what_the_portable_one_gives(case: str) -> None:
    """Whatever the layout, whichever kernel: the same twelve numbers."""
    torch.manual_seed(0)
    tensors = CASES[case]()
    counts, moments = columns(kernels.words(tensors))
    expected_counts, expected = columns(portable.words(tensors))
    assert torch.equal(counts, expected_counts)
    torch.testing.assert_close(moments, expected, rtol=2e-6, atol=1e-6)


@needs_compiler
@pytest.mark.parametrize("case", ["plain", "parameter", "channels_last", "transposed", "permuted", "half"])
def test_dense_tensors_are_read_where_they_lie(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is copied for the C kernel and nothing else is asked."""
    monkeypatch.setattr(portable, "words", lambda _: 1 / 0)
    tensors = CASES[case]()
    words = kernels.at_once(tensors)
    assert words is not None
    assert torch.equal(kernels.matrix(words), kernels.words(tensors))
    assert kernels.words(tensors)[0].tolist() == [tensor.numel() for tensor in tensors]


def test_without_the_library_the_framework_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    """An install without a compiler."""
    monkeypatch.setattr(native, "available", lambda: False)
    matrix = kernels.words([torch.ones(3)])
    assert matrix[0].tolist() == [3]


@needs_compiler
def test_g7_plans_are_bounded() -> None:
    """Sparse gradients have a new size at every step."""
    for size in range(3 * kernels._PLANS):
        kernels.words([torch.ones(size)])
    assert kernels._native_plan.cache_info().currsize <= kernels._PLANS


@needs_compiler
def test_threads_do_not_share_a_plans_buffer() -> None:
    """Two loops in two threads get their own numbers."""
    wrong: list[int] = []

    def loop(value: int) -> None:
        tensors = [torch.full((1000,), float(value))]
        wrong.extend(value for _ in range(300) if int(columns(kernels.words(tensors))[1][0, 0]) != value)

    threads = [threading.Thread(target=loop, args=(value,)) for value in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
