"""Rules, dashboards and configurations agree with each other, with the metrics, and with their tools."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from auditor.alerts import dashboards, grafana, metrics
from auditor.alerts.metrics import METRICS
from support.process import program

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
RULES = DEPLOY / "prometheus" / "rules" / "auditor.rules.yml"
ALERTS = re.findall(r"^ +- alert: (\w+)$", RULES.read_text(), re.MULTILINE)
QUERYABLE = {name for metric in METRICS for name in metric.queryable}


def tool(*command: str) -> None:
    """Run a checking tool; its complaint fails the test."""
    done = subprocess.run([program(command[0]), *command[1:]], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_promtool_accepts_the_configuration() -> None:
    """With the rule file that it names."""
    tool("promtool", "check", "config", str(DEPLOY / "prometheus" / "prometheus.yml"))


def test_promtool_accepts_the_rules() -> None:
    """Names, labels and expressions."""
    tool("promtool", "check", "rules", str(RULES))


@pytest.mark.parametrize(
    "path", sorted((DEPLOY / "prometheus" / "tests").glob("*.test.yml")), ids=lambda path: path.name
)
def test_the_rules_pass_their_tests(path: Path) -> None:
    """Series in, alerts out."""
    tool("promtool", "test", "rules", str(path))


def test_amtool_accepts_the_configuration() -> None:
    """Routes, receivers, inhibition."""
    tool("amtool", "check-config", str(DEPLOY / "alertmanager" / "alertmanager.yml"))


def test_v6_rules_use_only_metrics_that_exist() -> None:
    """A name that nobody exposes would be a rule that never fires."""
    expressions = re.findall(r"^ +expr: (.+)$", RULES.read_text(), re.MULTILINE)
    assert len(expressions) == len(ALERTS) > 10
    used = {name for expression in expressions for name in re.findall(r"\bauditor_\w+", expression)}
    assert used <= QUERYABLE


def test_v6_dashboards_use_only_metrics_that_exist() -> None:
    """In panels and in variables."""
    used = set(re.findall(r"\bauditor_\w+", json.dumps(dashboards.overview())))
    assert used <= QUERYABLE
    assert len(used) > 15


def test_v6_every_metric_of_a_run_is_on_the_dashboard() -> None:
    """What is exposed for people is shown to them."""
    used = set(re.findall(r"\bauditor_\w+", json.dumps(dashboards.overview())))
    assert {metric.name for metric in METRICS if metric.name.startswith("auditor_run_")} <= used


@pytest.mark.parametrize("alert", ALERTS)
def test_every_alert_is_tested_and_has_a_runbook(alert: str) -> None:
    """The page exists, is named by the rule, and says what to do; a promtool test has the alert's name."""
    assert f"runbook: docs/runbooks/{alert}.md" in RULES.read_text()
    page = (ROOT / "docs" / "runbooks" / f"{alert}.md").read_text()
    for heading in (f"# {alert}\n", "## What it means", "## What to look at", "## What to do"):
        assert heading in page
    tests = "".join(path.read_text() for path in (DEPLOY / "prometheus" / "tests").glob("*.test.yml"))
    assert alert in tests


def test_no_runbook_is_left_without_its_alert() -> None:
    """A renamed alert takes its page along."""
    pages = {path.stem for path in (ROOT / "docs" / "runbooks").glob("Auditor*.md")}
    assert pages == set(ALERTS)


def test_the_dashboard_on_disk_is_current() -> None:
    """dashboards/overview.json is what the code says."""
    assert dashboards.main(["--check"]) == 0


def test_panels_are_described_and_do_not_overlap() -> None:
    """Each has a title, a description, a unit, and a place of its own."""
    taken: set[tuple[int, int]] = set()
    for panel in dashboards.overview()["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken
        assert max(x for x, _ in cells) < dashboards.COLUMNS
        taken |= cells
        if panel["type"] != "row":
            assert panel["title"]
            assert panel["description"].endswith(".")
            assert panel["fieldConfig"]["defaults"]["unit"]
    ids = [panel["id"] for panel in dashboards.overview()["panels"]]
    assert len(set(ids)) == len(ids)


def test_every_path_that_the_compose_file_mounts_exists() -> None:
    """It cannot be started here, but its files can be looked for."""
    folder = DEPLOY / "docker"
    mounted = re.findall(r"(\.\./[\w./-]+):/", (folder / "compose.yml").read_text())
    assert len(mounted) >= 4
    for path in [*mounted, "Dockerfile", ".env.example"]:
        assert (folder / path).resolve().exists(), path
    copied = re.findall(r"^COPY ((?:[\w.]+ )+)\S+$", (folder / "Dockerfile").read_text(), re.MULTILINE)
    assert {path for line in copied for path in line.split()} >= {"pyproject.toml", "auditor", "agents"}


def test_provisioning_and_sync_agree() -> None:
    """A provisioned data source is the one that a sync would make, so that it finds it and leaves it."""
    source = (DEPLOY / "grafana" / "provisioning" / "datasources" / "auditor.yml").read_text()
    assert f"name: {grafana.SOURCE_NAME}\n" in source
    assert f"uid: {grafana.SOURCE_UID}\n" in source
    provider = (DEPLOY / "grafana" / "provisioning" / "dashboards" / "auditor.yml").read_text()
    assert f"folderUid: {grafana.FOLDER_UID}\n" in provider


@pytest.mark.parametrize(("module", "name"), [(dashboards, "FILE"), (metrics, "PAGE")])
def test_a_generated_file_that_is_out_of_date_is_noticed(
    module: ModuleType, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """--check fails and names the file; writing it again puts that right."""
    path = tmp_path / "generated" / "file"
    path.parent.mkdir()
    path.write_text("old")
    monkeypatch.setattr(module, name, path)
    assert module.main(["--check"]) == 1
    assert str(path) in capsys.readouterr().err
    assert module.main([]) == 0
    assert module.main(["--check"]) == 0
