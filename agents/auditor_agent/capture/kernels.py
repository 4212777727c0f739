"""The choice of the kernel, each time anew: the fastest that these tensors and this machine allow.

========  ===============================================================================
Triton    all tensors on one NVIDIA GPU, ``triton`` importable (it comes with PyTorch's CUDA builds)
C         all tensors on the CPU, the extension built with the package
portable  everything else: other devices, other dtypes, a CUDA graph being captured
========  ===============================================================================

The results are the same to float32's tolerance: ``tests/interpreted/test_kernels_agree.py``.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING, Final

import torch
from torch import Tensor

from auditor_agent.capture import native, portable
from auditor_agent.capture.portable_histogram import histograms
from auditor_agent.guard import failure
from auditor_agent.histogram import BINS
from auditor_agent.statistics import WORDS

if TYPE_CHECKING:
    from auditor_agent.capture.triton_plan import Plan

#: Names of the element types that the C kernel reads.
NAMES: Final = {getattr(torch, name): name for name in native.DTYPES}
#: Types whose data pointer is what it seems; anything else is asked for its local values.
PLAIN: Final = frozenset({Tensor, torch.nn.Parameter})
#: Plans kept: one per list of sizes that comes again. Activations of ragged batches bring new ones.
_PLANS: Final = 64

#: Elements that are worth a further thread: waking one costs what reading 100,000 does.
PER_THREAD: Final = 1 << 20

_dtype = attrgetter("dtype")
_is_cpu = attrgetter("is_cpu")


def in_memory(tensor: Tensor) -> bool:
    """Whether the elements of ``tensor`` lie in host memory, here and now.

    Those of a subclass, such as a DTensor, may lie elsewhere; the memory of a parameter that FSDP
    gathered is given back behind the pass, and to read it ends the process.
    """
    return type(tensor) in PLAIN and tensor.is_cpu and tensor.untyped_storage().nbytes() > 0


@torch.no_grad()
def words(tensors: Sequence[Tensor]) -> Tensor:
    """The statistics of ``tensors`` as an int32 matrix of shape (12, R), on the first one's device.

    Does what :func:`auditor_agent.capture.portable.words` does, and like it waits for no device.
    """
    local = [_local(tensor) for tensor in tensors]
    dtypes = tuple(map(_dtype, local))
    if not local or not NAMES.keys() >= set(dtypes):
        return portable.words(local)
    if all(map(_is_cpu, local)):
        return _by_native(local, dtypes) if native.available() else portable.words(local)
    try:
        if _fits_triton(local):
            return _by_triton(local, dtypes)
    except Exception as error:
        _give_up_triton(error)
    return portable.words(local)


def at_once(tensors: Sequence[Tensor]) -> bytes | None:
    """The words of ``tensors`` where the C kernel can read all of them as they lie; None where it cannot.

    The short way for a step's gradients: between a backward pass and an optimizer every Python
    instruction comes from cold caches.
    """
    if not tensors or not all([readable(tensor) for tensor in tensors]) or not native.available():  # noqa: C419
        return None
    return bytes(_run_native(tensors, tuple(map(_dtype, tensors))))


@torch.no_grad()
def with_histograms(tensors: Sequence[Tensor]) -> tuple[Tensor | bytes, Tensor | bytes]:
    """The words of ``tensors`` and their histograms, in one pass where the C kernel can read them.

    Returns:
        Words as :func:`words` or :func:`at_once` gives them, and R x 64 counters (uint32, see
        ``auditor_agent.histogram``): an int32 matrix on the first tensor's device, or bytes on the host.
    """
    if tensors and native.available() and all(map(readable, tensors)):
        found, counters = _native_with_histograms(tensors, tuple(map(_dtype, tensors)))
        return bytes(found), bytes(counters)
    local = [_local(tensor) for tensor in tensors]
    dtypes = tuple(map(_dtype, local))
    if local and NAMES.keys() >= set(dtypes):
        if native.available() and all(map(_is_cpu, local)):
            found, counters = _native_with_histograms(local, dtypes)
            return bytes(found), bytes(counters)
        try:
            if _fits_triton(local):
                return _triton_with_histograms(local, dtypes)
        except Exception as error:
            _give_up_triton(error)
    return portable.words(local), histograms(local)


def matrix(words: bytes | bytearray) -> Tensor:
    """The bytes of a step as an int32 matrix of shape (12, R)."""
    if not words:
        return torch.empty((WORDS, 0), dtype=torch.int32, device="cpu")
    return torch.frombuffer(bytearray(words), dtype=torch.int32).view(WORDS, -1)


def kernel(tensors: Sequence[Tensor]) -> bytes:
    """The same as the words of a step, row-major. Waits for the device, if the tensors are on one."""
    return portable.to_bytes(words(tensors).cpu())


def _local(tensor: Tensor) -> Tensor:
    """The dense values of ``tensor`` in storage order; without a copy wherever possible."""
    if type(tensor) not in PLAIN or tensor.layout is not torch.strided or tensor.is_complex():
        tensor = portable.plain(tensor)
    if tensor.is_neg():
        tensor = tensor.resolve_neg()
    return tensor if tensor.is_contiguous() or _is_dense(tensor) else tensor.contiguous()


def readable(tensor: Tensor) -> bool:
    """Whether the C kernel can read ``tensor`` as it lies."""
    return (
        type(tensor) in PLAIN
        and tensor.is_cpu
        and tensor.layout is torch.strided
        and tensor.dtype in NAMES
        and (tensor.is_contiguous() or _is_dense(tensor))
        and not tensor.is_neg()
    )


def _is_dense(tensor: Tensor) -> bool:
    """Whether the elements fill their storage without holes, whatever the order of dimensions."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1 and stride != expected:
            return False
        expected *= size
    return True


def _addresses(tensors: Sequence[Tensor]) -> list[int]:
    return list(map(Tensor.data_ptr, tensors))


def _sizes(tensors: Sequence[Tensor]) -> tuple[int, ...]:
    return tuple(map(Tensor.numel, tensors))


def _by_native(tensors: Sequence[Tensor], dtypes: tuple[torch.dtype, ...]) -> Tensor:
    return torch.frombuffer(bytearray(_run_native(tensors, dtypes)), dtype=torch.int32).view(WORDS, len(tensors))


def _run_native(tensors: Sequence[Tensor], dtypes: tuple[torch.dtype, ...]) -> memoryview:
    return _run_plan(_native_plan(_sizes(tensors), dtypes, threading.get_ident()), tensors)


def _native_with_histograms(
    tensors: Sequence[Tensor], dtypes: tuple[torch.dtype, ...]
) -> tuple[memoryview, memoryview]:
    plan = _native_plan(_sizes(tensors), dtypes, threading.get_ident(), histogram=True)
    found = _run_plan(plan, tensors)
    return found, plan.histograms or memoryview(b"")


def _run_plan(plan: native.Plan, tensors: Sequence[Tensor]) -> memoryview:
    useful = 1 + plan.elements // PER_THREAD
    return plan.run(_addresses(tensors), 1 if useful == 1 else min(useful, torch.get_num_threads()))


@functools.lru_cache(_PLANS)
def _native_plan(
    sizes: tuple[int, ...], dtypes: tuple[torch.dtype, ...], _thread: int, *, histogram: bool = False
) -> native.Plan:
    """A plan writes into its own buffers and lets the GIL go: one for each thread."""
    return native.Plan(sizes, [NAMES[dtype] for dtype in dtypes], histogram=histogram)


#: Set when Triton failed in this process.
_broken: Final = threading.Event()


def _give_up_triton(error: Exception) -> None:
    """Most often: no C compiler where Triton wants to build its launcher. That will not pass."""
    _triton_plan.cache_clear()
    _broken.set()
    failure("Triton kernel; the portable one serves from here on", error)


def _fits_triton(tensors: Sequence[Tensor]) -> bool:
    device = tensors[0].device
    return (
        device.type == "cuda"
        and torch.version.hip is None  # never tried there
        and all(tensor.device == device for tensor in tensors)
        and not torch.cuda.is_current_stream_capturing()  # the table of addresses must not be captured
        and not _broken.is_set()
        and _has_triton()
    )


@functools.cache
def _has_triton() -> bool:
    if "tensorflow" in sys.modules and "triton" not in sys.modules:
        return False  # both bring LLVM: imported in this order, Triton kills the process
    try:
        import auditor_agent.capture.triton_plan
    except ImportError:
        return False
    return bool(auditor_agent.capture.triton_plan.DTYPES)


def _by_triton(tensors: Sequence[Tensor], dtypes: tuple[torch.dtype, ...]) -> Tensor:
    device = tensors[0].device
    with torch.cuda.device(device):  # Triton launches on the current device, PyTorch on a tensor's
        stream = torch.cuda.current_stream().cuda_stream
        plan = _triton_plan(_sizes(tensors), dtypes, device, stream)
        return plan.launch(plan.table(_addresses(tensors)))


def _triton_with_histograms(tensors: Sequence[Tensor], dtypes: tuple[torch.dtype, ...]) -> tuple[Tensor, Tensor]:
    device = tensors[0].device
    with torch.cuda.device(device):
        plan = _triton_plan(_sizes(tensors), dtypes, device, torch.cuda.current_stream().cuda_stream)
        counters = torch.zeros((len(tensors), BINS), dtype=torch.int32, device=device)
        return plan.launch(plan.table(_addresses(tensors)), counters), counters


@functools.lru_cache(_PLANS)
def _triton_plan(sizes: tuple[int, ...], dtypes: tuple[torch.dtype, ...], device: torch.device, _stream: int) -> Plan:
    """A plan's constants are sent, used and given back in the order of one stream: one for each."""
    from auditor_agent.capture.triton_plan import Plan

    return Plan(sizes, dtypes, device)
