"""What the flight recorder saw of one step, and the ``record`` frames that carry it.

The format is described in docs/wire-format.md. Standard library only; no array is copied until its
frame is made.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

ROLES: Final = ("weight", "gradient", "updated", "batch", "target", "output", "activation", "units", "factor")
"""What an array is to the step; ``factor`` to its loss, which was multiplied with it or picks by it.

Besides these, ``state.<name>`` for the optimizer's state after the step.
"""
STATE: Final = "state."
ALIGNMENT: Final = 8
"""Arrays begin at multiples of so many bytes within the block."""
PART_BYTES: Final = 1 << 20
"""A frame is closed once it holds so many bytes of arrays: a step's recording may take several frames."""
PART_ARRAYS: Final = 4096


@dataclass(frozen=True, slots=True)
class Array:
    """One recorded tensor, whole or a sample of it.

    ``data`` holds ``elements`` elements of ``dtype`` (NumPy's name, or ``bfloat16``), little-endian,
    in C order. With fewer elements than the shape has, they are those of :func:`positions`. No data
    at all but elements: the same as ``updated`` under this name one step before.
    """

    role: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    data: bytes

    @property
    def size(self) -> int:
        """Elements of the whole tensor."""
        size = 1
        for extent in self.shape:
            size *= extent
        return size


@dataclass(frozen=True, slots=True)
class Recording:
    """One step: its arrays, the scalars that belong to them, and facts that are not numbers."""

    step: int
    arrays: Sequence[Array]
    scalars: Mapping[str, float] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    left_out: Mapping[str, int] = field(default_factory=dict)
    """Arrays of this step that were not recorded, by reason."""
    phase: str = "train"
    """``eval``: not the step itself, but the first batch of an evaluation after it."""

    @property
    def nbytes(self) -> int:
        """Bytes of its arrays."""
        return sum(len(array.data) for array in self.arrays)

    def parts(self) -> Iterator[tuple[dict[str, Any], bytes]]:
        """Header fields and block of each frame that it takes; at least one."""
        groups = list(_groups(self.arrays)) or [[]]
        for part, group in enumerate(groups):
            entries, block = _block(group)
            header: dict[str, Any] = {"step": self.step, "part": part, "parts": len(groups), "arrays": entries}
            if self.phase != "train":
                header["phase"] = self.phase
            if part == 0:
                header |= {"scalars": dict(self.scalars), "facts": self.facts, "left_out": dict(self.left_out)}
            yield header, block


def positions(size: int, count: int) -> list[int]:
    """The flat (C order) indices of the ``count`` elements that stand for a tensor of ``size``.

    Evenly spread, first and last included: ``i * (size - 1) // (count - 1)`` for ``i`` from 0 to
    ``count - 1``; all of them if ``count`` is not smaller than ``size``; the first alone if it is 1.
    Both sides compute them, so they are not sent.
    """
    if count >= size:
        return list(range(size))
    if count <= 1:
        return [0][:count]
    return [i * (size - 1) // (count - 1) for i in range(count)]


def _groups(arrays: Sequence[Array]) -> Iterator[list[Array]]:
    group: list[Array] = []
    size = 0
    for array in arrays:
        if group and (size + len(array.data) > PART_BYTES or len(group) >= PART_ARRAYS):
            yield group
            group, size = [], 0
        group.append(array)
        size += len(array.data)
    if group:
        yield group


def _block(arrays: Sequence[Array]) -> tuple[list[list[Any]], bytes]:
    entries: list[list[Any]] = []
    pieces: list[bytes] = []
    offset = 0
    for array in arrays:
        length = len(array.data)
        sampled = array.elements < array.size
        entries.append(
            [array.role, array.name, array.dtype, list(array.shape), array.elements, offset, length, sampled]
        )
        gap = -length % ALIGNMENT
        pieces += [array.data, bytes(gap)]
        offset += length + gap
    return entries, b"".join(pieces)
