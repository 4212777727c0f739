"""``histograms`` frames of a run, as an agent would make them."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

from auditor_agent.histogram import BINS
from auditor_agent.stream import wire
from auditor_agent.stream.histograms import Entry, pack
from support.frames import Sender, table_digest

Counts = Mapping[int, int]
"""Occupied bins of one histogram."""


def histograms_frame(sender: Sender, steps: Mapping[int, Sequence[Counts]], **header: Any) -> bytes:
    """A frame of the first tensors of the sender's table; the same number of them at every step."""
    entries = [
        Entry(step, 1, b"".join(struct.pack("<64I", *[row.get(bin_, 0) for bin_ in range(BINS)]) for row in rows))
        for step, rows in steps.items()
    ]
    columns = pack(entries)
    width = columns.rows // len(entries)
    fields = {"steps": len(entries), "rows": columns.rows, "counters": len(columns.counters) // 4}
    fields |= {"first_step": min(steps), "last_step": max(steps), "layouts": [[[0, width]]]}
    head = sender.head("histograms", **{**fields, "table": table_digest(sender.table), **header})
    block = columns.steps.tobytes() + bytes(4 * len(entries)) + columns.counters + columns.ranges
    return wire.encode(head, block)
