"""The C kernel's Python side: finds the library, calls it, knows no framework.

``available()`` is False where the package was installed without a compiler; callers then use
``capture.portable``. The call releases the GIL.
"""

from __future__ import annotations

import ctypes
import functools
import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from auditor_agent.guard import note
from auditor_agent.histogram import BINS
from auditor_agent.statistics import ROW_BYTES

#: Element types the kernel reads, by the name that NumPy and the frameworks give them.
DTYPES: Final = {"float32": 0, "float64": 1, "bfloat16": 2, "float16": 3}
_MISSING: Final = "the C kernel was not built; see auditor_agent.capture.native.available()"
_LIBRARY: Final = Path(__file__).with_name("statistics.so")


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(_LIBRARY))
        library.auditor_digest.restype = ctypes.c_uint64
        library.auditor_units.restype = library.auditor_sample.restype = library.auditor_rows.restype = None
    except (OSError, AttributeError) as error:
        if _LIBRARY.exists():  # another version's, or another machine's
            note("the C library of the statistics cannot be used: build it anew; slower ways are used", str(error))
        return None
    library.auditor_statistics.restype = ctypes.c_int
    library.auditor_statistics.argtypes = [
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int64,
        ctypes.c_void_p,
        ctypes.c_void_p,
        ctypes.c_int,
    ]
    library.auditor_digest.argtypes = [
        ctypes.c_uint64,
        ctypes.c_uint64,
        ctypes.c_void_p,
        ctypes.c_int64,
        ctypes.c_int64,
        ctypes.c_int64,
    ]
    library.auditor_units.argtypes = [
        ctypes.c_void_p,
        ctypes.c_int,
        *[ctypes.c_int64] * 5,
        ctypes.c_void_p,
    ]
    library.auditor_rows.argtypes = [ctypes.c_void_p, *[ctypes.c_int64] * 9, ctypes.c_void_p]
    library.auditor_sample.argtypes = [*[ctypes.c_void_p] * 4, ctypes.c_int64, ctypes.c_void_p]
    return library


def digest() -> Callable[[int, int, int, int, int, int], int] | None:
    """``digest.h``'s checksum: (before, header, address, elements, bytes of one, runs); None if not :func:`available`.

    Of elements in the order of C, of 1 to 64 bytes each.
    """
    library = _library()
    return None if library is None else library.auditor_digest


def available() -> bool:
    """Whether the C kernel was built for this machine."""
    return _library() is not None


def function() -> int | None:
    """The address of the kernel's C function, for native code that calls it; None if not :func:`available`."""
    library = _library()
    return None if library is None else ctypes.cast(library.auditor_statistics, ctypes.c_void_p).value


#: Extents and strides, in elements, of an array (outer, units, inner); no extent is 0.
Folded = tuple[tuple[int, int, int], tuple[int, int, int]]


def units(address: int, dtype: str, folded: Folded) -> bytearray:
    """Mean, standard deviation, minimum and maximum of each unit of an array.

    Args:
        address: of its first element.
        dtype: out of :data:`DTYPES`.
        folded: where the others lie; the inner ones of a unit side by side.

    Returns:
        Float32, shape (4, units). NaN where the unit has one; its standard deviation also where it has infinities.

    Raises:
        RuntimeError: if the kernel is not :func:`available`.
    """
    library = _library()
    if library is None:
        raise RuntimeError(_MISSING)
    (outer, many, inner), (over, step, _) = folded
    found = bytearray(16 * many)
    room = (ctypes.c_char * len(found)).from_buffer(found)
    library.auditor_units(address, DTYPES[dtype], outer, over, many, step, inner, room)
    return found


def rows(address: int, item: int, folded: Folded, count: int, width: int) -> bytes:
    """``count`` evenly spread samples of an array by ``width`` evenly spread units, in the order of C.

    Args:
        address: of its first element.
        item: bytes of one.
        folded: where the others lie.
        count: not more than outer x inner.
        width: not more than units.

    Raises:
        RuntimeError: if the kernel is not :func:`available`.
    """
    library = _library()
    if library is None:
        raise RuntimeError(_MISSING)
    (outer, many, inner), (over, step, side) = folded
    room = ctypes.create_string_buffer(max(1, count * width * item))
    library.auditor_rows(address, item, outer, over, many, step, inner, side, count, width, room)
    return room.raw[: count * width * item]


def sample(addresses: Sequence[int], sizes: Sequence[int], counts: Sequence[int], items: Sequence[int]) -> bytes:
    """``counts`` evenly spread elements (``stream.recording.positions``) of tensors, one tensor after the other.

    Args:
        addresses: of dense tensors in the order of C.
        sizes: their elements.
        counts: how many of them; not more than there are.
        items: bytes of one.

    Raises:
        RuntimeError: if the kernel is not :func:`available`.
    """
    library, many = _library(), len(addresses)
    if library is None:
        raise RuntimeError(_MISSING)
    room = ctypes.create_string_buffer(max(1, sum(map(operator.mul, counts, items))))
    wide = ctypes.c_int64 * many
    pointers = (ctypes.c_void_p * many)(*addresses)
    library.auditor_sample(pointers, wide(*sizes), wide(*counts), wide(*items), many, room)
    return room.raw[: sum(map(operator.mul, counts, items))]


class Plan:
    """The sizes and dtypes of a list of tensors, kept between steps; only addresses change.

    Args:
        sizes: elements of each tensor; its storage must be dense (any order of dimensions).
        dtypes: names out of :data:`DTYPES`.
        histogram: also count magnitudes, in the same pass.

    Raises:
        KeyError: for a dtype the kernel does not read.
        RuntimeError: if the kernel is not :func:`available`.
    """

    def __init__(self, sizes: Sequence[int], dtypes: Sequence[str], *, histogram: bool = False) -> None:
        library = _library()
        if library is None:
            raise RuntimeError(_MISSING)
        count = len(sizes)
        self._function = library.auditor_statistics
        self._count = count
        self.elements = sum(sizes)
        """Of all tensors together."""
        self._sizes = (ctypes.c_int64 * count)(*sizes)
        self._dtypes = (ctypes.c_int32 * count)(*(DTYPES[name] for name in dtypes))
        self._words = (ctypes.c_char * (ROW_BYTES * count))()
        self._bins = (ctypes.c_uint32 * (BINS * count))() if histogram else None

    def run(self, addresses: Sequence[int], threads: int = 1) -> memoryview:
        """The 12 x R words of the tensors at ``addresses``; the view is valid until the next call.

        Args:
            addresses: of the first element of each tensor's storage; 0 only for empty tensors.
            threads: at most this many, the caller's included.

        Raises:
            MemoryError: if the kernel could not allocate its work list.
        """
        pointers = (ctypes.c_void_p * self._count)(*addresses)
        failed = self._function(pointers, self._sizes, self._dtypes, self._count, self._words, self._bins, threads)
        if failed:
            raise MemoryError("statistics kernel")
        return memoryview(self._words).cast("B")

    @property
    def histograms(self) -> memoryview | None:
        """R x 64 uint32 counters of the last run, bins as in ``auditor_agent.histogram``; or None."""
        return None if self._bins is None else memoryview(self._bins).cast("B")
