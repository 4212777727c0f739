"""The reading verbs over a real store, in text and in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.unit.cli.conftest import HOSTILE, Call


def parsed(call: Call, *arguments: str, code: int = 0) -> Any:
    """What a verb prints with ``--json``."""
    return json.loads(call(*arguments, "--json", code=code).stdout)


def test_runs_lists_every_run_and_its_verdict(runs: Path, call: Call) -> None:
    """In JSON and in the table."""
    listed = {row["run"]: row["verdict"] for row in parsed(call, "runs")["runs"]}
    assert listed == {"good": "healthy", "twin": "healthy", "hostile": "healthy", "broken": "diverged"}
    output = call("runs").stdout
    assert "broken" in output
    assert "diverged" in output


def test_an_empty_store_says_what_to_do(auditor_home: Path, call: Call) -> None:
    """A first-time user sees the next command."""
    assert "auditor run --" in call("runs").stdout
    assert parsed(call, "runs")["runs"] == []


def test_show_has_the_shape_that_others_rely_on(runs: Path, call: Call) -> None:
    """DESIGN section 3: the keys of a run and of an alert."""
    shown = parsed(call, "show", "broken")
    assert {"run", "status", "framework", "steps", "verdict", "alerts", "lost"} <= shown.keys()
    assert (shown["status"], shown["framework"], shown["steps"]) == ("finished", "torch", 20)
    assert set(shown["lost"]) == {"dropped", "reasons"}
    alert = next(alert for alert in shown["alerts"] if alert["rule"] == "nonfinite_gradient")
    keys = "rule severity state first_step last_step subject evidence summary likely_causes advice"
    assert set(keys.split()) <= alert.keys()
    assert alert["first_step"] == 7
    assert alert["subject"] == {"kind": "gradient", "name": "fc1.bias", "rank": 0}


def test_show_tells_a_person_the_tensor_and_the_step(runs: Path, call: Call) -> None:
    """Within 80 columns."""
    output = call("show", "broken").stdout
    assert "nonfinite_gradient" in output
    assert "fc1.bias" in output
    assert "7" in output
    assert max(len(line) for line in output.splitlines()) <= 80


@pytest.mark.parametrize("verb", [("runs",), ("show", "broken"), ("alerts",)])
def test_check_exits_with_one_when_something_was_found(verb: tuple[str, ...], runs: Path, call: Call) -> None:
    """And with 0 without --check."""
    call(*verb, "--check", code=1)
    call(*verb)


def test_check_is_content_with_a_healthy_run(runs: Path, call: Call) -> None:
    """Exit code 0."""
    call("show", "good", "--check")
    call("alerts", "--run", "good", "--check")


def test_an_unknown_run_is_a_usage_error(runs: Path, call: Call) -> None:
    """Exit code 2, and where to look."""
    result = call("show", "nobody", code=2)
    assert "nobody" in result.stderr
    assert "auditor runs" in result.stderr


def test_alerts_can_be_narrowed(runs: Path, call: Call) -> None:
    """By rule, run, state and time."""
    every = parsed(call, "alerts")["alerts"]
    assert {alert["run"] for alert in every} == {"broken"}
    assert len(parsed(call, "alerts", "--rule", "nonfinite_loss")["alerts"]) == 1
    assert parsed(call, "alerts", "--run", "good")["alerts"] == []
    assert len(parsed(call, "alerts", "--since", "1h")["alerts"]) == len(every)
    assert parsed(call, "alerts", "--since", "2100-01-01")["alerts"] == []
    assert "advice" not in call("alerts").stdout
    assert "do:" in call("alerts", "-v").stdout


@pytest.mark.parametrize("when", ["yesterday", "5 parsecs", ""])
def test_a_time_that_is_none_is_a_usage_error(when: str, auditor_home: Path, call: Call) -> None:
    """Exit code 2, with examples."""
    assert "2h" in call("alerts", "--since", when, code=2).stderr


def test_tail_of_an_ended_run_ends(runs: Path, call: Call) -> None:
    """The last steps, its alerts, its end; non-finite numbers by name."""
    lines = [json.loads(line) for line in call("tail", "broken", "-n", "3", "--json").stdout.splitlines()]
    assert [line["step"] for line in lines if "step" in line] == [18, 19, 20]
    assert lines[0]["loss"] == "NaN"
    assert any(line["alert"]["rule"] == "nonfinite_gradient" for line in lines if "alert" in line)
    assert lines[-1] == {"end": {"status": "finished", "verdict": "diverged"}}
    assert "step 20" in call("tail", "good").stdout


def test_export_writes_every_row(runs: Path, call: Call, tmp_path: Path) -> None:
    """20 steps of 3 tensors; the size that it names is the file's."""
    path = tmp_path / "good.parquet"
    told = parsed(call, "export", "good", "--parquet", str(path))
    assert told["bytes"] == path.stat().st_size
    assert pq.read_table(path).num_rows >= 60
    call("export", "nobody", "--parquet", str(tmp_path / "no.parquet"), code=2)
    assert not list(tmp_path.glob("*no.parquet*"))


def test_compare_tells_the_broken_from_the_good(runs: Path, call: Call, tmp_path: Path) -> None:
    """Verdict, stage and step; exit code 1 with --check; the page is written."""
    page = tmp_path / "page.html"
    found = parsed(call, "compare", "good", "broken", "--html", str(page), "--check", code=1)
    assert found["verdict"] == "mismatch"
    assert (found["first_divergence"]["stage"], found["first_divergence"]["step"]) == ("backward", 7)
    assert found["configuration"] == "differs"
    assert "optimizer.learning_rate" in call("compare", "good", "broken").stdout
    assert page.read_text().startswith("<!doctype html>")


def test_compare_of_twins_is_equivalent(runs: Path, call: Call) -> None:
    """The same numbers; nothing is declared differently."""
    found = parsed(call, "compare", "good", "twin", "--check")
    assert (found["verdict"], found["configuration"]) == ("equivalent", "same")
    assert "equivalent" in call("compare", "good", "twin").stdout


def test_s5_hostile_names_do_nothing_to_a_terminal(runs: Path, call: Call) -> None:
    """No escape sequence, no direction override; brackets are no markup."""
    for arguments in (("show", "hostile"), ("runs",), ("compare", "good", "hostile")):
        output = call(*arguments).stdout
        assert "\x1b" not in output
        assert "\u202e" not in output
    assert "[red]" in call("show", "hostile").stdout
    assert parsed(call, "show", "hostile")["name"] == HOSTILE


def test_purge_deletes_what_it_is_told(runs: Path, call: Call) -> None:
    """One run by name, and nothing without saying which."""
    call("purge", code=2)
    assert parsed(call, "purge", "--run", "broken", "--yes") == {"deleted": 1}
    assert {row["run"] for row in parsed(call, "runs")["runs"]} == {"good", "twin", "hostile"}
    call("purge", "--run", "good", input="n\n", code=1)
    assert len(parsed(call, "runs")["runs"]) == 3
    assert parsed(call, "purge", "--keep", "0", "--yes") == {"deleted": 3}
