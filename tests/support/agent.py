"""What tests of the agent share: a daemon at AUDITOR_URL, a run that ends with its test, the books."""

from __future__ import annotations

import logging
import socket
import struct
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from auditor_agent import guard
from auditor_agent.run import Run, open_run
from support.fake_daemon import FakeDaemon

ZEROS = struct.pack("<8I16f", 5, 3, *[0] * 6, *[0.5] * 16)
"""Statistics of two tensors in one step, none non-finite."""


@pytest.fixture
def fake_daemon(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDaemon]:
    """A daemon that AUDITOR_URL points to."""
    with FakeDaemon() as daemon:
        monkeypatch.setenv("AUDITOR_URL", daemon.url)
        yield daemon


@pytest.fixture
def no_daemon(monkeypatch: pytest.MonkeyPatch) -> str:
    """An AUDITOR_URL that refuses connections."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
    monkeypatch.setenv("AUDITOR_URL", url)
    return url


@pytest.fixture
def as_in_production(monkeypatch: pytest.MonkeyPatch) -> None:
    """Failures of the agent are swallowed, as in a user's job."""
    monkeypatch.delenv("AUDITOR_RAISE", raising=False)


@pytest.fixture
def new_run() -> Iterator[Callable[..., Run]]:
    """Opens runs and sees to it that none outlives the test."""
    runs: list[Run] = []

    def opened(framework: str = "torch", **names: Any) -> Run:
        runs.append(open_run(framework, **names))
        return runs[-1]

    guard.TALLY.reset()
    yield opened
    for run in runs:
        run.finish(timeout=0.0)
        join(run)


def join(run: Run, timeout: float = 12.0) -> None:
    """Wait until the run's threads have ended."""
    sender = getattr(run, "_sender", None)
    for thread in sender.threads if sender is not None else ():
        thread.join(timeout)
        assert not thread.is_alive()


def train(run: Run, steps: int, first: int = 0) -> None:
    """Record ``steps`` steps of two tensors."""
    layout = run.layout([run.tensor("gradient", "a", (2, 3), "float32"), run.tensor("gradient", "b", (4,), "float32")])
    for step in range(first, first + steps):
        run.record(step, {"loss": 1.0 / (step + 1)}, layout, ZEROS)


def balanced(run: Run) -> dict[str, Any]:
    """The run's books, after asserting G12: every step produced is sent, dropped for a reason, or still held."""
    counts = run.counts()
    assert counts["sent"] + sum(counts["dropped"].values()) + counts["pending"] == counts["produced"]
    assert counts["pending"] == run._sender.held()
    return counts


class Lines(logging.Handler):
    """The agent's log lines."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the line."""
        self.lines.append(record.getMessage())


@pytest.fixture
def log_lines() -> Iterator[list[str]]:
    """The lines the agent logs during the test."""
    handler, logger = Lines(), logging.getLogger("auditor_agent")
    logger.addHandler(handler)
    yield handler.lines
    logger.removeHandler(handler)


def child_env(env: dict[str, str], **more: str) -> dict[str, str]:
    """``env`` for a child process that is a user's job: failures swallowed, ``more`` set."""
    return {name: value for name, value in env.items() if name != "AUDITOR_RAISE"} | {"PYTHONHASHSEED": "0"} | more
