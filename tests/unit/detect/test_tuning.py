from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from auditor.detect.registry import instances
from auditor.detect.tuning import Tuning, TuningError
from auditor.model import Severity
from auditor.settings import Settings, load_settings

TEXT = """
[rules.loss_spike]
margin = 8
[rules.vanishing_gradient]
mute = true
[projects.gan.rules.loss_spike]
margin = 20.0
severity = "info"
"""


def tuning(tmp_path: Path, text: str | None = None, **settings: object) -> Tuning:
    """What a daemon with this ``auditor.toml`` has."""
    if text is not None:
        (tmp_path / "auditor.toml").write_text(text)
    return Tuning(load_settings(home=tmp_path, **settings))


def test_a_file_tunes_and_mutes_for_all_and_for_one_project(tmp_path: Path) -> None:
    """A project's table goes before the one for all; what it does not say stays."""
    tuned = tuning(tmp_path, TEXT)
    everywhere, gan = tuned.overrides("other"), tuned.overrides("gan")
    assert (everywhere["loss_spike"], gan["loss_spike"]) == ({"margin": 8}, {"margin": 20.0, "severity": "info"})
    assert everywhere["vanishing_gradient"] == gan["vanishing_gradient"] == {"mute": True}
    rules = {rule.id: rule for rule in instances(gan)}
    assert "vanishing_gradient" not in rules
    assert rules["loss_spike"].parameters.margin == 20.0
    assert rules["loss_spike"].grade is Severity.INFO


def test_the_variable_goes_before_the_file_and_holds_a_path_or_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AUDITOR_RULES is either; the daemon's settings are the weakest."""
    other = tmp_path / "more.toml"
    other.write_text("[rules.loss_spike]\nmargin = 3.0\n[rules.run_stalled]\nstall_seconds = 9.0\n")
    monkeypatch.setenv("AUDITOR_RULES", str(other))
    tuned = tuning(tmp_path, TEXT)
    assert tuned.overrides("p")["loss_spike"] == {"margin": 3.0}
    assert tuned.overrides("p")["run_stalled"]["stall_seconds"] == 9.0
    assert tuned.origins("p")["loss_spike"]["margin"] == (3.0, str(other))
    monkeypatch.setenv("AUDITOR_RULES", '{"loss_spike": {"margin": 2.5}}')
    assert tuning(tmp_path).overrides("gan")["loss_spike"] == {"margin": 2.5, "severity": "info"}


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("[rules.los_spike]", "no rule 'los_spike'; did you mean loss_spike?"),
        ("[rules.loss_spike]\nmargim = 1", r"loss_spike has no parameters \['margim'\]; it has .*'margin'"),
        ('[rules.loss_spike]\nmargin = "big"', r"loss_spike.margin: 'big' is no value like 5.0"),
        ("[rules.loss_spike]\nmargin = true", "loss_spike.margin: True is no value"),
        ('[rules.loss_spike]\nseverity = "bad"', "loss_spike.severity: 'bad' is none of info, warning, critical"),
        ("[rule.loss_spike]", "unknown table 'rule'"),
        ("[projects.p.loss_spike]", r"\[projects.p\] holds 'loss_spike'"),
        ("[projects.p.rules.los_spike]", "project p: no rule 'los_spike'"),
        ("rules = 1", "rules is no table"),
        ("[rules", "Expected .* at the end of a table"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, text: str, fault: str) -> None:
    """The file, the table, and what is wrong with it."""
    with pytest.raises(TuningError, match=rf"auditor\.toml.*{fault}"):
        tuning(tmp_path, text)


def test_a_path_that_leads_nowhere_is_an_error(tmp_path: Path) -> None:
    """A file that was asked for must be there; the one in the home need not."""
    assert tuning(tmp_path).overrides("p").keys() == {"run_stalled", "agent_silent"}
    with pytest.raises(TuningError, match=r"none\.toml: No such file"):
        Tuning(Settings(home=tmp_path, rules=tmp_path / "none.toml"))


def test_a_changed_file_counts_for_the_next_run(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """It is read again when it has changed; a file that has become wrong changes nothing and is reported."""
    tuned, path = tuning(tmp_path, TEXT), tmp_path / "auditor.toml"
    path.write_text("[rules.loss_spike]\nmargin = 9.0\n")
    assert tuned.overrides("p")["loss_spike"] == {"margin": 9.0}
    path.write_text("[rules.los_spike]\n")
    os.utime(path, (1, 1))
    with caplog.at_level(logging.ERROR):
        assert tuned.overrides("p")["loss_spike"] == {"margin": 9.0}
        assert tuned.overrides("p")["loss_spike"] == {"margin": 9.0}
    assert [record.getMessage().count("los_spike") for record in caplog.records] == [1]
