"""Found first on PYTHONPATH under ``auditor run``; see ``auditor_agent.autoload``.

Runs in every Python that the script starts, whatever its version and environment: standard library
only, and whatever happens the script runs. The interpreter may be another one than the auditor's,
without ``auditor_agent``: then the agent is loaded from where this file lies, and nothing else of
that place becomes importable.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PACKAGE = _HERE.parent.parent


def _agent() -> None:
    if importlib.util.find_spec("auditor_agent") is None:
        place, within = _PACKAGE / "__init__.py", [str(_PACKAGE)]
        spec = importlib.util.spec_from_file_location("auditor_agent", place, submodule_search_locations=within)
        if spec is None or spec.loader is None:
            return
        module = sys.modules["auditor_agent"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    importlib.import_module("auditor_agent.autoload.hook").install()


def _start() -> None:
    if os.environ.get("AUDITOR_AUTOLOAD") != "1" or sys.version_info < (3, 11):
        return
    try:
        _agent()
    except Exception:
        if os.environ.get("AUDITOR_RAISE") == "1":
            raise


def _go_on() -> None:
    """Run the ``sitecustomize`` that would have been found without us, in our place."""
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != _HERE]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", sys.path)
    if spec is not None and spec.loader is not None:
        module = sys.modules["sitecustomize"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)


_start()
_go_on()
