"""Which kernel reads a step's tensors: the C kernel wherever it can, framework operations elsewhere.

Both give the same words. The C kernel takes tensors of this machine's memory whose storage is dense,
in whatever order of dimensions (channels_last included): no statistic depends on the order.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor, nn

from auditor_agent.capture import native, portable
from auditor_agent.statistics import WORDS

_NAMES: Final = {getattr(torch, name): name for name in native.DTYPES}
#: Types that are no more than their storage; subclasses are first asked for what they hold.
_PLAIN: Final = frozenset({Tensor, nn.Parameter})
#: Plans kept per thread; sparse gradients bring new sizes at every step.
_PLANS: Final = 64


#: Elements that are worth a further thread: waking one costs what reading 100,000 does.
_PER_THREAD: Final = 1 << 20


class _Plans(threading.local):
    """Each thread's own: a plan holds the buffer that the kernel writes."""

    def __init__(self) -> None:
        self.known: dict[tuple[Any, ...], tuple[native.Plan, int]] = {}

    def find(self, tensors: Sequence[Tensor]) -> tuple[native.Plan, int]:
        """The plan for these tensors, and how many threads they are worth."""
        sizes, dtypes = tuple([t.numel() for t in tensors]), tuple([t.dtype for t in tensors])
        key = (sizes, dtypes)
        if key not in self.known:
            if len(self.known) >= _PLANS:
                self.known.clear()
            plan = native.Plan(sizes, [_NAMES[dtype] for dtype in dtypes])
            self.known[key] = plan, 1 + sum(sizes) // _PER_THREAD
        return self.known[key]


_plans: Final = _Plans()


def at_once(tensors: Sequence[Tensor]) -> bytes | None:
    """The words of ``tensors`` where the C kernel can read all of them as they lie; None where it cannot.

    The short way for a step's gradients: between a backward pass and an optimizer every Python
    instruction comes from cold caches.
    """
    if not tensors or not all([_readable(tensor) for tensor in tensors]) or not native.available():  # noqa: C419
        return None
    return _read(tensors)


def words(tensors: Sequence[Tensor]) -> Tensor:
    """The statistics of ``tensors`` as an int32 matrix of shape (12, R), on the first one's device.

    Like :func:`portable.words`: each tensor counts by the dense, real values that this process holds;
    nothing is written to it, no random state touched, no collective started, no device waited for.
    """
    local = [t if type(t) in _PLAIN and t.layout is torch.strided else portable.plain(t) for t in tensors]
    if not local or not native.available():
        return portable.words(local)
    readable = [_readable(tensor) for tensor in local]
    if all(readable):
        return matrix(_read(local))
    if not any(readable) or not all(tensor.is_cpu for tensor in local):
        return portable.words(local)
    return _mixed(local, readable)


def matrix(words: bytes) -> Tensor:
    """The bytes of a step as an int32 matrix of shape (12, R)."""
    if not words:
        return torch.empty((WORDS, 0), dtype=torch.int32)
    return torch.frombuffer(bytearray(words), dtype=torch.int32).view(WORDS, -1)


def _readable(tensor: Tensor) -> bool:
    return (
        type(tensor) in _PLAIN
        and tensor.is_cpu
        and tensor.dtype in _NAMES
        and tensor.layout is torch.strided
        and (tensor.is_contiguous() or _dense(tensor))
        and not tensor.is_neg()
    )


def _dense(tensor: Tensor) -> bool:
    """Whether the elements fill one stretch of memory, in any order of dimensions."""
    expected = 1
    for stride, size in sorted(zip(tensor.stride(), tensor.shape, strict=True)):
        if size != 1:
            if stride != expected:
                return False
            expected *= size
    return True


def _read(tensors: Sequence[Tensor]) -> bytes:
    plan, useful = _plans.find(tensors)
    threads = 1 if useful == 1 else min(useful, torch.get_num_threads())
    return bytes(plan.run([tensor.data_ptr() for tensor in tensors], threads))


def _mixed(tensors: Sequence[Tensor], readable: Sequence[bool]) -> Tensor:
    """Some for the C kernel, some (strided apart, unusual dtypes) for the framework."""
    joined = torch.empty((WORDS, len(tensors)), dtype=torch.int32)
    for kernel, wanted in ((words, True), (portable.words, False)):
        at = [i for i, fits in enumerate(readable) if fits is wanted]
        joined[:, at] = kernel([tensors[i] for i in at])
    return joined
