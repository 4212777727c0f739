"""The files of this checkout, for tests that read code and documents."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
#: Folders that tools make beside the sources.
_MADE: Final = frozenset({"__pycache__", ".git", ".venv", "build", "dist", "node_modules"})


def files(*places: str, ending: str = "") -> Iterator[Path]:
    """Every file below the ``places``, folders or files relative to the root, whose name ends in ``ending``."""
    for place in places or (".",):
        top = ROOT / place
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            parts = path.relative_to(ROOT).parts
            cache = any(part in _MADE or (part.startswith(".") and part.endswith("_cache")) for part in parts)
            if path.is_file() and path.name.endswith(ending) and not cache and ".hypothesis" not in parts:
                yield path


def texts(*places: str, ending: str = "") -> Iterator[tuple[Path, str]]:
    """Those of them that are UTF-8, with what they say."""
    for path in files(*places, ending=ending):
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
