"""Every callable of this process: what a guest replaces shows between two looks."""

from __future__ import annotations

import sys
import types


def functions() -> dict[str, int]:
    """Identities of the callables of every loaded module and class but the agent's, by dotted name."""
    found: dict[str, int] = {}
    for name, module in list(sys.modules.items()):
        if not isinstance(module, types.ModuleType) or name.startswith(("auditor_agent", "__main__")):
            continue
        for key, value in list(vars(module).items()):
            if callable(value):
                found[f"{name}.{key}"] = id(value)
            if isinstance(value, type) and value.__module__ == name:
                for attribute, inner in list(vars(value).items()):
                    if callable(inner) or isinstance(inner, (classmethod, staticmethod, property)):
                        found[f"{name}.{key}.{attribute}"] = id(inner)
    return found
