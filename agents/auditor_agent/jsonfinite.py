"""JSON in which non-finite numbers survive.

RFC 8259 has no NaN and no Infinity, and a reader that meets Python's bare ``NaN`` fails. Here they
are the strings ``"NaN"``, ``"Infinity"`` and ``"-Infinity"``, everywhere: wire header, store, API,
CLI. Readers that expect a number call :func:`number`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

_NAMES = {"NaN": math.nan, "Infinity": math.inf, "-Infinity": -math.inf}


def finite(value: Any) -> Any:
    """``value`` with every non-finite float replaced by its name; tuples become lists."""
    if isinstance(value, float):
        return value if math.isfinite(value) else _name(value)
    if isinstance(value, Mapping):
        return {str(key): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    return value


def _name(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def dumps(value: Any, *, indent: int | None = None) -> str:
    """``value`` as strict JSON text, non-finite floats as strings.

    Raises:
        TypeError: if ``value`` holds something that JSON cannot say.
    """
    separators = (",", ":") if indent is None else None
    return json.dumps(finite(value), allow_nan=False, separators=separators, indent=indent)


def number(value: Any) -> float:
    """The float that a JSON value stands for: a number, or the name of a non-finite one.

    Raises:
        ValueError: if ``value`` is neither.
    """
    if isinstance(value, str):
        if value in _NAMES:
            return _NAMES[value]
        raise ValueError(f"not a number: {value!r}")
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return float(value)
    raise ValueError(f"not a number: {value!r}")
