"""The C kernel within TensorFlow's own graphs: an operation, a custom call of XLA, and their ring.

The only module of this package that imports TensorFlow. ``operation()`` and ``custom_call()`` are
None where the library was not built, or where this TensorFlow does not take what it offers.
"""

from __future__ import annotations

import ctypes
import functools
import weakref
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import tensorflow as tf

from auditor_agent.capture import native
from auditor_agent.guard import note
from auditor_agent.histogram import BINS, HISTOGRAM_BYTES
from auditor_agent.statistics import ROW_BYTES, WORDS

_LIBRARY: Final = Path(__file__).with_name("tensorflow_ops.so")
#: ``auditor_tensorflow_abi`` of the library that goes with this module.
_ABI: Final = 3
_OPERATION, _CUSTOM_CALL = 1, 2
#: In place of a dtype: twelve words.
_REDUCED: Final = -1
#: float64 scalars at the beginning of a row; the last two count its non-finite elements and say when it was written.
SCALARS: Final = 7
#: Elements from which on XLA is given a call for a tensor alone; a call costs about what reading so many does.
APART: Final = 1 << 15
#: Places of the first fields of the library's ``ring``, int64 each.
_WRITTEN, _SUSPICIOUS, _KEY, _FIELDS = 0, 1, 4, 5
#: What a ring with histograms may take.
_COUNTED_BYTES: Final = 16 << 20


@functools.cache
def loaded() -> tuple[Any, Any, int]:
    """The library, its Python wrappers of operations, and what it registered."""
    kernel = native.function()
    if kernel is None or not _LIBRARY.exists():
        return None, None, 0
    try:
        module = tf.load_op_library(str(_LIBRARY))
        library = ctypes.CDLL(str(_LIBRARY))
    except (OSError, tf.errors.OpError) as error:
        note("the C library for TensorFlow cannot be loaded: slower ways are used", str(error))
        return None, None, 0
    version = getattr(library, "auditor_tensorflow_abi", None)
    if version is None or version() != _ABI:
        note("the C library for TensorFlow is another version's: build it anew; slower ways are used meanwhile")
        return None, None, 0
    library.auditor_ring_new.restype = ctypes.c_void_p
    library.auditor_ring_new.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_int64]
    library.auditor_ring_delete.restype = None
    library.auditor_ring_delete.argtypes = [ctypes.c_int64]
    library.auditor_ring_shape.restype = None
    library.auditor_ring_shape.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_void_p]
    library.auditor_ring_only.restype = None
    library.auditor_ring_only.argtypes = [ctypes.c_int64, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64]
    library.auditor_ring_count.restype = ctypes.c_int
    library.auditor_ring_count.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_int64]
    library.auditor_ring_read.restype = ctypes.c_int64
    library.auditor_ring_read.argtypes = [ctypes.c_int64, ctypes.c_int64, ctypes.c_void_p]
    library.auditor_tensorflow_bind.argtypes = [ctypes.c_void_p]
    return library, module, int(library.auditor_tensorflow_bind(kernel))


def operation() -> Callable[..., Any] | None:
    """The operation that records a row: ``(values, key=)``; for CPU devices, not under XLA."""
    _, module, offered = loaded()
    return module.auditor_record if offered & _OPERATION else None


def custom_call() -> Callable[[str, Sequence[Any]], Any] | None:
    """Emits the custom call that records a row: ``(key, operands)``, under XLA on the host only.

    Its result, a scalar, must be used: otherwise TensorFlow prunes the call.
    """
    if not loaded()[2] & _CUSTOM_CALL or _xla() is None:
        return None
    return functools.partial(custom_calls, "auditor_record")


def custom_calls(target: str, key: str, operands: Sequence[Any]) -> Any:
    """Emits a custom call of this library: the scalar int64 that it gives."""
    return _emitted(target, operands, tf.TensorSpec([], tf.int64), key, acts=True)


def apart(tensor: Any) -> bool:
    """Whether a tensor within XLA is large enough for a call of its own.

    Made as soon as the tensor is there, beside other work, while a cache still holds it; and its memory
    is XLA's again before the step ends.
    """
    size = tensor.shape.num_elements()
    return size is not None and size >= APART


def reduced(value: Any, threads: int) -> Any:
    """Emits the custom call that makes the twelve words of one tensor, uint32.

    Raises:
        KeyError: for a dtype the kernel does not read.
    """
    told = f"{value.shape.num_elements()} {native.DTYPES[value.dtype.name]} {threads}"
    return _emitted("auditor_reduce", [value], tf.TensorSpec([WORDS], tf.uint32), told, acts=False)


def _emitted(target: str, operands: Sequence[Any], result: Any, told: str, *, acts: bool) -> Any:
    module = _xla()
    if module is None:
        raise RuntimeError("this TensorFlow has no custom calls")
    return module.custom_call_v2(target, operands, [result], backend_config=told, has_side_effect=acts)[0]


@functools.cache
def _xla() -> Any:
    try:
        from tensorflow.compiler.tf2xla.python import xla
    except ImportError:
        return None
    return xla


class Ring:
    """Rows that wait in this process's memory. Freed with this object; late rows then go nowhere.

    Args:
        rows: steps kept before the oldest is overwritten.
        tensors: in each row.
        threads: that the kernel may use at a step.

    Raises:
        MemoryError: without memory for it, or with a thousand others alive.
        RuntimeError: if the library is not there.
    """

    def __init__(self, rows: int, tensors: int, *, threads: int = 1) -> None:
        library = loaded()[0]
        if library is None:
            raise RuntimeError("the operation was not built; see operation()")
        address = library.auditor_ring_new(rows, tensors, threads)
        if not address:
            raise MemoryError("statistics ring")
        self._library, self.rows, self.tensors = library, rows, tensors
        # Read in place, after nearly every step: with cold caches a structure of ctypes takes some microseconds.
        self._fields = memoryview((ctypes.c_int64 * _FIELDS).from_address(address)).cast("B").cast("q")
        self.key = self._fields[_KEY]
        self.read_so_far, self.lost, self._counted = 0, 0, False
        self.whole = True
        """Whether each update has a row, and no histograms."""
        self._table: npt.NDArray[np.uint8] | None = None
        weakref.finalize(self, library.auditor_ring_delete, self.key).atexit = False

    @property
    def waiting(self) -> int:
        """Rows since the last read, lost ones included."""
        return self._fields[_WRITTEN] - self.read_so_far

    @property
    def suspicious(self) -> bool:
        """Whether a row with anything non-finite waits."""
        return self._fields[_SUSPICIOUS] > 0

    def shapes(self, tensors: Sequence[Any]) -> None:
        """Say what the custom call will hand over: tensors, or (uint32) what :func:`reduced` made of one."""
        kinds = [_REDUCED if tensor.dtype == tf.uint32 else native.DTYPES[tensor.dtype.name] for tensor in tensors]
        sizes = [0 if k == _REDUCED else int(t.shape.num_elements()) for k, t in zip(kinds, tensors, strict=True)]
        counts, codes = np.asarray(sizes, np.int64), np.asarray(kinds, np.int32)
        self._library.auditor_ring_shape(self.key, counts.ctypes.data, codes.ctypes.data)

    def only(self, early: Sequence[int], every: int) -> None:
        """Have only some rows written: of the updates ``early`` (16 at most) and of each ``every``th, from 1."""
        numbers = np.asarray(early, np.int64)
        self.whole = False
        self._library.auditor_ring_only(self.key, numbers.ctypes.data, numbers.size, every)

    def count(self, every: int, least: int) -> None:
        """Have histograms counted at the first update and each ``every``th; fewer rows are then kept.

        Before the first row. Nothing changes if there is no memory for ``least`` rows.
        """
        rows = min(self.rows, _COUNTED_BYTES // (self._row_bytes + HISTOGRAM_BYTES * self.tensors))
        if rows >= least and self._library.auditor_ring_count(self.key, every, rows) == 0:
            self.rows, self._counted, self.whole = rows, True, False

    @property
    def _row_bytes(self) -> int:
        return 8 * SCALARS + (ROW_BYTES + (HISTOGRAM_BYTES if self._counted else 0)) * self.tensors

    def read(self) -> list[tuple[npt.NDArray[np.float64], npt.NDArray[np.uint32], npt.NDArray[np.uint32] | None]]:
        """The rows since the last call, oldest first: seven scalars, (12, tensors) words, (tensors, 64) histograms.

        None in place of histograms that were not counted.
        """
        if self._fields[_WRITTEN] == self.read_so_far:
            return []
        if self._table is None or self._table.shape != (self.rows, self._row_bytes):
            # As many may be written before the call has the lock; pages that are never filled cost nothing.
            self._table = np.empty((self.rows, self._row_bytes), np.uint8)
        table = self._table
        written = self._library.auditor_ring_read(self.key, self.read_so_far, table.ctypes.data)
        count = min(written - self.read_so_far, self.rows)
        self.lost += written - self.read_so_far - count
        self.read_so_far = written
        table = table[:count].copy()
        scalars = table[:, : 8 * SCALARS].copy().view(np.float64)
        end = 8 * SCALARS + ROW_BYTES * self.tensors
        words = [row[8 * SCALARS : end].view(np.uint32).reshape(-1, self.tensors) for row in table]
        bins = [row[end:].view(np.uint32).reshape(-1, BINS) for row in table]
        return [(scalars[i], words[i], bins[i] if bins[i].any() else None) for i in range(count)]
