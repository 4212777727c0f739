"""Tensors of a traced step, handed out at some steps by the C library: ``tensorflow_taps.h`` from Python.

The same for a step that XLA compiles (a custom call) and one that runs op by op (an operation). At
other steps than those asked for a tap takes digests of the batch, if it has any, and nothing else.
"""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from auditor_agent.capture import native
from auditor_agent.capture.native.tensorflow import custom_calls, loaded

#: What a tap takes of an operand: elements as they are (``stream.recording.positions``), figures of each
#: unit (last axis), or its digest at every step (``capture.batches``). AHEAD: as COPY, under XLA by a call of its own
#: as soon as the operand is there, so that its memory need not be kept until the step's end.
COPY, UNITS, DIGEST, AHEAD = 0, 1, 2, 3
#: The schedule of a digest: no block has it.
NEVER: Final = 2
#: Digests kept until they are read.
DIGESTS: Final = 4096
#: Rows of the figures: mean, standard deviation, minimum, maximum, values beyond +-0.99, values outside 0.01-0.99.
FIGURES: Final = 6
_PREFIX: Final = 3 + 5  # words of a block before its operands: bytes, step, schedules; the head


@dataclass(frozen=True, slots=True)
class Operand:
    """One tensor that a tap offers."""

    tensor: Any
    mode: int
    schedule: int
    """0 or 1: at whose steps it is taken; NEVER."""
    most: int
    """Elements, or rows of a matrix of units, that are copied; evenly spread ones of more. Of a digest: runs."""

    def spec(self) -> tuple[int, ...]:
        """The five numbers that the library is told."""
        name, size = self.tensor.dtype.name, int(self.tensor.dtype.size)
        code = native.DTYPES.get(name, -size)
        if self.mode == DIGEST:
            code = ord(_host_type(self.tensor.dtype).kind) << 8 | size
        return (self.mode, self.schedule, code, int(self.tensor.shape.rank), self.most)


@dataclass(frozen=True, slots=True)
class Taken:
    """One operand at one step."""

    shape: tuple[int, ...]
    values: npt.NDArray[Any]
    """The elements copied, flat; bfloat16 as the uint16 that it is. Of units: their figures, (6, units) float64."""
    rows: npt.NDArray[np.float32] | None = None
    """Of units: the rows taken, (rows, units)."""


@dataclass(frozen=True, slots=True)
class Block:
    """What a tap took at one step."""

    step: int
    schedules: int
    """Bits of the schedules that asked."""
    head: tuple[float, ...]
    operands: tuple[Taken | None, ...]
    """None: not asked for."""


class _Fields(ctypes.Structure):
    """The first fields of the library's ``tap``: read in place."""

    _fields_ = tuple((name, ctypes.c_int64) for name in ("waiting", "lost", "key", "digested"))


class Tap:
    """What one traced step offers. Freed with this object; a late call then does nothing.

    Args:
        operands: tensors of the graph that is being traced.
        offset: with ``accumulate``: step = iterations // accumulate + offset + 1.
        accumulate: iterations to a step.

    Raises:
        MemoryError: without memory for it, or with hundreds of others alive.
        RuntimeError: if the library is not there.
    """

    def __init__(self, operands: Sequence[Operand], offset: int, accumulate: int) -> None:
        library = loaded()[0]
        if library is None:
            raise RuntimeError("the operation was not built")
        self._specs = [operand.spec() for operand in operands]
        self._types = [_host_type(operand.tensor.dtype) for operand in operands]
        numbers = np.asarray(self._specs, np.int64).reshape(-1)
        library.auditor_tap_new.restype = ctypes.c_void_p
        library.auditor_tap_new.argtypes = [ctypes.c_int64, ctypes.c_void_p]
        library.auditor_tap_read.restype = ctypes.c_int64
        library.auditor_tap_read.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64]
        library.auditor_tap_digests.restype = ctypes.c_int64
        library.auditor_tap_digests.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
        library.auditor_tap_count.argtypes = [ctypes.c_int64] * 3
        library.auditor_tap_schedule.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p, *[ctypes.c_int64] * 2]
        library.auditor_tap_delete.argtypes = [ctypes.c_int64]
        address = library.auditor_tap_new(len(operands), numbers.ctypes.data)
        if not address:
            raise MemoryError("tap")
        self._library, self._fields = library, _Fields.from_address(address)
        self.key, self._digested = int(self._fields.key), 0
        self._table: npt.NDArray[np.int64] | None = None
        library.auditor_tap_count(self.key, offset, accumulate)
        weakref.finalize(self, library.auditor_tap_delete, self.key).atexit = False

    @property
    def waiting(self) -> int:
        """Blocks that were not read yet."""
        return int(self._fields.waiting)

    @property
    def lost(self) -> int:
        """Blocks left out because too many bytes waited."""
        return int(self._fields.lost)

    def schedule(self, number: int, steps: Sequence[int], every: int = 0) -> None:
        """Take the operands of schedule ``number`` at ``steps``, and at each ``every``th unless 0."""
        told = np.asarray(steps, np.int64)
        self._library.auditor_tap_schedule(self.key, number, told.ctypes.data, told.size, every)

    def call(self, head: Sequence[Any], operands: Sequence[Operand], *, jit: bool) -> Any:
        """Put the call into the graph that is being traced: its operation; under XLA its result, to be used.

        Args:
            head: five scalars.
            operands: as given before.
            jit: whether XLA compiles the graph. Outside of it each operation costs a step some microseconds:
                there is only the one.
        """
        tensors = [operand.tensor for operand in operands]
        if not jit:
            with tf.device("CPU:0"):
                return loaded()[1].auditor_tap([*head, *tensors], key=self.key)
        shapes = [tf.shape(tensor, tf.int64) for tensor in tensors]
        scalars = tf.stack([tf.cast(part, tf.float64) for part in head])
        for at, (operand, shape) in enumerate(zip(operands, shapes, strict=True)):
            if operand.mode == AHEAD:
                count = tf.cast(head[0], tf.float64)
                tensors[at] = custom_calls("auditor_tap_ahead", f"{self.key} {at}", [count, shape, tensors[at]])
        given = [scalars, tf.concat([*shapes, tf.zeros([1], tf.int64)], 0), *tensors]
        return custom_calls("auditor_tap", str(self.key), given)

    def digests(self) -> list[list[int]]:
        """Step, samples and digest of the batches since the last call, oldest first; the last DIGESTS of them."""
        if self._fields.digested == self._digested:
            return []
        if self._table is None:
            self._table = np.empty((DIGESTS, 3), np.int64)  # pages that are never filled cost nothing
        written = int(self._library.auditor_tap_digests(self.key, self._digested, self._table.ctypes.data))
        count = min(written - self._digested, DIGESTS)
        self._digested = written
        return self._table[:count].tolist()  # type: ignore[no-any-return]  # NumPy's types do not say

    def read(self) -> list[Block]:
        """The blocks since the last call, oldest first."""
        blocks = []
        while self.waiting:
            size = self._library.auditor_tap_read(self.key, None, 0)
            buffer = np.empty(size // 8, np.int64)
            if not size or self._library.auditor_tap_read(self.key, buffer.ctypes.data, size) != size:
                break
            blocks.append(self._parse(buffer))
        return blocks

    def _parse(self, words: npt.NDArray[np.int64]) -> Block:
        head = tuple(words[3:_PREFIX].view(np.float64).tolist())
        at = _PREFIX
        operands: list[Taken | None] = []
        for (mode, _, _, rank, _), dtype in zip(self._specs, self._types, strict=True):
            count, shape = int(words[at]), tuple(words[at + 1 : at + 1 + rank].tolist())
            at += 1 + rank
            if count < 0:
                operands.append(None)
                continue
            units = shape[-1] if shape else 1
            size = FIGURES * 8 * units + 4 * count * units if mode == UNITS else count * dtype.itemsize
            raw = words[at : at + -(-size // 8)].view(np.uint8)[:size]
            at += -(-size // 8)
            operands.append(_units(shape, raw, units) if mode == UNITS else Taken(shape, raw.view(dtype)))
        return Block(int(words[1]), int(words[2]), head, tuple(operands))


def _units(shape: tuple[int, ...], raw: npt.NDArray[np.uint8], units: int) -> Taken:
    cut = FIGURES * 8 * units
    rows = raw[cut:].view(np.float32).reshape(-1, max(1, units))
    return Taken(shape, raw[:cut].view(np.float64).reshape(FIGURES, units), rows)


def _host_type(dtype: Any) -> np.dtype[Any]:
    return np.dtype(np.uint16) if dtype == tf.bfloat16 else np.dtype(dtype.as_numpy_dtype)
