"""The C kernel on tensors whose kind does not change from step to step, with the fewest instructions.

Between a backward pass and an optimizer every Python instruction comes from cold caches: a look
that takes 30 µs in a loop of its own takes 100 there. What never changes is therefore settled once,
and each step only asks whether it still holds, in loops that run inside the interpreter.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Final

import torch
from torch import Tensor

from auditor_agent.capture import kernels, native

_PLAIN: Final = frozenset({Tensor})
_dtype = attrgetter("dtype")


class Steady:
    """Reads the gradients of ``parameters``, as long as they are dense, contiguous and in host memory.

    Args:
        parameters: whose gradients come.
        histograms: whether histograms may be asked for.
    """

    def __init__(self, parameters: Sequence[Tensor], *, histograms: bool = False) -> None:
        self.usable = bool(parameters) and native.available() and all(map(_fits, parameters))
        if not self.usable:
            return
        self._sizes = [parameter.numel() for parameter in parameters]
        self._dtypes = [parameter.dtype for parameter in parameters]
        names = [kernels.NAMES[dtype] for dtype in self._dtypes]
        self._plan = native.Plan(self._sizes, names)
        self._counting = native.Plan(self._sizes, names, histogram=True) if histograms else self._plan
        self._threads = 1 + self._plan.elements // kernels.PER_THREAD
        self._row = 4 * len(self._sizes)
        self._none = bytes(2 * self._row)

    def read(self, gradients: Sequence[Tensor], *, histograms: bool = False) -> tuple[bytes, bool, bytes] | None:
        """The words of ``gradients`` and whether all is finite; None where they are not what they were.

        The last of the three are the histograms' counters if they were asked for.
        """
        if (
            set(map(type, gradients)) != _PLAIN
            or list(map(_dtype, gradients)) != self._dtypes
            or not all(map(Tensor.is_contiguous, gradients))
            or any(map(Tensor.is_neg, gradients))
            or list(map(Tensor.numel, gradients)) != self._sizes
        ):
            return None
        threads = 1 if self._threads == 1 else min(self._threads, torch.get_num_threads())
        plan = self._counting if histograms else self._plan
        words = bytes(plan.run(list(map(Tensor.data_ptr, gradients)), threads))
        counters = bytes(plan.histograms or b"") if histograms else b""
        return words, words[self._row : 3 * self._row] == self._none, counters


def _fits(parameter: Tensor) -> bool:
    return type(parameter) in kernels.PLAIN and kernels.readable(parameter)
