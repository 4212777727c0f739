"""The command line: one module per verb, loaded when its verb is called."""

from __future__ import annotations

import importlib.util
import sys

#: What every verb needs beyond the agent; the extra ``server`` brings them.
REQUIRED = ("click", "rich", "httpx")


def missing() -> list[str]:
    """The packages that the command line needs and does not find, by import name."""
    return [name for name in REQUIRED if importlib.util.find_spec(name) is None]


def main() -> None:
    """Entry point of ``auditor``. Exits with 0, 1 (``--check`` found something) or 2 (usage, environment)."""
    if lacking := missing():
        what = f"auditor: {', '.join(lacking)} not installed"
        sys.stderr.write(f"{what}. The command line needs the server extra: pip install 'training-auditor[server]'\n")
        raise SystemExit(2)
    from auditor.cli.group import auditor

    auditor(prog_name="auditor")
