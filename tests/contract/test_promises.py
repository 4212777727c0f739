"""docs/promises.md and the names of the tests agree: no promise without a proof, no proof of nothing."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from typing import NamedTuple

from support.checkout import ROOT, texts

PAGE = ROOT / "docs" / "promises.md"
#: Every promise there is. One is never dropped silently: its line says what does not hold.
PROMISES = {
    *(f"G{n}" for n in range(1, 15)),
    *(f"D{n}" for n in range(1, 11)),
    *(f"V{n}" for n in range(1, 8)),
    *(f"S{n}" for n in (*range(1, 11), 12)),
}
CARRIED = re.compile(r"test_((?:[gdvs]\d+_)+)")


class Line(NamedTuple):
    """A promise as the page tells it; ``-`` where there is nothing to tell."""

    holds: str
    not_yet: str


def promised() -> dict[str, Line]:
    """The lines of the page by id."""
    rows = re.findall(r"^\| ([GDVS]\d+) \| (.*) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len({row[0] for row in rows}) == len(rows), "an id has two lines"
    return {name: Line(holds, not_yet) for name, holds, not_yet in rows}


def named() -> dict[str, set[str]]:
    """The tests that the page names, by id."""
    lines = re.findall(r"^- \*\*([GDVS]\d+)\*\* (.*)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: set(re.findall(r"`(test_\w+)`", tests)) for name, tests in lines}


def carried() -> dict[str, set[str]]:
    """The tests of this checkout by the ids that their names carry."""
    found: dict[str, set[str]] = defaultdict(set)
    for path, text in texts("tests", ending=".py"):
        if path.name.startswith("test_"):
            for node in ast.walk(ast.parse(text)):
                if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and (match := CARRIED.match(node.name)):
                    for name in match[1].split("_")[:-1]:
                        found[name.upper()].add(node.name)
    return found


def test_the_page_has_a_line_for_every_promise() -> None:
    """And for nothing else; each says something in one column or the other."""
    lines = promised()
    assert set(lines) == PROMISES
    assert [name for name, line in lines.items() if line == ("-", "-")] == []


def test_what_the_page_says_holds_is_what_tests_carry() -> None:
    """Both ways: a promise that holds has a test with its id, and a test's id is a promise that holds."""
    assert {name for name, line in promised().items() if line.holds != "-"} == set(carried())


def test_the_tests_that_the_page_names_exist_and_carry_the_id() -> None:
    """A renamed test is renamed on the page too."""
    tests, page = carried(), named()
    assert set(page) == set(tests)
    assert {name: page[name] - tests[name] for name in page if page[name] - tests[name]} == {}
