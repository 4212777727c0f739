"""One operation of a network."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Operation:
    """One operation: its kind, the program's name for it, and what of it can differ."""

    kind: str
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def word(self) -> str:
        """A few words: ``dense(64)``, ``gelu``."""
        if self.kind == "activation":
            return str(self.settings.get("function", "a function of the program's own"))
        size = next((self.settings[key] for key in ("units", "rate") if key in self.settings), None)
        return self.kind if size is None else f"{self.kind}({size:g})"
