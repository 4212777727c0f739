"""The agent: a light guest in a training job.

Importing it loads nothing but the standard library; integrations load when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from auditor_agent.run import Run as Run
    from auditor_agent.run import open_run as open_run

__version__ = "0.1.0"

_MODULES = ("keras", "tensorflow", "sklearn", "lightning", "transformers", "parity")
_NAMES = {
    "watch": "auditor_agent.integrations.torch.audit",
    "Run": "auditor_agent.run",
    "open_run": "auditor_agent.run",
}

__all__ = [
    "Run",
    "__version__",
    "keras",
    "lightning",
    "open_run",
    "parity",
    "sklearn",
    "tensorflow",
    "transformers",
    "watch",
]


def __getattr__(name: str) -> Any:
    import importlib

    if name in _MODULES:
        return importlib.import_module(f"auditor_agent.{name}")
    if name in _NAMES:
        value = getattr(importlib.import_module(_NAMES[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
