"""``auditor causes``: the catalogue in the terminal."""

from __future__ import annotations

import json

from auditor.compare.catalogue import entries
from tests.unit.cli.conftest import Call


def test_every_cause_is_listed_and_words_narrow_the_list(call: Call) -> None:
    """By what people search for."""
    told = json.loads(call("causes", "list", "--json").stdout)["causes"]
    assert {one["id"] for one in told} == set(entries())
    assert set(told[0]) >= {"symptom", "see", "why", "fix", "effect", "versions", "page"}
    narrowed = call("causes", "list", "400", "%").stdout
    assert "LOSS-02" in narrowed
    assert "OPT-08" not in narrowed


def test_a_cause_is_shown_with_why_and_what_to_do(call: Call) -> None:
    """In whatever case its id is written."""
    text = " ".join(call("causes", "show", "loss-02").stdout.split())
    for words in ("broadcasts to (B, B)", "squeeze(-1)", "torch >=2.13", "docs/causes/LOSS-02.md", "What you see"):
        assert words in text
    assert json.loads(call("causes", "show", "OPT-08", "--json").stdout)["stage"] == "regularization"


def test_what_is_not_there_is_said(call: Call) -> None:
    """With the closest id, or how to see all."""
    assert "did you mean LOSS-02" in call("causes", "show", "LOSS02", code=2).output
    assert "no cause speaks of" in call("causes", "list", "xyzzy", code=2).output
