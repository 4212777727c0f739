"""The one way in which the command line asks: the HTTP API.

Where the answer comes from is found in this order: the daemon at ``AUDITOR_URL``; a live daemon of
this home (``<AUDITOR_HOME>/daemon.json``); else the same application within this process, over the
embedded database. One path, one JSON.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx

from auditor.cli.problems import Problem
from auditor.home import home

#: Seconds that a daemon has to say that it lives, and to answer a question.
_ALIVE_SECONDS, _ANSWER_SECONDS, _ASK_AGAIN_SECONDS = 1.0, 60.0, 0.1
_TOO_OLD_TO_ASK = "the daemon's answer is not JSON"


def local_daemon(folder: Path) -> str | None:
    """The address of the live daemon that says in ``folder`` that it serves it, or None.

    A ``daemon.json`` left behind by a killed daemon names a process that is gone or one that does
    not answer: both count as no daemon.
    """
    try:
        note = json.loads((folder / "daemon.json").read_text())
        url, pid = str(note["url"]), int(note["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return url if _process_lives(pid) and answers(url) else None


def _process_lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def answers(url: str, *, timeout: float = _ALIVE_SECONDS, patience: float = 0.0) -> bool:
    """Whether a daemon says that it is healthy at ``url``.

    Args:
        url: its address.
        timeout: seconds that one answer may take.
        patience: seconds during which one that does not answer is asked again: it may be busy, or
            coming back after a crash.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            if httpx.get(f"{url.rstrip('/')}/healthz", timeout=timeout).is_success:
                return True
        except httpx.InvalidURL:
            return False
        except httpx.HTTPError:
            pass
        if time.monotonic() >= deadline:
            return False
        time.sleep(_ASK_AGAIN_SECONDS)


def find_daemon() -> str | None:
    """The daemon to use: ``AUDITOR_URL`` (whether it answers or not), else a live local one, else None."""
    return os.environ.get("AUDITOR_URL") or local_daemon(home())


class Client:
    """Asks one daemon, wherever it runs; a context manager.

    Every method raises :class:`Problem` with the daemon's own words and hint if it refuses, and
    with an address if it does not answer.
    """

    def __init__(self, http: httpx.Client, where: str) -> None:
        self._http, self.where = http, where

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connection, and the embedded application if that is what answered."""
        self._http.close()

    def get(self, path: str, **query: Any) -> dict[str, Any]:
        """The JSON at ``path``; parameters that are None are left out."""
        return self._json("GET", path, params={name: value for name, value in query.items() if value is not None})

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Posts ``body`` as JSON; the JSON answer."""
        return self._json("POST", path, json=dict(body))

    def run(self, run: str) -> dict[str, Any]:
        """Everything about one run (the ``show`` JSON). Without a step and an alert its verdict is ``unknown``."""
        shown = self.get(run_path(run))
        if shown["verdict"] == "healthy" and not shown.get("steps") and not shown.get("alerts"):
            shown |= {"verdict": "unknown", "why": "nothing was recorded"}
        return shown

    def download(self, path: str, to: Path) -> int:
        """Writes what lies at ``path`` to a file, whole or not at all; its size in bytes."""
        part = to.with_name(f".{to.name}.part")
        try:
            with self._asked(), self._http.stream("GET", path) as answer:
                if not answer.is_success:
                    answer.read()
                    self._raise(answer)
                with part.open("wb") as file:
                    for chunk in answer.iter_bytes():
                        file.write(chunk)
            part.replace(to)
        except OSError as error:
            raise Problem(f"cannot write {to}: {error.strerror}") from error
        finally:
            part.unlink(missing_ok=True)
        return to.stat().st_size

    def _json(self, method: str, path: str, **arguments: Any) -> dict[str, Any]:
        with self._asked():
            answer = self._http.request(method, path, **arguments)
        if not answer.is_success:
            self._raise(answer)
        try:
            value = answer.json()
        except ValueError as error:
            raise Problem(f"{self.where}: {_TOO_OLD_TO_ASK}", "is another program listening there?") from error
        if not isinstance(value, dict):
            raise Problem(f"{self.where}: {_TOO_OLD_TO_ASK} object", "is another program listening there?")
        return value

    def _asked(self) -> _Unreachable:
        return _Unreachable(self.where)

    def _raise(self, answer: httpx.Response) -> None:
        try:
            body = answer.json()
            detail, hint = str(body["detail"]), str(body.get("hint", ""))
        except (ValueError, KeyError, TypeError):
            detail, hint = f"{self.where} answered {answer.status_code} {answer.reason_phrase}", ""
        if answer.status_code == httpx.codes.NOT_FOUND:
            hint = "`auditor runs` lists what there is"
        raise Problem(detail, hint)


class _Unreachable:
    """Turns a connection that fails into a :class:`Problem`."""

    def __init__(self, where: str) -> None:
        self._where = where

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None) -> None:
        if isinstance(error, (httpx.HTTPError, httpx.InvalidURL)):
            hint = "start it with `auditor serve`, or unset AUDITOR_URL to read the embedded database"
            raise Problem(f"no answer from {self._where}: {error}", hint) from error


def run_path(run: str, *rest: str) -> str:
    """The API path of a run, its name quoted: ``/v1/runs/RUN/...``."""
    return "/".join(("/v1/runs", quote(run, safe=""), *rest))


def connect(*, only_reads: bool = False) -> Client:
    """A client of the daemon to use, or of the embedded database where there is none.

    Args:
        only_reads: whether the command asks for nothing but what is recorded: no daemon is then started in
            its process, whose rules would look at runs that ended unnoticed.
    """
    if url := find_daemon():
        return remote(url)
    from auditor.cli.embedded import embedded, reading

    return reading() if only_reads else embedded()


def remote(url: str, token: str | None = None) -> Client:
    """A client of the daemon at ``url``; ``token`` defaults to ``AUDITOR_TOKEN``."""
    token = token or os.environ.get("AUDITOR_TOKEN")
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    try:
        http = httpx.Client(base_url=url, headers=headers, timeout=_ANSWER_SECONDS)
    except httpx.InvalidURL as error:
        raise Problem(f"{url!r} is no address: {error}", "for example AUDITOR_URL=http://127.0.0.1:9470") from error
    return Client(http, url)
