from __future__ import annotations

from pathlib import Path

import pytest

from auditor.detect import docs
from auditor.detect.catalogue import IDS
from auditor.detect.registry import built_in
from auditor.detect.rule import PHASES, Rule

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_of_rules_is_current() -> None:
    """docs/rules.md is what the rule modules say today."""
    assert docs.main(["--check", "--root", str(ROOT)]) == 0


def test_a_page_that_is_not_current_is_found_and_rewritten(tmp_path: Path) -> None:
    """--check fails on an old page; without it the page is written."""
    (tmp_path / "docs").mkdir()
    page = tmp_path / "docs" / "rules.md"
    page.write_text("old")
    assert docs.main(["--check", "--root", str(tmp_path)]) == 1
    assert docs.main(["--root", str(tmp_path)]) == 0
    assert docs.main(["--check", "--root", str(tmp_path)]) == 0


@pytest.mark.parametrize("rule", built_in(), ids=lambda rule: rule.id)
def test_every_rule_says_what_it_is(rule: type[Rule]) -> None:
    """Words for people, a known phase, known causes, and every default explained with its source."""
    assert rule.summary.endswith(".")
    assert rule.phase in PHASES
    assert len(rule.likely_causes) >= 2
    assert len(rule.advice) > 40
    assert rule.id in IDS
    assert set(rule.consequence_of) <= set(IDS)
    for name in rule.Parameters.__dataclass_fields__:
        assert f"``{name}``" in (rule.Parameters.__doc__ or ""), name
