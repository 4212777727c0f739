"""The batches of a model's training passes: how many samples, which digest.

This runs before every forward pass, with cold caches: of the common batch, one plain tensor of the kind
that the last one was, only what may differ is asked.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import torch
from torch import Tensor

from auditor_agent.capture import native
from auditor_agent.capture.kernels import in_memory

try:
    from auditor_agent.capture import batches
except ImportError:  # no NumPy
    batches = None  # type: ignore[assignment]

#: What a float64 holds exactly.
_MASK: Final = (1 << 53) - 1


class Batches:
    """Those since the last :meth:`take`."""

    def __init__(self) -> None:
        self._samples = 0
        self._digest: int | None = None
        self._shape: torch.Size | None = None
        self._dtype: torch.dtype | None = None
        self._header = self._size = self._item = self._rows = 0
        self._runs = batches.runs_of(1) if batches is not None else 0
        self._add = native.digest() if batches is not None else None

    def take(self) -> tuple[int, int | None]:
        """Samples and digest, then forgotten."""
        found = self._samples, self._digest
        self._samples, self._digest = 0, None
        return found

    def one(self, tensor: Tensor) -> None:
        """The batch is this tensor."""
        if (
            self._add is not None
            and ((tensor.dtype is self._dtype and tensor.shape == self._shape) or self._learnt(tensor))
            and in_memory(tensor)
            and tensor.is_contiguous()
            and not tensor.is_neg()
        ):
            digest = self._add(0, self._header, tensor.data_ptr(), self._size, self._item, self._runs) & _MASK
            self._samples += self._rows
            self._fold(digest)
        else:
            self.several([tensor])

    def _learnt(self, tensor: Tensor) -> bool:
        """Whether tensors of this kind can be read as they lie in memory."""
        self._dtype = None
        if batches is None or not _readable(tensor) or tensor.is_complex():
            return False
        array, shape = _array(tensor.new_empty(())), tensor.shape
        self._header = batches.header_of(array.dtype.kind, array.itemsize, tuple(shape))
        self._size, self._item = tensor.numel(), array.itemsize
        self._rows = shape[0] if shape else 1
        self._shape, self._dtype = shape, tensor.dtype
        return True

    def several(self, tensors: Sequence[Tensor]) -> None:
        """The batch is these tensors, whatever they are."""
        if not tensors:
            return
        self._samples += tensors[0].shape[0] if tensors[0].dim() else 1
        if batches is not None and all(map(_readable, tensors)):
            self._fold(batches.batch_digest([_array(tensor) for tensor in tensors]))

    def _fold(self, digest: int) -> None:
        """One more batch of the step; the only one so far, shown again (a closure does), is still one batch."""
        if self._digest is None:
            self._digest = digest
        elif digest != self._digest:
            self._digest = (31 * self._digest + digest) & _MASK


def _readable(tensor: Tensor) -> bool:
    return tensor.is_cpu and tensor.layout is torch.strided


def _array(tensor: Tensor) -> Any:
    """A view of a tensor in host memory as NumPy knows it; bfloat16 as the uint16 that it is."""
    tensor = tensor.detach() if tensor.requires_grad else tensor
    if tensor.dtype is torch.bfloat16:
        return tensor.view(torch.int16).numpy().view("uint16")
    return tensor.resolve_conj().resolve_neg().numpy()
