"""Text as the store keeps it: JSON with non-finite numbers by name, and strings that databases take."""

from __future__ import annotations

import json
from typing import Any

from auditor_agent import jsonfinite


def to_json(value: Any) -> str:
    """Compact ASCII JSON of ``value``, non-finite numbers by name (see ``jsonfinite``)."""
    return jsonfinite.dumps(value)


def from_json(text: str) -> Any:
    """What :func:`to_json` wrote; non-finite numbers stay the strings that name them."""
    return json.loads(text)


def clean(text: str) -> str:
    """``text`` without what no database stores: NUL and lone surrogates become U+FFFD."""
    return text.replace("\0", "\ufffd").encode("utf-8", "surrogatepass").decode("utf-8", "replace")
