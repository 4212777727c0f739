"""``auditor compare`` with several runs: one after the other, in groups, against a baseline."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from auditor.cli.embedded import embedded
from support.frames import Sender
from tests.unit.cli.conftest import Call, send


def parsed(call: Call, *arguments: str, code: int = 0) -> Any:
    """What the verb prints with ``--json``."""
    return json.loads(call("compare", *arguments, "--json", code=code).stdout)


@pytest.fixture
def seeds(auditor_home: Path) -> Path:
    """Four runs that end near 0.2 (``low0`` …) and four near 1 (``high0`` …), of one configuration each."""
    with embedded() as client:
        for name, end, rate in (("low", 0.2, 0.1), ("high", 1.0, 0.001)):
            for i in range(4):
                sender, steps = Sender(f"{name}{i}"), range(1, 61)
                losses = [end * (1 + 0.02 * i) + 2.0 * 0.8**step for step in steps]
                manifest = {"framework": "torch", "optimizer": {"class": "SGD", "lr": rate}}
                parts = (sender.start(), sender.steps(steps, losses, tensors=True), sender.manifest(manifest))
                send(client, b"".join((*parts, sender.finish(step=60))))
    return auditor_home


def test_groups_are_sides(seeds: Path, call: Call) -> None:
    """As in the documentation: the option once, the second group behind it."""
    found = parsed(call, "--group", "low=low0,low1,low2,low3", "high=high0,high1,high2,high3", "--check", code=1)
    assert (found["verdict"], found["outcome"], found["configuration"]) == ("mismatch", "differs", "differs")
    assert found["metrics"]["loss"]["p_value"] < 0.01
    assert found["b"]["runs"] == ["high0", "high1", "high2", "high3"]
    repeated = parsed(call, "--group", "low=low0,low1", "--group", "high=high0,high1")
    assert repeated["a"]["runs"] == ["low0", "low1"]
    output = call("compare", "--group", "low=low0,low1,low2", "high=high0,high1,high2").stdout
    assert "2 more runs" in output


def test_seeds_of_one_program_do_not_differ(seeds: Path, call: Call) -> None:
    """Two and two of the same."""
    assert parsed(call, "--group", "a=low0,low3", "b=low1,low2", "--check")["outcome"] != "differs"


def test_earlier_runs_are_history(seeds: Path, call: Call) -> None:
    """One run a side: what the project's other runs say of the noise makes the test."""
    found = parsed(call, "low0", "high0", "--check", code=1)
    assert found["outcome"] == "differs"
    assert found["metrics"]["loss"]["runs_of_history"] == 6
    assert parsed(call, "low0", "low1")["outcome"] in {"equivalent", "inconclusive"}


def test_several_runs_are_held_against_the_first(seeds: Path, call: Call, tmp_path: Path) -> None:
    """The first comparison has the contract's shape, the others follow; one page shows them all."""
    page = tmp_path / "page.html"
    found = parsed(call, "low0", "low1", "high0", "--html", str(page))
    assert (found["a"]["run"], found["b"]["run"]) == ("low0", "low1")
    assert [one["b"]["run"] for one in found["comparisons"]] == ["high0"]
    html = page.read_text()
    assert html.count("<header>") == 2
    assert len(set(idents(html))) == len(idents(html))


def idents(html: str) -> list[str]:
    """Every id on a page."""
    return [part.split('"')[0] for part in html.split(' id="')[1:]]


def test_a_baseline_is_a_side(seeds: Path, call: Call) -> None:
    """Its runs are the reference; one that is gone is left out, an unknown one is named."""
    call("baseline", "create", "good", "low0", "low1", "low2")
    found = parsed(call, "high0", "high1", "high2", "--baseline", "good")
    assert found["a"]["runs"] == ["low0", "low1", "low2"]
    assert found["outcome"] == "differs"
    assert "nowhere" in call("compare", "low3", "--baseline", "nowhere", code=2).stderr


@pytest.mark.parametrize(
    "arguments", [("low0",), (), ("--group", "a=low0"), ("--group", "low0", "low1"), ("--baseline", "good")]
)
def test_two_sides_are_needed(arguments: tuple[str, ...], seeds: Path, call: Call) -> None:
    """Usage errors, with an example."""
    assert "compare" in call("compare", *arguments, code=2).stderr.lower()
