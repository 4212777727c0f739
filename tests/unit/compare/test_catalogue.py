"""The catalogue as code: every entry says how it is told, is reproduced, and every cause is an entry."""

from __future__ import annotations

import re

import pytest

from auditor.compare import catalogue
from auditor.compare.identify import STAGES
from support.checkout import ROOT
from support.reproduce import NOT_HERE, installed

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
    """A cause without an entry would have neither stage nor fix; one that is told says how, and no longer why not."""
    sources = [*(ROOT / "auditor/compare/recognise").glob("*.py"), ROOT / "auditor/compare/aligned.py"]
    told = {found for path in sources for found in re.findall(r'"([A-Z]+-\d\d)"', path.read_text(encoding="utf-8"))}
    assert len(told) >= 60
    assert told <= set(ENTRIES)
    assert {name for name, entry in ENTRIES.items() if entry.told_from_numbers} == told


def test_every_entry_is_reproduced_once_or_says_why_not() -> None:
    """A test per entry in the installed frameworks; what has none is listed with its reason."""
    marks = [
        name
        for path in sorted((ROOT / "tests/unit/compare/reproduced").glob("test_*.py"))
        for name in re.findall(r'^@reproduces\("([A-Z]+-\d\d)"\)$', path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert len(marks) == len(set(marks))
    assert set(marks) | set(NOT_HERE) == set(ENTRIES)
    assert not set(marks) & set(NOT_HERE)
    assert all(len(reason) > 20 for reason in NOT_HERE.values())


@pytest.mark.parametrize("name", [name for name in ENTRIES if name not in NOT_HERE])
def test_an_entry_says_for_which_releases_it_is_stated(name: str) -> None:
    """A range for every framework that it speaks of; the installed releases are not older than its beginning."""
    entry = ENTRIES[name]
    assert set(entry.says) <= set(entry.versions) <= set(catalogue.FRAMEWORKS)
    for framework, bounds in entry.versions.items():
        assert re.fullmatch(r">=\d+(\.\d+)*(,<\d+(\.\d+)*)?", bounds)
        assert catalogue.within(installed(framework), bounds.partition(",")[0])


def test_a_range_of_versions_has_two_ends() -> None:
    """From its beginning on, up to but not with its end; local builds count as their release."""
    told = [catalogue.within(version, ">=2.13,<2.15") for version in ("2.12.9", "2.13.0+cpu", "2.14.1", "2.15.0")]
    assert told == [False, True, True, False]
    assert catalogue.within("1.0", "")
    assert not ENTRIES["OPT-03"].holds("torch", "1.9.0")
