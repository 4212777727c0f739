"""Where the auditor of this machine keeps things: its folder, and the database in it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

#: Folder of the spool, the embedded database and ``daemon.json``, unless ``AUDITOR_HOME`` names another.
DEFAULT_HOME: Final = "~/.auditor"


def home() -> Path:
    """The auditor's folder: ``AUDITOR_HOME``, else ``~/.auditor``."""
    return Path(os.environ.get("AUDITOR_HOME") or DEFAULT_HOME).expanduser()


def database(folder: Path) -> str:
    """SQLAlchemy URL of the embedded database of a folder."""
    return f"sqlite:///{folder / 'auditor.db'}"


def stored_at() -> str:
    """SQLAlchemy URL of the store: ``AUDITOR_DB``, else the embedded database of :func:`home`."""
    return os.environ.get("AUDITOR_DB") or database(home().absolute())
