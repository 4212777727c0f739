"""The flight recorder's frames as NumPy arrays, and a run's recordings step by step.

The layout is described in docs/wire-format.md, ``record``. Everything a header declares is checked
against the block before an array is made of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from auditor.ingest.decode import number
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import PART_ARRAYS
from auditor_agent.stream.wire import Frame, WireError

if TYPE_CHECKING:
    from auditor.store.records import StoredChunk
    from auditor.store.store import Store

BFLOAT16: Final = "bfloat16"
_DTYPES: Final = frozenset({"bool", "float16", "float32", "float64", BFLOAT16}) | {
    f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)
}
MAX_DIMENSIONS: Final = 32
MAX_NAME: Final = 1024
_MAX_SIZE: Final = 2**53


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded tensor.

    ``values`` are its elements, flat, those at ``indices`` of the flattened tensor; bfloat16 comes
    as float32. ``values`` is None for a weight that equals ``updated`` of the step before, which
    :func:`recordings` fills in.
    """

    role: str
    name: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    values: npt.NDArray[Any] | None

    @property
    def size(self) -> int:
        """Elements of the whole tensor."""
        return _product(self.shape)

    @property
    def sampled(self) -> bool:
        """Whether elements are missing."""
        return self.elements < self.size

    @property
    def indices(self) -> npt.NDArray[np.int64]:
        """Flat (C order) indices of the recorded elements."""
        return indices(self.size, self.elements)

    def whole(self) -> npt.NDArray[Any]:
        """The tensor in its shape.

        Raises:
            ValueError: if elements are missing.
        """
        if self.values is None or self.sampled:
            raise ValueError(f"{self.role} {self.name}: {self.elements} of {self.size} elements recorded")
        return self.values.reshape(self.shape)


@dataclass(slots=True)
class StepRecording:
    """What the recorder saw of one step of one process: arrays by (role, name), scalars, facts.

    ``complete``: every part of it has arrived.
    """

    attempt: int
    rank: int
    step: int
    arrays: dict[tuple[str, str], Recorded] = field(default_factory=dict)
    scalars: dict[str, float] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    parts: set[int] = field(default_factory=set)
    expected: int = 1

    @property
    def complete(self) -> bool:
        """Whether every part has arrived."""
        return len(self.parts) >= self.expected

    def of(self, role: str) -> dict[str, Recorded]:
        """The arrays of one role by name, in the order in which they were recorded."""
        return {name: array for (kind, name), array in self.arrays.items() if kind == role}


def indices(size: int, count: int) -> npt.NDArray[np.int64]:
    """``stream.recording.positions`` as an array: which elements stand for a tensor of ``size``."""
    if count >= size:
        return np.arange(size, dtype=np.int64)
    if count <= 1:
        return np.zeros(count, np.int64)
    # Python integers where the product could leave int64.
    if (count - 1) * (size - 1) < 2**63:
        return np.arange(count, dtype=np.int64) * (size - 1) // (count - 1)
    return np.array([i * (size - 1) // (count - 1) for i in range(count)], np.int64)


def arrays(header: Mapping[str, Any], block: memoryview | bytes) -> list[Recorded]:
    """The arrays of one ``record`` frame; views into ``block`` where the type allows.

    Raises:
        WireError: if header and block do not add up.
    """
    entries = header.get("arrays")
    if not isinstance(entries, list) or len(entries) > PART_ARRAYS:
        raise WireError(f"record header: arrays is no list of at most {PART_ARRAYS}")
    return [_array(entry, memoryview(block)) for entry in entries]


def check(frame: Frame) -> None:
    """Raise WireError if a ``record`` frame does not hold what it declares."""
    part, parts = _whole_number(frame.header.get("part"), "part"), _whole_number(frame.header.get("parts"), "parts")
    _whole_number(frame.header.get("step"), "step")
    if not part < parts:
        raise WireError(f"record header: part {part} of {parts}")
    for name in ("scalars", "facts", "left_out"):
        if not isinstance(frame.header.get(name, {}), dict):
            raise WireError(f"record header: {name} is no object")
    for value in frame.header.get("scalars", {}).values():
        number(value)
    arrays(frame.header, frame.block)


def recordings(
    store: Store, run: str, *, attempt: int | None = None, rank: int | None = None, phase: str = "train"
) -> list[StepRecording]:
    """What the flight recorder saw of a run, by (attempt, rank, step).

    ``phase``: ``train`` for the steps, ``eval`` for the first batches of evaluations after them.

    Weights that a frame only refers to are filled in; one whose reference never arrived is left
    out and counted under ``left_out["reference_lost"]``.
    """
    return assemble(store.chunks(run, attempt=attempt, rank=rank, type="record"), phase)


def assemble(chunks: Iterable[StoredChunk], phase: str = "train") -> list[StepRecording]:
    """The recordings that ``record`` chunks hold; see :func:`recordings`."""
    found: dict[tuple[int, int, int], StepRecording] = {}
    for chunk in chunks:
        header = json.loads(chunk.header_json)
        key = (chunk.attempt, chunk.rank, int(header["step"]))
        if header.get("phase", "train") == phase:
            add(found.setdefault(key, StepRecording(*key)), header, chunk.payload)
    ordered = [found[key] for key in sorted(found)]
    for place, recording in enumerate(ordered):
        resolve(recording, ordered[place - 1] if place else None)
    return ordered


def add(recording: StepRecording, header: Mapping[str, Any], payload: bytes) -> None:
    """Put the arrays, scalars and facts of one frame into ``recording``."""
    for array in arrays(header, payload):
        recording.arrays[array.role, array.name] = array
    recording.parts.add(int(header["part"]))
    recording.expected = int(header["parts"])
    recording.scalars |= {str(name): jsonfinite.number(value) for name, value in header.get("scalars", {}).items()}
    recording.facts |= header.get("facts", {})
    recording.left_out |= header.get("left_out", {})


def resolve(recording: StepRecording, before: StepRecording | None) -> None:
    """Fill in the weights that are what the step before left."""
    follows = before is not None and (before.attempt, before.rank, before.step) == (
        recording.attempt,
        recording.rank,
        recording.step - 1,
    )
    for key, array in list(recording.arrays.items()):
        if array.values is not None:
            continue
        source = before.arrays.get(("updated", array.name)) if follows and before is not None else None
        if source is None or source.values is None or source.elements != array.elements:
            del recording.arrays[key]
            recording.left_out["reference_lost"] = recording.left_out.get("reference_lost", 0) + 1
        else:
            recording.arrays[key] = Recorded(
                array.role, array.name, array.dtype, array.shape, array.elements, source.values
            )


def _array(entry: Any, block: memoryview) -> Recorded:
    if not isinstance(entry, list) or len(entry) != 8:
        raise WireError("record header: an array is no list of eight")
    role, name, dtype, shape, count, start, length, _ = entry
    if not (isinstance(role, str) and isinstance(name, str)) or max(len(role), len(name)) > MAX_NAME:
        raise WireError("record header: role or name is no short text")
    if not isinstance(dtype, str) or dtype not in _DTYPES:
        raise WireError(f"record header: unknown dtype {str(dtype)[:40]!r}")
    if not isinstance(shape, list) or len(shape) > MAX_DIMENSIONS:
        raise WireError("record header: no such shape")
    extents = tuple(_whole_number(extent, "extent") for extent in shape)
    elements, offset, size = (_whole_number(v, "array") for v in (count, start, length))
    if _product(extents) > _MAX_SIZE or elements > _product(extents):
        raise WireError(f"record header: {elements} elements of a tensor of shape {extents}"[:200])
    if size == 0 and elements and role == "weight":
        return Recorded(role, name, dtype, extents, elements, None)
    width = 2 if dtype == BFLOAT16 else np.dtype(dtype).itemsize
    if size != elements * width or offset + size > len(block):
        raise WireError(f"record block: {len(block)} bytes, {elements} elements of {dtype} at {offset} declared")
    return Recorded(role, name, dtype, extents, elements, _values(dtype, block[offset : offset + size]))


def _values(dtype: str, data: memoryview) -> npt.NDArray[Any]:
    if dtype == BFLOAT16:  # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32)
    return np.frombuffer(data, np.dtype(dtype).newbyteorder("<"))


def _product(shape: Iterable[int]) -> int:
    size = 1
    for extent in shape:
        size *= extent
    return size


def _whole_number(value: Any, what: str) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= _MAX_SIZE:
        raise WireError(f"record header: {what} {str(value)[:40]!r} is no whole number")
    return value
