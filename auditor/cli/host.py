"""Where a run's frames go: a daemon, or one within this process for as long as it is needed."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from auditor.cli.client import Client, answers, find_daemon, remote
from auditor.cli.problems import Problem


@dataclass(frozen=True, slots=True)
class Where:
    """A daemon: its address, the token it asks for, and whether it lives in this process."""

    url: str
    token: str | None = field(repr=False)
    embedded: bool = False

    def client(self) -> Client:
        """A client of it."""
        return remote(self.url, self.token)

    def answers(self, patience: float = 0.0) -> bool:
        """Whether it says within ``patience`` seconds that it is healthy."""
        return answers(self.url, patience=patience)


@contextmanager
def host() -> Iterator[Where]:
    """The daemon at ``AUDITOR_URL`` or of this home; else the application in this process, until the block ends.

    Raises:
        Problem: if there is no daemon and the application cannot start here.
    """
    token = os.environ.get("AUDITOR_TOKEN") or None
    if url := find_daemon():
        yield Where(url.rstrip("/"), token)
        return
    try:
        from auditor.hosting.inprocess import hosted
        from auditor.settings import load_settings
    except ImportError as error:
        hint = "pip install 'training-auditor[server]', or set AUDITOR_URL to a daemon"
        raise Problem(f"no daemon found, and {error.name} is not installed", hint) from error
    with hosted(load_settings(port=0)) as url:
        yield Where(url, token, embedded=True)
