"""Who this process is: run, attempt, rank, session; and the claim of a spool folder of its own."""

from __future__ import annotations

import os
import re
import socket
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from auditor_agent import guard, launcher
from auditor_agent.config import Config

_FORBIDDEN: Final = re.compile(r"[^A-Za-z0-9._:-]+")
_DRAWN: Final = re.compile(r"\d{8}-\d{6}-[0-9a-f]{8}")
_MAX_ATTEMPTS: Final = 100_000
WATERMARK: Final = "acked"
"""File of a spool folder that says how far it was acknowledged; its lock says whose the folder is."""


@dataclass(frozen=True, slots=True)
class Identity:
    """What every frame of this process carries, and where its spool is.

    ``directory`` is None when no folder could be claimed: the process then keeps to memory.
    """

    run: str
    attempt: int
    rank: int
    world_size: int
    session: str
    directory: Path | None


def establish(config: Config) -> Identity:
    """Work out the identity from the configuration and the launcher, and claim an attempt."""
    here = launcher.place()
    run = clean(config.run or launcher.job() or drawn())
    first = config.attempt if config.attempt is not None else launcher.restart() or 0
    attempt, directory = claim(config.spool / run, here.rank, first)
    return Identity(run, attempt, here.rank, here.world_size, os.urandom(8).hex(), directory)


def clean(run: str) -> str:
    """``run`` as a run id: 1-128 characters out of ``A-Z a-z 0-9 . _ : -``, no path of dots."""
    text = _FORBIDDEN.sub("-", run)[:128]
    return text if text.strip(".") else f"run{text}"


def drawn() -> str:
    """A new run id: sorts by time, and no two are equal. Leaves the host's random state alone."""
    return time.strftime("%Y%m%d-%H%M%S-", time.gmtime()) + os.urandom(4).hex()


def claim(folder: Path, rank: int, first: int) -> tuple[int, Path | None]:
    """The first attempt from ``first`` on that no process has claimed for ``rank``, and its folder.

    Making the folder is the claim: of two processes that try, one gets it. Without a usable disk
    the attempt is ``first`` and the folder None.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for attempt in range(first, first + _MAX_ATTEMPTS):
            mine = folder / f"{attempt}-{rank}"
            try:
                mine.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return attempt, mine
    except OSError as error:
        guard.note("no spool folder, keeping unsent data in memory only", str(error))
    return first, None


def retire(directory: Path) -> None:
    """Remove a spool folder that holds nothing any more, if its run id was drawn and comes never again.

    The folder of a run that was named stays: it is the claim of its attempt.
    """
    if _DRAWN.fullmatch(directory.parent.name):
        with suppress(OSError):
            (directory / WATERMARK).unlink(missing_ok=True)
            directory.rmdir()
            directory.parent.rmdir()


def host() -> str:
    """This machine's name."""
    return socket.gethostname()
