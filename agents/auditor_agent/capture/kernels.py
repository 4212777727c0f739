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
        return _native(local)
    if not any(readable) or not all(tensor.is_cpu for tensor in local):
        return portable.words(local)
    return _mixed(local, readable)


def _readable(tensor: Tensor) -> bool:
    return (
        tensor.is_cpu
        and tensor.dtype in _NAMES
        and (tensor.is_contiguous() or _dense(tensor))
        and not tensor.is_neg()
        and type(tensor) in _PLAIN
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


def _native(tensors: Sequence[Tensor]) -> Tensor:
    plan, useful = _plans.find(tensors)
    view = plan.run([tensor.data_ptr() for tensor in tensors], min(useful, torch.get_num_threads()))
    return torch.frombuffer(bytearray(view), dtype=torch.int32).view(WORDS, len(tensors))


def _mixed(tensors: Sequence[Tensor], readable: Sequence[bool]) -> Tensor:
    """Some for the C kernel, some (strided apart, unusual dtypes) for the framework."""
    matrix = torch.empty((WORDS, len(tensors)), dtype=torch.int32)
    for kernel, wanted in ((_native, True), (portable.words, False)):
        at = [i for i, fits in enumerate(readable) if fits is wanted]
        matrix[:, at] = kernel([tensors[i] for i in at])
    return matrix
