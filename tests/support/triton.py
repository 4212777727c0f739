"""Where Triton is, for the processes that may import it."""

from __future__ import annotations

import importlib.util
import os
import sys
from pathlib import Path

import pytest

#: Where the Makefile installs it: beside the environment, not in it (see tests/interpreted/conftest.py).
ASIDE = Path(sys.prefix) / "triton"


def triton_env(repo_env: dict[str, str]) -> dict[str, str]:
    """The environment of a child process that imports Triton; skips where there is none."""
    env = {name: value for name, value in repo_env.items() if not name.startswith(("PYTEST_", "TRITON_"))}
    env["TRITON_CACHE_DIR"] = str(Path(repo_env["AUDITOR_HOME"]) / "triton")
    if (ASIDE / "triton").is_dir():
        env["PYTHONPATH"] = os.pathsep.join((env["PYTHONPATH"], str(ASIDE)))
    elif importlib.util.find_spec("triton") is None:
        pytest.skip("triton is not installed (`make test` puts it into .venv/triton)")
    return env
