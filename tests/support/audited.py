"""The command line over a home of its own, as a user calls it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Home:
    """A folder in which ``auditor`` keeps its runs, with a daemon embedded in each command."""

    def __init__(self, home: Path) -> None:
        paths = [str(ROOT), str(ROOT / "agents"), os.environ.get("PYTHONPATH", "")]
        kept = {n: v for n, v in os.environ.items() if n not in {"PYTHONWARNINGS", "AUDITOR_URL", "AUDITOR_DB"}}
        self.env = kept | {"AUDITOR_HOME": str(home), "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
        self.env |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
        self.home = home

    def auditor(self, *arguments: str, **more: str) -> str:
        """What the command prints; it must end well."""
        command = [sys.executable, "-m", "auditor", *arguments]
        env = self.env | more
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=400, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
