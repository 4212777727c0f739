"""The host's side of the Triton kernel: what stays between steps, the table of addresses, the launches.

Two launches per step on the current stream and one small copy to the device; nothing waits for the
device and nothing is read back here (``capture.transfer`` does that, a step later).

Only addresses change between steps: with ``zero_grad(set_to_none=True)`` nine in ten do, so the table
is sent anew each time, from page-locked memory that PyTorch's allocator keeps until it was read.

Under a CUDA graph the table must live outside the capture, for what it holds is only known
afterwards; everything else is capturable::

    plan = Plan(sizes, dtypes, device)
    table = plan.table([0] * len(sizes))
    with torch.cuda.graph(graph):
        ...
        matrix = plan.launch(table)
    table.copy_(plan.table([t.data_ptr() for t in gradients]))  # once: a graph's addresses stay
    graph.replay()
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from auditor_agent.capture import triton_kernel
from auditor_agent.statistics import WORDS

#: Element types the kernel reads, as it names them.
DTYPES: Final = {
    torch.float32: triton_kernel.FLOAT32.value,
    torch.float64: triton_kernel.FLOAT64.value,
    torch.bfloat16: triton_kernel.BFLOAT16.value,
    torch.float16: triton_kernel.FLOAT16.value,
}
#: Elements a round, rounds a task: eight elements a thread, four warps, 64 KiB of bfloat16 a task.
_BLOCK: Final = 1024
_ROUNDS: Final = 32
#: Tasks that one round of the merge takes.
_MERGED: Final = 256


class Plan:
    """The sizes and dtypes of a list of tensors on one device, kept between steps.

    Holds nothing that a launch writes. What it holds is sent to the device on the current stream:
    another stream has to wait for that one before it launches.

    Args:
        sizes: elements of each tensor; its storage must be dense (any order of dimensions).
        dtypes: out of :data:`DTYPES`.
        device: where the tensors are; the CPU only in Triton's interpreter.
        block: elements a round, a power of two, at least 32.
        rounds: rounds a task, a multiple of four.

    Raises:
        KeyError: for a dtype the kernel does not read.
    """

    def __init__(
        self,
        sizes: Sequence[int],
        dtypes: Sequence[torch.dtype],
        device: torch.device,
        *,
        block: int = _BLOCK,
        rounds: int = _ROUNDS,
    ) -> None:
        self._device, self._block, self._rounds = device, block, rounds
        length = torch.tensor(sizes, dtype=torch.int64, device="cpu")
        width = torch.tensor([dtype.itemsize for dtype in dtypes], dtype=torch.int64, device="cpu")
        # A window may begin before its tensor, at the aligned address: room for that much more.
        room = length + (triton_kernel.ALIGNMENT.value // width - 1)
        tasks = torch.where(length > 0, (room + block * rounds - 1) // (block * rounds), 0)
        firsts = torch.cat((torch.zeros(1, dtype=torch.int64, device="cpu"), tasks.cumsum(0)))
        owners = torch.repeat_interleave(torch.arange(len(sizes), device="cpu"), tasks)
        offsets = (torch.arange(len(owners), device="cpu") - firsts[owners]) * (block * rounds)
        self._tensors, self._tasks = len(sizes), len(owners)
        self._sizes = self._send(length)
        self._kinds = self._send(torch.tensor([DTYPES[dtype] for dtype in dtypes], dtype=torch.int32, device="cpu"))
        self._firsts = self._send(firsts.int())
        self._owners = self._send(owners.int())
        self._offsets = self._send(offsets)

    def table(self, addresses: Sequence[int]) -> Tensor:
        """The addresses of the tensors' first elements, on the device; 0 only for empty tensors.

        Must not be called while a CUDA graph is captured.
        """
        return self._send(torch.tensor(addresses, dtype=torch.int64, device="cpu"))

    def launch(self, table: Tensor, histograms: Tensor | None = None) -> Tensor:
        """The words of the tensors that ``table`` points to, shape (12, R), int32, on the device.

        Args:
            table: from :meth:`table`.
            histograms: int32[R, 64], to which magnitudes are added (uint32 bits, which wrap; bins as
                in ``auditor_agent.histogram``); costs a second reading.
        """
        moments = torch.empty((triton_kernel.MOMENT_ROWS.value, self._tasks), dtype=torch.float64, device=self._device)
        tallies = torch.empty((triton_kernel.TALLY_ROWS.value, self._tasks), dtype=torch.int32, device=self._device)
        words = torch.empty((WORDS, self._tensors), dtype=torch.int32, device=self._device)
        if self._tasks:
            triton_kernel.partial[(self._tasks,)](
                table,
                self._sizes,
                self._kinds,
                self._owners,
                self._offsets,
                moments,
                tallies,
                tallies if histograms is None else histograms,
                self._block,
                self._rounds,
                histograms is not None,
            )
        if self._tensors:
            triton_kernel.merge[(self._tensors,)](
                self._sizes, self._firsts, moments, tallies, words, self._tasks, _MERGED
            )
        return words

    def _send(self, tensor: Tensor) -> Tensor:
        """A copy on the device, without waiting for it."""
        if self._device.type == "cpu":
            return tensor
        return tensor.pin_memory().to(self._device, non_blocking=True)
