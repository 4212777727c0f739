"""docs/writing-a-rule.md, run as it is printed: a package with a rule of its own, installed, found and tested."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support.checkout import ROOT

PAGE = (ROOT / "docs" / "writing-a-rule.md").read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """What ``pip install`` would leave: the package, and metadata with its entry point."""
    rule, test = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    [toml] = re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)
    [entry] = re.findall(r'^(attention_collapse) = "(.*)"$', toml, re.MULTILINE)
    package, metadata = tmp_path / "my_package", tmp_path / "my_package-1.dist-info"
    package.mkdir()
    metadata.mkdir()
    (package / "__init__.py").write_text("")
    (package / "rules.py").write_text(rule)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(f"[auditor.rules]\n{entry[0]} = {entry[1]}\n")
    (tmp_path / "test_rule.py").write_text(test)
    return tmp_path


def run(site: Path, *command: str) -> str:
    """The output of a Python that has the package; it must end well."""
    paths = os.pathsep.join([str(site), str(ROOT), str(ROOT / "agents")])
    env = os.environ | {"PYTHONPATH": paths, "AUDITOR_HOME": str(site / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([sys.executable, *command], env=env, cwd=site, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_page_s_rule_passes_the_page_s_test(site: Path) -> None:
    """Found by its entry point, judged through the engine, however the frames are cut."""
    assert "1 passed" in run(
        site, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(site), "test_rule.py"
    )


def test_the_page_s_rule_is_listed(site: Path) -> None:
    """``auditor rules show`` tells its thresholds and their source."""
    shown = run(site, "-m", "auditor", "rules", "show", "attention_collapse")
    assert "0.05" in shown
    assert "Zhai et al. 2023" in shown
