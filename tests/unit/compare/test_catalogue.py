"""The catalogue as code: every entry says how it is told, and every cause is an entry."""

from __future__ import annotations

import re

import pytest

from auditor.compare import catalogue
from auditor.compare.identify import STAGES
from support.checkout import ROOT

ENTRIES = catalogue.entries()


@pytest.mark.parametrize("name", ENTRIES)
def test_an_entry_says_how_it_is_told_and_how_to_align(name: str) -> None:
    """From numbers, or why it cannot be; the stage is one of a step's."""
    entry = ENTRIES[name]
    assert entry.id == name
    assert entry.stage in STAGES
    assert entry.title
    assert len(entry.numbers) > 20
    assert entry.align or entry.fix
    assert entry.told_from_numbers or entry.numbers.startswith("cannot be told: ")
    assert not entry.told_from_numbers or entry.parameters


def test_most_entries_are_told_from_numbers() -> None:
    """At least sixty; of the others each gives its reason."""
    assert sum(entry.told_from_numbers for entry in ENTRIES.values()) >= 60


def test_every_id_that_the_code_tells_is_in_the_catalogue() -> None:
    """A cause without an entry would have neither stage nor fix."""
    sources = [*(ROOT / "auditor/compare/recognise").glob("*.py"), ROOT / "auditor/compare/aligned.py"]
    told = {found for path in sources for found in re.findall(r'"([A-Z]+-\d\d)"', path.read_text(encoding="utf-8"))}
    assert len(told) >= 60
    assert told <= set(ENTRIES)
    assert {name for name, entry in ENTRIES.items() if entry.told_from_numbers} <= told
