from __future__ import annotations

import sys
import threading
import types
from typing import Any

import pytest
import torch

from auditor_agent.capture import kernels, native, portable
from support.reference import check, columns

needs_native = pytest.mark.skipif(not native.available(), reason="the C kernel was not built (no compiler)")


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The kernels that were used, in order."""
    used: list[str] = []

    def spy(module: Any, attribute: str, name: str) -> None:
        inner = getattr(module, attribute)
        monkeypatch.setattr(module, attribute, lambda *args: (used.append(name), inner(*args))[1])

    spy(kernels, "_by_native", "native")
    spy(portable, "words", "portable")
    return used


def dense(shape: tuple[int, ...]) -> torch.Tensor:
    """The same random values at each call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(1))


@needs_native
def test_tensors_on_the_cpu_take_the_c_kernel(calls: list[str]) -> None:
    """Where it was built."""
    tensors = [dense((3, 5)), dense((7,)).bfloat16(), torch.zeros(0), dense(()).double()]
    got = columns(kernels.kernel(tensors))
    for index, tensor in enumerate(tensors):
        check(tensor.double().numpy(), got, index)
    assert calls == ["native"]


def test_without_a_compiler_the_portable_kernel_serves(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """The install did not fail; neither does the step."""
    monkeypatch.setattr(native, "available", lambda: False)
    assert columns(kernels.kernel([torch.ones(4)]))["l2"].tolist() == [2.0]
    assert calls == ["portable"]


def test_other_dtypes_take_the_portable_kernel(calls: list[str]) -> None:
    """One float8 gradient among others."""
    tensors = [torch.ones(4), torch.ones(4).to(torch.float8_e4m3fn)]
    assert columns(kernels.kernel(tensors))["sum"].tolist() == [4.0, 4.0]
    assert calls == ["portable"]


@needs_native
@pytest.mark.parametrize(
    "view",
    [
        lambda t: t.to(memory_format=torch.channels_last),
        lambda t: t.transpose(0, 2),
        lambda t: t[:, 1:2],
        lambda t: t[1:],
        lambda t: t[..., ::2],
        lambda t: t[:1].expand(5, -1, -1, -1),
        lambda t: torch.complex(t, t + 1),
        lambda t: torch.complex(t, t + 1).conj().imag,
        torch.nn.Parameter,
        lambda t: t.to_sparse(),
    ],
    ids=[
        "channels_last",
        "transposed",
        "slice",
        "offset",
        "strided",
        "expanded",
        "complex",
        "negated",
        "weight",
        "sparse",
    ],
)
def test_any_layout_is_read_for_what_it_holds(view: Any, calls: list[str]) -> None:
    """In place where the storage is dense in any order; from a copy where it has holes or repeats."""
    tensor = view(dense((4, 3, 6, 2)))
    got = columns(kernels.kernel([tensor]))
    values = tensor.detach().to_dense() if tensor.layout is not torch.strided else tensor.detach().resolve_neg()
    check((torch.view_as_real(values) if values.is_complex() else values).numpy(), got)
    assert calls == ["native"]


@needs_native
@pytest.mark.parametrize("size", [10, 1_000_000])
def test_dense_tensors_are_not_copied(size: int) -> None:
    """The kernel is given the tensors' own addresses."""
    tensor = dense((2, size, 3)).transpose(0, 2)
    assert kernels._local(tensor).data_ptr() == tensor.data_ptr()
    assert kernels._local(tensor[::2]).data_ptr() != tensor.data_ptr()


@needs_native
def test_a_default_device_of_the_host_is_not_the_kernels() -> None:
    """``torch.set_default_device`` moves what is made without a device; the words are made of the tensors."""
    tensor = torch.ones(4)
    with torch.device("meta"):
        assert columns(kernels.kernel([tensor]))["sum"].tolist() == [4.0]


@needs_native
def test_threads_do_not_share_the_kernels_buffers() -> None:
    """Tensors of one size, read by many threads at a time, do not mix."""
    wrong: list[float] = []

    def read(value: float) -> None:
        tensor = torch.full((5000,), value)
        for _ in range(200):
            wrong.extend(set(columns(kernels.kernel([tensor]))["max"].tolist()) - {value})

    threads = [threading.Thread(target=read, args=(float(value),)) for value in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_no_tensors_give_no_words() -> None:
    """A step without gradients is a step of width zero."""
    assert kernels.kernel([]) == b""


@needs_native
def test_plans_do_not_pile_up() -> None:
    """Ragged batches bring new sizes at every step."""
    for size in range(200):
        kernels.words([torch.ones(size)])
    assert kernels._native_plan.cache_info().currsize <= kernels._PLANS


def test_triton_is_never_imported_after_tensorflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both bring LLVM; in this order the process dies, and the job with it."""
    monkeypatch.setitem(sys.modules, "tensorflow", types.ModuleType("tensorflow"))
    monkeypatch.delitem(sys.modules, "triton", raising=False)
    assert kernels._has_triton.__wrapped__() is False
    assert "triton" not in sys.modules


def test_a_kernel_that_fails_is_not_tried_again(monkeypatch: pytest.MonkeyPatch, calls: list[str]) -> None:
    """Triton wants a C compiler at run time; where there is none the portable kernel takes over."""
    monkeypatch.setenv("AUDITOR_RAISE", "0")
    monkeypatch.setattr(kernels, "_is_cpu", lambda _: False)
    monkeypatch.setattr(kernels, "_broken", threading.Event())
    monkeypatch.setattr(kernels, "_fits_triton", lambda _: not kernels._broken.is_set())

    def fail(*_: Any) -> torch.Tensor:
        calls.append("triton")
        raise RuntimeError("no C compiler")

    monkeypatch.setattr(kernels, "_by_triton", fail)
    for _ in range(2):
        assert columns(portable.to_bytes(kernels.words([torch.ones(4)])))["sum"].tolist() == [4.0]
    assert calls == ["triton", "portable", "portable"]
