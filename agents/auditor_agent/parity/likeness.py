"""How far two tensors are apart, and in which layout they are the same thing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from auditor_agent.parity.cells import F64, Turn

#: Unit roundoff of float32.
U: Final = 2.0**-24
#: A difference above so many times what rounding explains is a divergence: see the mismatch study's controls.
FACTOR: Final = 16.0
#: Keras takes 1 - beta**t in float32: its Adam and PyTorch's differ by 6.7e-6 (catalogue OPT-28).
ADAM_FLOOR: Final = 1.5e-5


def distance(a: F64, b: F64) -> float:
    """Relative distance ||a - b|| / ||a||; infinite between shapes, and between a number and none."""
    if a.shape != b.shape:
        return float("inf")
    finite_a, finite_b = np.isfinite(a), np.isfinite(b)
    if not (finite_a.all() and finite_b.all()):
        return 0.0 if np.array_equal(a, b, equal_nan=True) else float("inf")
    apart = float(np.linalg.norm((a - b).ravel()))
    size = max(float(np.linalg.norm(a.ravel())), float(np.linalg.norm(b.ravel())))
    return 0.0 if apart == 0.0 else apart / max(size, 1e-300)


def layouts(a: tuple[int, ...], b: tuple[int, ...]) -> Iterator[Turn]:
    """Ways to lay a tensor of shape ``b`` so that it has shape ``a``, the plainest first."""
    if a == b:
        yield lambda x: x
    rank = len(a)
    if rank == len(b) >= 3:
        first = (0, rank - 1, *range(1, rank - 1))
        swapped = (1, 0, *range(2, rank))
        last = (0, *range(2, rank), 1)
        for order in (first, swapped, last):
            if tuple(b[i] for i in order) == a:
                yield lambda x, order=order: x.transpose(order)  # type: ignore[misc] # a default keeps the order
    if rank == len(b) and rank < 3:
        return
    squeezed = [tuple(n for n in shape if n != 1) for shape in (a, b)]
    if squeezed[0] == squeezed[1] and rank != len(b):
        yield lambda x: x.reshape(a)


def best_layout(a: F64, b: F64) -> tuple[float, Turn] | None:
    """The layout of ``b`` that comes closest to ``a``, with its distance; None if no layout fits."""
    tried = [(distance(a, turn(b)), turn) for turn in layouts(a.shape, b.shape)]
    return min(tried, key=lambda one: one[0]) if tried else None
