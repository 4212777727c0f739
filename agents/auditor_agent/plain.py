"""What users hand in, as plain values that JSON can say, copied so that later changes do not matter."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

MAX_TEXT: Final = 4096
READ_TEXT: Final = MAX_TEXT + 512
"""Somewhat more than is sent, so that ``scrub`` sees a secret whole that the cut would halve."""
MAX_DEPTH: Final = 16


def plain(value: Any, depth: int = 0) -> Any:
    """``value`` with numpy-like scalars as numbers, unknown objects as their text, long texts cut."""
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, str):
        return value[:READ_TEXT]
    if depth < MAX_DEPTH:
        if isinstance(value, Mapping):
            return {str(key): plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)):
            return [plain(item, depth + 1) for item in value]
    item = getattr(value, "item", None)
    if callable(item) and getattr(value, "ndim", None) == 0:
        return plain(item(), MAX_DEPTH)
    return str(value)[:READ_TEXT]
