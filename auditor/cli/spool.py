"""What agents left behind in the spool, and its delivery."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Seconds without progress after which the delivery of one folder gives up.
PATIENCE = 5.0
_FRAMES = "*.frames"


@dataclass(frozen=True, slots=True)
class Leftover:
    """The spool folder of one run that still holds frames: its path and their size in bytes."""

    run: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one run's folder; ``remaining`` frames are still there, ``error`` says why."""

    run: str
    frames: int
    steps: int
    rejected: int
    remaining: int
    error: str = ""

    def as_json(self) -> dict[str, Any]:
        """The result as JSON."""
        return {
            "run": self.run, "frames": self.frames, "steps": self.steps, "rejected": self.rejected,
            "remaining": self.remaining, "error": self.error or None,
        }  # fmt: skip

    def words(self) -> str:
        """The result in a line."""
        done = f"{self.run}: {self.frames} frames, {self.steps} steps delivered"
        refused = f", {self.rejected} refused" if self.rejected else ""
        return f"{done}{refused}" + (f"; {self.remaining} frames left: {self.error}" if self.error else "")


def leftovers(spool: Path, run: str | None = None) -> list[Leftover]:
    """The runs that have frames at or below ``spool``, by name; only ``run`` if given."""
    of_one_run = any(spool.glob(f"*/{_FRAMES}"))
    folders = [spool] if of_one_run else sorted(path for path in spool.glob("*") if path.is_dir())
    found = []
    for folder in folders:
        size = sum(path.stat().st_size for path in folder.rglob(_FRAMES))
        if size and run in {None, folder.name}:
            found.append(Leftover(folder.name, folder, size))
    return found


def deliver(item: Leftover, url: str, token: str | None, *, patience: float = PATIENCE) -> Result:
    """Sends one run's frames to a daemon; what it has committed is deleted from the spool."""
    from auditor_agent.stream import deliver as delivery
    from auditor_agent.stream.http import Poster

    done = delivery.deliver(item.path, lambda run: Poster(url, token or "", run), patience=patience)
    why = done.trouble or "the daemon did not take them" if done.remaining else ""
    if done.busy and not why:
        why = "its process still lives"
    return Result(item.run, done.frames, done.steps, done.rejected, done.remaining, why)
