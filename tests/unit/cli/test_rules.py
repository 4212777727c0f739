from __future__ import annotations

import json
from pathlib import Path

from auditor.cli.embedded import embedded
from auditor.detect.registry import rules
from support.frames import Sender
from tests.unit.cli.conftest import Call, send


def tune(home: Path, text: str) -> None:
    """Write the home's ``auditor.toml``."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "auditor.toml").write_text(text)


def test_every_rule_is_listed_with_what_is_tuned(call: Call, auditor_home: Path) -> None:
    """Muted rules and changed thresholds show, by project."""
    tune(auditor_home, "[rules.loss_spike]\nmargin = 9.0\n[projects.p.rules.loss_spike]\nmute = true\n")
    told = {rule["rule"]: rule for rule in json.loads(call("rules", "list", "--json").stdout)["rules"]}
    assert set(told) == set(rules())
    assert told["loss_spike"]["parameters"]["margin"]["value"] == 9.0
    assert not told["loss_spike"]["mute"]
    line = next(line for line in call("rules", "list", "--project", "p").stdout.splitlines() if "loss_spike" in line)
    assert "muted" in line


def test_a_rule_is_shown_with_its_thresholds_and_where_they_come_from(call: Call, auditor_home: Path) -> None:
    """Value, default, the file that changed it, and the source of the defaults."""
    tune(auditor_home, "[rules.loss_spike]\nmargin = 9.0\n")
    told = json.loads(call("rules", "show", "loss_spike", "--json").stdout)
    origin = str(auditor_home / "auditor.toml")
    assert told["parameters"]["margin"] == {"value": 9.0, "default": 5.0, "origin": origin}
    assert told["parameters"]["share"]["origin"] == "default"
    text = call("rules", "show", "loss_spike").stdout
    assert "``margin``" in text
    assert "exploding_gradient" in text


def test_mistakes_are_named(call: Call, auditor_home: Path) -> None:
    """An unknown rule, a file with a fault: exit 2 and the nearest name."""
    assert "did you mean loss_spike?" in call("rules", "show", "los_spike", code=2).output
    tune(auditor_home, "[rules.los_spike]\n")
    assert "auditor.toml: no rule 'los_spike'; did you mean loss_spike?" in call("rules", "list", code=2).output


def test_a_run_is_judged_as_its_project_asks(call: Call, auditor_home: Path) -> None:
    """The same NaN in two projects, one of which has muted the rule."""
    tune(auditor_home, "[projects.quiet.rules.nonfinite_loss]\nmute = true\n")
    with embedded() as client:
        for project in ("loud", "quiet"):
            sender = Sender(project)
            send(client, sender.start(project=project) + sender.steps([1, 2], [1.0, float("nan")]))
    verdicts = {run["run"]: run["verdict"] for run in json.loads(call("runs", "--json").stdout)["runs"]}
    assert verdicts == {"loud": "diverged", "quiet": "healthy"}
