"""Which data a step saw, and in which order: digests of batches and of epochs, for arrays in host memory.

Equal inputs have equal digests; a digest says nothing about the data that is not in at most
``SAMPLE_BYTES`` of it. Needs NumPy.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

#: Bytes of a batch that its digest is made of, besides shapes and types.
SAMPLE_BYTES: Final = 4096
#: A whole number that a float64 holds exactly.
BITS: Final = 53
_MASK: Final = (1 << BITS) - 1
_HEX: Final = 14  # digits of a digest


def batch_digest(arrays: Sequence[npt.NDArray[Any]]) -> int:
    """53 bits of a checksum over shapes, types and an evenly spread sample of ``arrays``.

    Args:
        arrays: the inputs of one batch, in an order that does not change; any layout in memory.
    """
    digest = hashlib.blake2b(digest_size=8)
    for array in arrays:
        digest.update(f"{array.shape}{array.dtype.str}".encode())
        digest.update(_sample(array, SAMPLE_BYTES // max(1, len(arrays))))
    return int.from_bytes(digest.digest(), "little") & _MASK


def _sample(array: npt.NDArray[Any], most: int) -> bytes:
    if array.dtype.hasobject or not array.size:
        return b""
    count = min(array.size, max(1, most // array.itemsize))
    if array.flags.c_contiguous:
        flat = array.reshape(-1)
        return (flat if count == array.size else flat[_spread(array.size, count)]).tobytes()
    return array.flat[_spread(array.size, count)].tobytes()


@functools.lru_cache(maxsize=16)
def _spread(size: int, count: int) -> npt.NDArray[np.int64]:
    """``count`` indices from first to last. Not a plain stride, which could meet one column of a matrix only."""
    return np.linspace(0, size - 1, count).astype(np.int64)


class Epoch:
    """What an epoch has been made of so far; knows nothing of when it ends."""

    def __init__(self) -> None:
        self._number = 0
        self._clear()

    def _clear(self) -> None:
        self.steps = self.samples = self._sum = 0
        self._order = hashlib.blake2b(digest_size=8)

    def add(self, digest: int, samples: int) -> None:
        """A step on a batch of this digest and so many samples."""
        self.steps += 1
        self.samples += samples
        self._order.update(digest.to_bytes(8, "little"))
        self._sum = (self._sum + digest) & _MASK

    def end(self, number: int | None = None) -> dict[str, Any]:
        """The fields of the event ``epoch``; another epoch begins.

        Args:
            number: of the epoch that ended, from 1; the next one unless given.
        """
        self._number = self._number + 1 if number is None else number
        order = int.from_bytes(self._order.digest(), "little") & _MASK
        told: dict[str, Any] = {"epoch": self._number, "steps": self.steps, "samples": self.samples}
        told |= {"order": f"{order:0{_HEX}x}", "content": f"{self._sum:0{_HEX}x}"}
        self._clear()
        return told
