"""The page of variables is what the code reads, and the code reads no other variable."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor import configuration_page
from auditor.settings import Settings
from auditor_agent.config import VARIABLES
from support.checkout import ROOT, texts

VARIABLE = re.compile(r"\bAUDITOR_[A-Z][A-Z_]*[A-Z]\b")


def documented() -> set[str]:
    """The variables that have a row on the page."""
    return set(re.findall(r"^\| `(AUDITOR_\w+)` \|", configuration_page.page(), re.MULTILINE))


def test_the_page_of_variables_is_current() -> None:
    """docs/configuration.md is what the tables say today."""
    assert configuration_page.main(["--check"]) == 0


def test_a_page_that_is_not_current_is_found_and_rewritten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """--check fails on an old page; without it the page is written."""
    monkeypatch.setattr(configuration_page, "PAGE", tmp_path / "configuration.md")
    assert configuration_page.main(["--check"]) == 1
    assert configuration_page.main([]) == 0
    assert configuration_page.main(["--check"]) == 0


@pytest.mark.parametrize("folder", ["agents", "auditor", "benchmarks", "deploy", "docs", "scripts", "hatch_build.py"])
def test_no_variable_is_used_that_the_page_does_not_explain(folder: str) -> None:
    """Neither read in the code nor named in a document."""
    unknown = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, text in texts(folder)
        for name in VARIABLE.findall(text)
        if name not in documented()
    }
    assert unknown == set()


def test_every_variable_of_the_page_is_used() -> None:
    """The agent's are read by name; the daemon's are fields of its settings, each explained."""
    code = "".join(text for folder in ("agents", "hatch_build.py") for _, text in texts(folder))
    unused = {name for name in documented() if code.count(name) < 2} - {"AUDITOR_NATIVE"}
    assert unused <= {f"AUDITOR_{name.upper()}" for name in Settings.model_fields}
    assert all(field.description for field in Settings.model_fields.values())
    assert all(variable.meaning.endswith(".") for variable in VARIABLES)
