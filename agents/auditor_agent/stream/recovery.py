"""What a folder of segments still holds: every intact frame, however the process that wrote it ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from auditor_agent.stream import wire
from auditor_agent.stream.spool import SUFFIX


@dataclass(frozen=True, slots=True)
class Recovered:
    """An intact frame: its header and its bytes."""

    header: dict[str, Any]
    data: bytes

    @property
    def seq(self) -> int:
        """The frame's number."""
        return int(self.header["seq"])

    @property
    def steps(self) -> int:
        """Steps the frame holds."""
        return int(self.header.get("steps", 0))


def segments(folder: Path) -> list[Path]:
    """The segment files of one process's folder, oldest first."""
    return sorted(folder.glob(f"*{SUFFIX}"))


def folders(directory: Path) -> Iterator[Path]:
    """Every folder at or below ``directory`` that holds segments."""
    for folder in (directory, *sorted(path for path in directory.rglob("*") if path.is_dir())):
        if segments(folder):
            yield folder


def recover(path: Path) -> tuple[list[Recovered], int]:
    """The intact frames at the front of a segment, and how many bytes behind them are damaged.

    Raises:
        OSError: if the file cannot be read.
    """
    view = memoryview(path.read_bytes())
    found: list[Recovered] = []
    while view:
        try:
            frame, length = wire.decode(view)
            recovered = Recovered(frame.header, bytes(view[:length]))
            _check(recovered)
        except (wire.WireError, KeyError, TypeError, ValueError):
            break
        found.append(recovered)
        view = view[length:]
    return found, len(view)


def restate_floor(frame: Recovered) -> Recovered:
    """The same frame, saying that none before it will come any more: those were damaged."""
    old, _ = wire.decode(frame.data)
    header = {**frame.header, "floor": frame.seq}
    return Recovered(header, wire.encode(header, old.block))


def _check(frame: Recovered) -> None:
    """Raise unless the header says what delivery needs."""
    str(frame.header["run"])
    if min(int(frame.header["attempt"]), int(frame.header["rank"]), frame.seq, frame.steps) < 0:
        raise ValueError("negative number")
