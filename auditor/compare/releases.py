"""Whether the catalogue speaks of the releases that two runs used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from auditor.compare import catalogue
from auditor.compare.recognise.cause import Cause
from auditor.compare.side import Side

#: Where a manifest keeps the versions of what was loaded.
_SECTIONS: Final = ("versions", "environment")
#: What a run of a framework is made of: its own release, and that of the layers it takes from another.
_MADE_OF: Final[Mapping[str, tuple[str, ...]]] = {"tensorflow": ("tensorflow", "keras")}


def versions(manifest: Mapping[str, Any] | None) -> dict[str, str]:
    """Releases of the frameworks that a manifest names."""
    sections = [section for name in _SECTIONS if isinstance(section := (manifest or {}).get(name), Mapping)]
    found = {name: section[name] for section in sections for name in catalogue.FRAMEWORKS if name in section}
    return {name: version for name, version in found.items() if isinstance(version, str) and version[:1].isdigit()}


def doubts(causes: Iterable[Cause], sides: Iterable[Side]) -> Iterator[str]:
    """A sentence for each cause whose entry is not stated for a release that a side used.

    A measured cause stands all the same: it was read off these runs. What the entry says of defaults,
    and its line that aligns, may not.
    """
    used = [(side, versions(side.manifest)) for side in sides]
    for name in dict.fromkeys(cause.id for cause in causes):
        entry = catalogue.entry(name)
        outside = {
            f"{part} {have[part]}": entry.versions[part]
            for side, have in used
            for part in _MADE_OF.get(side.framework, (side.framework,))
            if part in have and not entry.holds(part, have[part])
        }
        if outside:
            stated = ", ".join(f"{release.partition(' ')[0]} {bounds}" for release, bounds in outside.items())
            yield f"{name} is stated for {stated}, and not for {' and '.join(outside)}: its words may not hold there"
