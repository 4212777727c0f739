"""Fixtures of the end-to-end tests: one home, one daemon, one CLI for the tests of a module."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.daemon import Auditor, Daemon, environment
from support.process import free_port


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An AUDITOR_HOME that the tests of a module share."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="module")
def daemon(home: Path) -> Iterator[Daemon]:
    """A live daemon on a local Ray, shared by the tests of a module."""
    served = Daemon(home, free_port())
    try:
        served.start()
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="module")
def auditor(home: Path) -> Auditor:
    """The CLI: ``auditor("alerts", "--json", AUDITOR_URL=url)``."""

    def call(*arguments: str, timeout: float = 150.0, **more: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "auditor", *arguments]
        env = environment(home, **more)
        return subprocess.run(command, env=env, capture_output=True, text=True, timeout=timeout, check=False)

    return call
