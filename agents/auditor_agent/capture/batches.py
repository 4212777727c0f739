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

from auditor_agent.capture import native

#: Bytes of a batch that its digest is made of, besides shapes and types.
SAMPLE_BYTES: Final = 4096
#: Bytes of one run of the sample: a line or two of a cache.
_RUN: Final = 64
#: A whole number that a float64 holds exactly.
BITS: Final = 53
_MASK: Final = (1 << BITS) - 1
_HEX: Final = 14  # digits of a digest
#: Samples of a pass that are kept to know them again: a few MiB.
MOST_SAMPLES: Final = 1 << 16
#: Part of a batch that has been seen when another pass begins: some samples may have been dropped at the end.
_NEARLY_ALL: Final = 0.75
_COLUMNS: Final = 64
#: Odd numbers without a pattern: columns that change places change the sum.
_FACTORS: Final = np.random.default_rng(1).integers(1 << 62, size=_COLUMNS, dtype=np.uint64) * np.uint64(2) + np.uint64(
    1
)
_WORD: Final = (1 << 64) - 1
_STEP: Final = 0x9E3779B97F4A7C15
_FIRST, _SECOND = 0xBF58476D1CE4E5B9, 0x94D049BB133111EB


def batch_digest(arrays: Sequence[npt.NDArray[Any]]) -> int:
    """53 bits of a checksum over shapes, types and an evenly spread sample of ``arrays``.

    Args:
        arrays: the inputs of one batch, in an order that does not change; any layout in memory.
    """
    digest, runs = 0, runs_of(len(arrays))
    for array in arrays:
        kind, item = array.dtype.kind, array.itemsize
        header, add = header_of(kind, item, array.shape), native.digest()
        if add is not None and 0 < item <= _RUN and array.flags.c_contiguous and not array.dtype.hasobject:
            address = array.__array_interface__["data"][0]
            digest = add(digest, header, address, array.size, item, runs)
        else:
            digest = _mix(_mix(digest + header) + _sum(_sample(array, runs)))
    return digest & _MASK


def runs_of(arrays: int) -> int:
    """Runs that are looked at of each of so many arrays."""
    return max(1, SAMPLE_BYTES // _RUN // max(1, arrays))


@functools.lru_cache(maxsize=64)
def header_of(kind: str, item: int, shape: tuple[int, ...]) -> int:
    """What an array is, whatever its values: NumPy's letter for its type, the bytes of an element, its shape."""
    header = _mix(_mix(ord(kind)) + item)
    for extent in shape:
        header = _mix(header + _STEP + extent)
    return header


def _mix(z: int) -> int:
    """The finaliser of splitmix64 (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014)."""
    z &= _WORD
    z = (z ^ z >> 30) * _FIRST & _WORD
    z = (z ^ z >> 27) * _SECOND & _WORD
    return z ^ z >> 31


def _sum(sample: bytes) -> int:
    words = np.frombuffer(sample.ljust(-(-len(sample) // 8) * 8, b"\0"), "<u8").astype(np.uint64)
    z = words + np.arange(1, words.size + 1, dtype=np.uint64) * np.uint64(_STEP)
    z = (z ^ z >> np.uint64(30)) * np.uint64(_FIRST)
    z = (z ^ z >> np.uint64(27)) * np.uint64(_SECOND)
    return int((z ^ z >> np.uint64(31)).sum(dtype=np.uint64))


def _sample(array: npt.NDArray[Any], runs: int) -> bytes:
    if array.dtype.hasobject or not array.nbytes:
        return b""
    run = max(1, _RUN // array.itemsize)
    if array.size <= runs * run:
        return array.tobytes()
    at = _places(array.size, run, runs)
    return (array.reshape(-1)[at] if array.flags.c_contiguous else array.flat[at]).tobytes()


@functools.lru_cache(maxsize=16)
def _places(size: int, run: int, runs: int) -> npt.NDArray[np.int64]:
    """Indices of ``runs`` runs from first to last. Not a plain stride, which could meet one column of a matrix only."""
    starts = np.arange(runs, dtype=np.int64) * (size - run) // max(1, runs - 1)
    return (starts[:, None] + np.arange(run, dtype=np.int64)).reshape(-1)


class Passes:
    """Tells from the samples alone when another pass over the data begins, in whatever order each pass is.

    Within a pass no sample comes twice; in the first batch of the next nearly all have been seen. Data in
    which samples repeat, drawn with replacement or equal by nature, has no passes that could be told.
    """

    def __init__(self) -> None:
        self._seen: set[int] = set()
        self._batches = 0
        self._off = False

    def begins(self, array: npt.NDArray[Any]) -> bool:
        """Whether a batch, samples along its first axis, is the first of another pass."""
        if self._off or array.ndim < 2 or not array.size or array.dtype.kind not in "fiub":
            return False
        return self.meets(set(row_keys(array)))

    def meets(self, samples: set[int]) -> bool:
        """As :meth:`begins`, of a batch that has these ``samples`` (:func:`row_keys`; at least one)."""
        if self._off:
            return False
        known = len(samples & self._seen) / len(samples)
        new = known >= _NEARLY_ALL and self._batches > 1
        if new:
            self._seen, self._batches = set(), 0
        self._seen |= samples
        self._batches += 1
        self._off = len(self._seen) > MOST_SAMPLES or (not new and known > 1 - _NEARLY_ALL)
        if self._off:
            self._seen = set()
        return new


def row_keys(array: npt.NDArray[Any]) -> list[int]:
    """A number for each sample along the first axis, of numbers: equal samples, equal number. Shape (n, ...)."""
    flat = array.reshape(len(array), -1)
    if flat.shape[1] > _COLUMNS:
        flat = flat[:, np.linspace(0, flat.shape[1] - 1, _COLUMNS).astype(np.int64)]
    words = np.ascontiguousarray(flat, np.float64).view(np.uint64)
    keys: list[int] = (words * _FACTORS[: words.shape[1]]).sum(axis=1, dtype=np.uint64).tolist()
    return keys


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
