"""What ``auditor doctor`` looks at: one function per question, none changes anything."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import os
import platform
import shutil
import sqlite3
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

import httpx

import auditor_agent
from auditor.cli.client import find_daemon
from auditor.cli.spool import leftovers
from auditor.home import home

#: Below this, the disk is a problem; below ten times this, a warning. Bytes.
_DISK_BYTES = 200 << 20
#: Seconds between two clocks that are worth a word: alerts of silence count in minutes.
_SKEW_SECONDS = 5.0
_ANSWER_SECONDS = 3.0


class Level(StrEnum):
    """How bad a finding is. A ``problem`` keeps something from working."""

    OK = "ok"
    NOTE = "note"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing found: which check, how bad, what, and what to do."""

    check: str
    level: Level
    found: str
    hint: str = ""

    def as_json(self) -> dict[str, Any]:
        """The finding as JSON."""
        return {"check": self.check, "level": str(self.level), "found": self.found, "hint": self.hint or None}


def versions() -> Iterator[Finding]:
    """Python's and the agent's versions, and which frameworks and extras are there."""
    yield Finding("python", Level.OK, platform.python_version())
    yield Finding("agent", Level.OK, auditor_agent.__version__)
    installed = [f"{name} {version}" for name in ("torch", "keras", "tensorflow") if (version := _version(name))]
    if installed:
        yield Finding("frameworks", Level.OK, ", ".join(installed))
    else:
        yield Finding("frameworks", Level.NOTE, "neither PyTorch nor Keras here", "the agent watches where they are")
    for extra, package in (("server", "ray"), ("grafana", "grafana_api"), ("postgres", "psycopg")):
        if importlib.util.find_spec(package) is None:
            yield Finding(f"extra {extra}", Level.NOTE, "not installed", f"pip install 'training-auditor[{extra}]'")


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def daemon() -> Iterator[Finding]:
    """The daemon: whether there is one, answers, is ready, is ours, and agrees on the time."""
    url = find_daemon()
    if url is None:
        hint = "`auditor run` audits within its own process; `auditor serve` starts a daemon"
        yield Finding("daemon", Level.NOTE, "none", hint)
        return
    token = os.environ.get("AUDITOR_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=_ANSWER_SECONDS) as http:
            yield from _asked(http, url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        hint = "start it with `auditor serve`, or unset AUDITOR_URL; runs go on without it and spool"
        yield Finding("daemon", Level.PROBLEM, f"no answer from {url}: {error}", hint)


def _asked(http: httpx.Client, url: str) -> Iterator[Finding]:
    health = http.get("/healthz")
    version = ""
    with contextlib.suppress(ValueError, KeyError, TypeError):
        version = health.json()["version"]
    if not version:
        yield Finding("daemon", Level.PROBLEM, f"{url} is no auditor", "another program listens there")
        return
    ours = version == auditor_agent.__version__
    hint = "" if ours else f"this command line is {auditor_agent.__version__}: update the older one"
    yield Finding("daemon", Level.OK if ours else Level.WARNING, f"{version} at {url}", hint)
    ready = http.get("/readyz")
    if not ready.is_success:
        yield Finding("daemon ready", Level.PROBLEM, _detail(ready), "agents spool meanwhile; nothing is lost")
    if http.get("/v1/runs", params={"limit": 1}).status_code in {401, 403}:
        yield Finding("token", Level.PROBLEM, "the daemon refuses it", "set AUDITOR_TOKEN to the daemon's token")
    yield from _skew(health)


def _detail(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"status {answer.status_code}"


def _skew(answer: httpx.Response) -> Iterator[Finding]:
    try:
        skew = time.time() - parsedate_to_datetime(answer.headers["date"]).timestamp()
    except (KeyError, ValueError):
        return
    if abs(skew) > _SKEW_SECONDS:
        yield Finding("clock", Level.WARNING, f"{skew:+.0f} s from the daemon's", "run NTP on both machines")
    else:
        yield Finding("clock", Level.OK, "agrees with the daemon's")


def database() -> Iterator[Finding]:
    """The embedded database: whether it can be opened, is ours to write, and of a schema that we know."""
    if os.environ.get("AUDITOR_URL"):
        return
    try:
        from auditor.settings import SettingsError, load_settings
        from auditor.store import Store, StoreError
    except ImportError as error:
        yield Finding("database", Level.NOTE, f"{error.name} is not installed", "needed where the daemon runs")
        return
    try:
        url = load_settings().db_url
        path = Path(url.removeprefix("sqlite:///"))
        if url.startswith("sqlite:///") and not path.exists():
            writable = os.access(_existing(path.parent), os.W_OK)
            level = Level.OK if writable else Level.PROBLEM
            yield Finding("database", level, f"{path}: not there yet" + ("" if writable else ", and not ours to write"))
            return
        store = Store.open(url)  # also refuses a newer schema
        try:
            store.ping()
            runs = len(store.runs(limit=10_000))
        finally:
            store.close()
    except (SettingsError, StoreError, OSError) as error:
        yield Finding("database", Level.PROBLEM, str(error))
        return
    yield Finding("database", Level.OK, f"{runs} runs, schema known, at {_hidden(url)}")
    yield Finding("sqlite", Level.OK, sqlite3.sqlite_version)


def _hidden(url: str) -> str:
    """A database URL without its password."""
    head, at, tail = url.rpartition("@")
    return f"{head.rpartition(':')[0]}:***@{tail}" if at and ":" in head.partition("//")[2] else url


def spool() -> Iterator[Finding]:
    """Frames that no daemon has acknowledged."""
    left = leftovers(home() / "spool")
    if not left:
        yield Finding("spool", Level.OK, "empty")
        return
    size = sum(item.size for item in left)
    found = f"{size / 1e6:.1f} MB of {len(left)} runs wait, e.g. {left[0].run}"
    yield Finding("spool", Level.WARNING, found, "`auditor sync` delivers them (not those of runs that still run)")


def disk() -> Iterator[Finding]:
    """Space where the spool and the database lie."""
    folder = _existing(home())
    free = shutil.disk_usage(folder).free
    found = f"{free / 1e9:.1f} GB free at {folder}"
    if free < _DISK_BYTES:
        yield Finding("disk", Level.PROBLEM, found, "free some, or set AUDITOR_HOME elsewhere")
    else:
        yield Finding("disk", Level.OK if free > 10 * _DISK_BYTES else Level.WARNING, found)


def _existing(path: Path) -> Path:
    return next(folder for folder in (path, *path.absolute().parents) if folder.exists())


def ray() -> Iterator[Finding]:
    """What of Ray deserves a word: who may reach it, and settings that surprise."""
    if importlib.util.find_spec("ray") is None:
        return
    yield Finding(
        "ray", Level.NOTE, f"{_version('ray')}: its control ports listen on every interface while the daemon runs",
        "keep them on a private network; the daemon starts Ray with token authentication",
    )  # fmt: skip
    if os.environ.get("RAY_AUTH_MODE", "token") != "token":
        yield Finding("ray auth", Level.WARNING, "RAY_AUTH_MODE is not token", "anybody who reaches Ray may run code")
    if os.environ.get("RAY_ADDRESS"):
        yield Finding("ray address", Level.NOTE, f"RAY_ADDRESS={os.environ['RAY_ADDRESS']}", "a cluster is meant")


def rules() -> Iterator[Finding]:
    """Rules of other packages: those that cannot be used here."""
    try:
        from auditor.detect.registry import unusable
    except ImportError:  # the agent alone is installed: nothing is judged here
        return
    for entry, why in unusable().items():
        yield Finding(f"rule {entry}", Level.PROBLEM, why, "mend or remove its package, then start the daemon anew")


#: Every check, in the order of the report.
CHECKS: tuple[Callable[[], Iterator[Finding]], ...] = (versions, daemon, database, spool, disk, ray, rules)
