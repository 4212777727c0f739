"""The comparison page: opens offline, obeys its own policy, shows hostile names as text."""

from __future__ import annotations

import math
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.compare.trajectories import Curve
from auditor.compare.verdict import Side, compare
from auditor.report.html import comparison_page

HOSTILE = "</title></style><script>alert(1)</script><img src=x onerror=alert(1)>\" ' & $x_1$ \u202e\x00"
_VOID = {"meta", "img", "br", "path", "use", "rect"}


def side(run: str, *, nan: bool = False, manifest: dict[str, Any] | None = None) -> Side:
    """A run of 300 steps, with or without NaN from step 201 on."""
    steps = np.arange(1, 301)
    loss = np.exp(-steps / 100) + 0.1
    if nan:
        loss[200:] = math.nan
    curves = {"loss": Curve(steps, loss), "grad_norm": Curve(steps, loss * 2)}
    given = manifest or {"optimizer": {"class": "Adam", "lr": 0.01}}
    return Side(run, "torch", "finished", curves, given, (), 300)


def shown(run: str, name: str, **rest: Any) -> dict[str, Any]:
    """The ``show`` JSON of a run."""
    base = {"run": run, "name": name, "framework": "torch", "status": "finished", "verdict": "healthy", "steps": 300}
    return base | {"alerts": [], "loss": 0.1} | rest


ALERT = {
    "rule": "nonfinite_gradient", "severity": "critical", "state": "firing", "first_step": 201, "last_step": 300,
    "subject": {"kind": "gradient", "name": HOSTILE, "rank": 0}, "members": [], "summary": HOSTILE,
    "likely_causes": [HOSTILE], "advice": HOSTILE,
}  # fmt: skip


@pytest.fixture(scope="module")
def page() -> str:
    """A page in which everything that a run can name is hostile."""
    other = {HOSTILE: HOSTILE, "optimizer": {"class": "Adam", "lr": 0.02}}
    found = compare(side(HOSTILE), side("b", nan=True, manifest=other))
    return comparison_page(found, shown(HOSTILE, HOSTILE), shown("b", "b", verdict="diverged", alerts=[ALERT]))


CAUSE = {
    "id": "LOSS-02", "stage": "loss", "title": HOSTILE, "parameter": HOSTILE, "a": HOSTILE, "b": HOSTILE,
    "how": "measured", "confidence": 0.9, "weight": 1.0, "effect": HOSTILE, "fix": HOSTILE, "step": 1,
    "versions": {"torch": ">=2.13"}, "page": "docs/causes/LOSS-02.md",
}  # fmt: skip


class Parsed(HTMLParser):
    """Collects elements with their attributes, text, and ids; checks that elements nest."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.elements.append((tag, dict(attrs)))
        if tag not in _VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Called by the parser."""
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        """Called by the parser."""
        if tag not in _VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Called by the parser."""
        self.words.append(data)


def test_s5_hostile_names_are_text(page: str) -> None:
    """No element and no attribute comes from a run; what it said can still be read."""
    parsed = Parsed(page)
    assert parsed.open == []
    assert not {"script", "img", "iframe", "object", "link", "form", "a"} & {tag for tag, _ in parsed.elements}
    assert not [name for _, attrs in parsed.elements for name in attrs if name.startswith("on")]
    assert any("<script>alert(1)</script>" in words for words in parsed.words)
    assert "\x00" not in page
    assert "\u202e" not in page


def test_s12_nothing_refers_outside_the_page(page: str) -> None:
    """Only XML namespaces look like addresses; references within point at ids that exist, once."""
    assert set(re.findall(r"https?://[^\s\"'<>)]+", page)) <= {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    parsed = Parsed(page)
    ids = [attrs["id"] for _, attrs in parsed.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    targets = re.findall(r"(?:url\(|href=\")#([^\")]+)", page)
    assert targets
    assert set(targets) <= set(ids)
    assert "@import" not in page


def test_s12_the_page_forbids_itself_everything_but_its_style(page: str) -> None:
    """The policy stands before anything that it governs."""
    policy = next(attrs for tag, attrs in Parsed(page).elements if attrs.get("http-equiv") == "Content-Security-Policy")
    assert str(policy["content"]).startswith("default-src 'none'; style-src 'unsafe-inline'")
    assert page.index("Content-Security-Policy") < page.index("<style")


def test_plots_have_a_title_for_those_who_do_not_see_them(page: str) -> None:
    """Each svg is an image with a label."""
    plots = [attrs for tag, attrs in Parsed(page).elements if tag == "svg"]
    assert len(plots) == 4
    for attrs in plots:
        assert attrs["role"] == "img"
        assert f'<title id="{attrs["aria-labelledby"]}">' in page
    assert "not finite from step 201" in page


def test_colours_come_from_the_page(page: str) -> None:
    """Both schemes are defined, and no stand-in colour is left in a plot."""
    assert "prefers-color-scheme: dark" in page
    assert "#0102" not in page
    assert "var(--a)" in page


def test_the_page_says_what_differs(page: str) -> None:
    """The learning rates of both sides stand in the table."""
    assert "optimizer.learning_rate" in page
    assert "0.01</td>" in page
    assert "0.02</td>" in page


def test_a_comparison_of_nothing_is_still_a_page() -> None:
    """Two runs without a step and without a manifest."""
    empty = Side("e", "torch", "failed", {}, None, (), None)
    text = comparison_page(compare(empty, empty), shown("e", ""), shown("e", ""))
    assert "cannot be compared" in text
    assert Parsed(text).open == []


@pytest.mark.skipif(shutil.which("chromium") is None, reason="needs Debian's chromium")
def test_s12_a_browser_draws_it(page: str, tmp_path: Path) -> None:
    """Headless, offline, in colour: the screenshot is no blank page, and the policy blocks nothing of it."""
    file, shot = tmp_path / "page.html", tmp_path / "shot.png"
    file.write_text(page)
    flags = "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    more = "--disable-component-update --disable-sync --enable-logging=stderr --window-size=1000,1600"
    done = subprocess.run(
        [
            "chromium", *flags.split(), *more.split(), f"--user-data-dir={tmp_path}", f"--screenshot={shot}",
            file.as_uri(),
        ],
        capture_output=True, text=True, timeout=90, check=True,
    )  # fmt: skip
    assert "Content Security Policy" not in done.stderr
    from matplotlib.image import imread

    pixels = imread(shot)
    assert pixels.shape[1] == 1000
    assert len(np.unique((pixels[..., :3] * 255).astype(np.uint8).reshape(-1, 3), axis=0)) > 50


def test_a_cause_is_explained_on_the_page_itself() -> None:
    """Its symptom, why, for which releases, and where its page is; an unknown id of a newer daemon is not."""
    found = compare(side("a"), side("b")) | {"causes": [CAUSE, CAUSE | {"id": "NEW-99"}]}
    text = comparison_page(found, shown("a", "a"), shown("b", "b"))
    parsed = Parsed(text)
    assert parsed.open == []
    assert len([tag for tag, _ in parsed.elements if tag == "summary"]) == 1
    told = " ".join(parsed.words)
    assert "400 % higher" in told
    assert "docs/causes/LOSS-02.md" in told
    assert "torch >=2.13" in told
