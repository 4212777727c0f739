"""Recordings as the daemon would read them, without a daemon."""

from __future__ import annotations

from collections.abc import Iterable

from auditor.ingest.records import StepRecording, assemble
from auditor.store.records import StoredChunk
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Recording


def chunks(recordings: Iterable[Recording]) -> list[StoredChunk]:
    """The recordings' frames as the store gives them back."""
    frames = [part for one in recordings for part in one.parts()]
    blank = (None, None, 0, 0, None, None)
    return [
        StoredChunk("r", 0, 0, seq, "record", "s", *blank, jsonfinite.dumps(header), block)
        for seq, (header, block) in enumerate(frames)
    ]


def assembled(recordings: Iterable[Recording], phase: str = "train") -> list[StepRecording]:
    """The recordings as :func:`auditor.ingest.records.recordings` gives them."""
    return assemble(chunks(recordings), phase)
