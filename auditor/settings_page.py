"""``docs/settings.md``, made from the settings' own docstrings.

``python -m auditor.settings_page`` writes the page, ``--check`` fails when it is out of date.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic.fields import FieldInfo

from auditor.settings import Settings

PAGE: Final = Path(__file__).resolve().parents[1] / "docs" / "settings.md"


def page() -> str:
    """The text of the page."""
    lines = [
        "# Settings of the daemon",
        "",
        "What `auditor serve`, and the daemon within `auditor run`, read from the environment. Generated from",
        "`auditor/settings.py` by `python -m auditor.settings_page`; do not edit.",
        "",
        "| variable | default | meaning |",
        "|---|---|---|",
    ]
    lines += [_line(name, field) for name, field in Settings.model_fields.items()]
    return "\n".join(lines) + "\n"


def _line(name: str, field: FieldInfo) -> str:
    default = field.get_default(call_default_factory=True, validated_data={})
    shown = "-" if default in (None, "", {}) else f"`{str(default).lower() if isinstance(default, bool) else default}`"
    meaning = " ".join((field.description or "").split()).replace("|", "\\|").replace("``", "`")
    return f"| `AUDITOR_{name.upper()}` | {shown} | {meaning} |"


def main(arguments: Sequence[str]) -> int:
    """Write the page, or with ``--check`` return 1 if the one on disk differs."""
    if "--check" not in arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    sys.stderr.write(f"{PAGE} is out of date: run python -m auditor.settings_page\n")
    return 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
