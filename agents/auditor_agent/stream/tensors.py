"""The tensor table and the layouts of a process: small integers for what repeats at every step."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from typing import Final

from auditor_agent import jsonfinite
from auditor_agent.statistics import KINDS, ROW_BYTES

#: The layout of a step that reports no tensor.
EMPTY: Final = 0


class TensorTable:
    """Grows at its end only; a tensor's id is its place."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._ids: dict[tuple[str, str], int] = {}
        self._entries: list[list[object]] = []
        self._layout_ids: dict[tuple[int, ...], int] = {(): EMPTY}
        self._layouts: list[tuple[int, ...]] = [()]
        self._digest: tuple[int, str] = (-1, "")

    def __len__(self) -> int:
        return len(self._entries)

    def tensor(self, kind: str, name: str, shape: Sequence[int], dtype: str) -> int:
        """The id of tensor ``name`` of ``kind``; the same one whenever it is asked for.

        Raises:
            ValueError: if the wire knows no such kind.
        """
        with self._lock:
            known = self._ids.get((kind, name))
            if known is not None:
                return known
            if kind not in KINDS:
                raise ValueError(f"unknown kind {kind!r}, known are {', '.join(KINDS)}")
            self._entries.append([kind, str(name), [int(size) for size in shape], str(dtype)])
            return self._ids.setdefault((kind, name), len(self._entries) - 1)

    def layout(self, tensors: Sequence[int]) -> int:
        """The id of the layout that reports ``tensors`` in this order.

        Raises:
            ValueError: if a tensor id is unknown.
        """
        key = tuple(tensors)
        with self._lock:
            known = self._layout_ids.get(key)
            if known is not None:
                return known
            if not all(0 <= tensor < len(self._entries) for tensor in key):
                raise ValueError("layout of a tensor that is not in the table")
            self._layouts.append(key)
            return self._layout_ids.setdefault(key, len(self._layouts) - 1)

    def check(self, layout: int, size: int, row_bytes: int = ROW_BYTES) -> None:
        """Raise ValueError unless ``size`` bytes are what a step of ``layout`` has, ``row_bytes`` a tensor."""
        if not 0 <= layout < len(self._layouts):
            raise ValueError(f"layout {layout} was never made")
        expected = len(self._layouts[layout]) * row_bytes
        if size != expected:
            raise ValueError(f"{size} bytes of numbers, the layout has {expected}")

    def ranges(self, layout: int) -> list[list[int]]:
        """A layout as the wire says it: ``[first id, count]`` of each run of consecutive ids."""
        runs: list[list[int]] = []
        for tensor in self._layouts[layout]:
            if runs and runs[-1][0] + runs[-1][1] == tensor:
                runs[-1][1] += 1
            else:
                runs.append([tensor, 1])
        return runs

    def snapshot(self) -> tuple[str, list[list[object]]]:
        """Digest and entries, as they are now."""
        with self._lock:
            entries = self._entries[:]
            if self._digest[0] != len(entries):
                digest = hashlib.sha256(jsonfinite.dumps(entries).encode()).hexdigest()[:16]
                self._digest = (len(entries), digest)
            return self._digest[1], entries
