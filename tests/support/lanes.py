"""An engine fed by hand: recordings and declarations in the order in which an agent would send them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from auditor.detect.engine import RunAuditor
from auditor.model import Finding
from auditor_agent.stream.recording import Array, Recording


def array(role: str, name: str, values: Any) -> Array:
    """A whole recorded tensor."""
    whole = np.ascontiguousarray(values)
    return Array(role, name, whole.dtype.name, whole.shape, whole.size, whole.tobytes())


def reference(name: str, like: Array) -> Array:
    """A weight that is what the step before left."""
    return Array("weight", name, like.dtype, like.shape, like.elements, b"")


class Sender:
    """One process that tells the engine frame after frame; ``seq`` is that of the next one."""

    def __init__(self, auditor: RunAuditor, rank: int = 0, attempt: int = 0) -> None:
        self.auditor, self.rank, self.attempt, self.seq = auditor, rank, attempt, 0

    def tell(self, kind: str, header: Mapping[str, Any], block: bytes = b"") -> list[Finding]:
        """A frame without steps."""
        self.seq += 1
        return self.auditor.advance(self.attempt, self.rank, self.seq - 1, 0, kind, header, block)

    def start(self, world_size: int = 1, **header: Any) -> list[Finding]:
        """The ``start`` frame."""
        return self.tell("start", {"world_size": world_size, **header})

    def manifest(self, manifest: Mapping[str, Any]) -> list[Finding]:
        """A ``manifest`` frame."""
        return self.tell("manifest", {"manifest": manifest})

    def record(self, recording: Recording, *, lost: int | None = None, ahead: bool = False) -> list[Finding]:
        """The ``record`` frames of one step, less the part ``lost``; shown at once unless ``ahead`` of its step."""
        found: list[Finding] = []
        for header, block in recording.parts():
            if header["part"] == lost:
                self.seq += 1
                found += self.auditor.advance(self.attempt, self.rank, self.seq - 1, self.seq)
            else:
                found += self.tell("record", {"time": 5.0, **header}, block)
        return found if ahead else found + self.auditor.overdue(self.attempt, self.rank)

    def steps(self, batch: Any, table: Any) -> list[Finding]:
        """A ``steps`` frame; its own seq is replaced by the next one."""
        from dataclasses import replace

        self.seq += 1
        batch = replace(batch, seq=self.seq - 1, rank=self.rank, attempt=self.attempt)
        return self.auditor.observe(batch, table, 0)
