"""Whether a program changes its gradients itself, between the backward pass and the optimizer's step.

A decay that is added to them, noise, a clipping of its own: whoever holds the optimizer's settings against another
program's should know that they are not all there is. Told by what PyTorch counts of writes to a tensor, without a
look at any number; ``torch.nn.utils.clip_…`` and a GradScaler write to them too, and are told elsewhere.
"""

from __future__ import annotations

import weakref
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor
from torch.optim import Optimizer

#: A gradient as a pass left it, and how often it had been written to.
_Mark = tuple["weakref.ref[Tensor]", int]


@dataclass(slots=True)
class Altered:
    """The gradients of one optimizer since its last backward pass."""

    marks: dict[int, _Mark] = field(default_factory=dict)

    def passed(self, optimizer: Optimizer) -> None:
        """A backward pass is over."""
        self.marks = {id(parameter): (weakref.ref(grad), _writes(grad)) for parameter, grad in _gradients(optimizer)}

    def found(self, optimizer: Optimizer) -> bool | None:
        """Whether any is another now, as ``optimizer`` is about to step; None where no pass was seen."""
        if not self.marks:
            return None
        for parameter, grad in _gradients(optimizer):
            mark = self.marks.get(id(parameter))
            if mark is not None and (mark[0]() is not grad or mark[1] != _writes(grad)):
                return True
        return False


def _gradients(optimizer: Optimizer) -> list[tuple[Any, Tensor]]:
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    return [(parameter, parameter.grad) for parameter in parameters if parameter.grad is not None]


def _writes(tensor: Tensor) -> int:
    return 0 if tensor.is_inference() else tensor._version  # noqa: SLF001 - tells of writes without a look
