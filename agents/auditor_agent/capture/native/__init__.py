"""The C kernel's Python side: finds the library, calls it, knows no framework.

``available()`` is False where the package was installed without a compiler; callers then use
``capture.portable``. The call releases the GIL.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from auditor_agent.histogram import BINS
from auditor_agent.statistics import ROW_BYTES

#: Element types the kernel reads, by the name that NumPy and the frameworks give them.
DTYPES: Final = {"float32": 0, "float64": 1, "bfloat16": 2, "float16": 3}
_LIBRARY: Final = Path(__file__).with_name("statistics.so")


@functools.cache
def _library() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL(str(_LIBRARY))
        library.auditor_digest.restype = ctypes.c_uint64
    except (OSError, AttributeError):  # none, or another version's
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
            raise RuntimeError("the C kernel was not built; see auditor_agent.capture.native.available()")
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
