"""The pages of the causes: one per entry, in words of the symptom, and every reference leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from auditor.compare import catalogue
from auditor.compare.catalogue import docs
from auditor.compare.catalogue.pages import KINDS, matching, pages
from support.checkout import ROOT

ENTRIES = catalogue.entries()
MADE = docs.files()


@pytest.mark.parametrize("name", ENTRIES)
def test_a_page_says_what_one_sees_why_and_what_to_do(name: str) -> None:
    """A title of its own, sentences, effect, and a line or a word for whoever wants to align."""
    told, entry = pages()[name], ENTRIES[name]
    assert told.symptom != entry.title
    assert 20 < len(told.symptom) < 140
    assert told.symptom[-1] != "."
    for text in (told.see, told.why):
        assert len(text) > 40
        assert text[-1] in ".\"'"
    assert told.kind
    assert set(told.kind) <= set(KINDS)
    assert entry.effect
    text = MADE[f"{name}.md"]
    assert text.startswith(f"# {told.symptom}\n")
    for heading in ("What you see", "Why", "How to make them agree", "How much it matters", "How it is found"):
        assert f"\n## {heading}\n" in text


def test_every_page_has_an_entry_and_titles_differ() -> None:
    """Neither a page without an entry nor two with one title."""
    assert set(pages()) == set(ENTRIES)
    assert len({told.symptom for told in pages().values()}) == len(pages())


def test_links_lead_to_pages() -> None:
    """Within the folder, from every page and from the index, which lists all under a symptom and under a stage."""
    for text in MADE.values():
        assert set(re.findall(r"\]\(([^)#]+\.md)\)", text)) <= set(MADE)
    listed = re.findall(r"^- \[.*\]\((.+)\.md\)$", MADE["README.md"], re.MULTILINE)
    assert set(listed) == set(ENTRIES)
    rows = re.findall(r"^\| \[([A-Z]+-\d\d)\]", MADE["README.md"], re.MULTILINE)
    assert sorted(rows) == sorted(ENTRIES)


def test_every_framework_that_an_entry_speaks_of_has_its_line() -> None:
    """Of its own, Keras's for TensorFlow, or one for all; entries without a difference need none."""
    without = {
        (name, framework)
        for name, entry in ENTRIES.items()
        for framework in entry.says
        if entry.fix
        and not {framework, "any"} & set(entry.fix)
        and not (framework == "tensorflow" and "keras" in entry.fix)
    }
    assert without == set()
    assert {name for name, entry in ENTRIES.items() if not entry.fix} == {"INIT-10"}


def test_a_line_of_code_is_told_from_words() -> None:
    """What Python reads is set as code, a comment behind it as words."""
    assert docs.is_code("nn.Softmax(dim=-1)")
    assert not docs.is_code("keep the learning rate constant")
    assert "- PyTorch: `nn.Softmax(dim=-1)`\n" in MADE["FWD-22.md"]


def test_stale_pages_are_found_and_pages_without_an_entry_removed(tmp_path: Path) -> None:
    """``--check`` says so; writing mends both."""
    place = ["--root", str(tmp_path)]
    assert docs.main(place) == 0
    assert docs.main([*place, "--check"]) == 0
    folder = tmp_path / catalogue.FOLDER
    (folder / "LOSS-02.md").write_text("old", encoding="utf-8")
    (folder / "GONE-01.md").write_text("", encoding="utf-8")
    assert docs.main([*place, "--check"]) == 1
    assert docs.main(place) == 0
    assert {path.name for path in folder.iterdir()} == set(MADE)


@pytest.mark.parametrize(
    ("words", "first"),
    [("400 % higher error", "LOSS-02"), ("alpha regularise", "OPT-08"), ("1.46 ten classes", "LOSS-05"),
     ("embedding repeated k times", "OPT-29"), ("16.118", "LOSS-06"), ("stride 2 same shapes", "FWD-11")],
)  # fmt: skip
def test_a_symptom_finds_its_page(words: str, first: str) -> None:
    """By words as people search them."""
    assert matching(words)[0] == first


def test_pages_are_checked_in() -> None:
    """What lies in the checkout is what the catalogue says."""
    assert docs.main(["--root", str(ROOT), "--check"]) == 0
