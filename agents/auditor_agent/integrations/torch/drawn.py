"""Whether random numbers were drawn meanwhile: a forward pass that drops units, or samples, moves a generator on."""

from __future__ import annotations

from typing import Any, Final

import torch

#: A generator's state: that of the host in full (5 KB), of the current device its offset, which needs no wait for it.
Mark = tuple[torch.Tensor, int | None]
_INSIDE_GRAPH: Final = (RuntimeError, AttributeError, IndexError)


def mark() -> Mark:
    """Where the generators stand that a program draws from unless it has its own."""
    return torch.default_generator.get_state(), _offset()


def since(before: Mark | None) -> bool | None:
    """Whether one of them was drawn from after ``before``; None: not known."""
    if before is None:
        return None
    state, offset = mark()
    return not torch.equal(state, before[0]) or offset != before[1]


def _offset() -> int | None:
    cuda: Any = torch.cuda
    try:
        return int(cuda.default_generators[cuda.current_device()].get_offset()) if cuda.is_initialized() else None
    except _INSIDE_GRAPH:  # while a graph is captured, or of a release without offsets
        return None
