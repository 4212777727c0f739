"""What ``pip install training-auditor`` without extras gives: the wheel is built, installed apart, and used.

Without network: the wheel needs nothing, so pip is told to look nowhere.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.checkout import ROOT, files

HEAVY = (
    *("ray", "sqlalchemy", "torch", "tensorflow", "keras", "numpy", "prometheus_client", "sklearn", "starlette"),
    *("click", "httpx", "pydantic", "auditor", "ssl", "asyncio", "multiprocessing", "urllib.request", "http.client"),
)
#: What a user's job does with the agent alone: import, open, record, end.
JOB = """
import json, os, sys, time
begin = time.perf_counter()
import auditor_agent
took = time.perf_counter() - begin
loaded = sorted(set(sys.modules) & set(sys.argv[1].split()))
run = auditor_agent.open_run("torch")
layout = run.layout([run.tensor("gradient", "a", (1,), "float32")])
for step in range(10):
    run.record(step, {"loss": 1.0}, layout, bytes(48))
run.finish()
print(json.dumps({"took": took, "loaded": loaded, "counts": run.counts(), "from": auditor_agent.__file__}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this checkout, built from a copy: a build leaves a library beside the sources."""
    copy, out = tmp_path_factory.mktemp("source") / "checkout", tmp_path_factory.mktemp("wheel")
    for path in files("agents", "auditor", "pyproject.toml", "hatch_build.py", "README.md", "LICENSE"):
        if path.suffix != ".so":
            (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / path.relative_to(ROOT))
    command = [sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(out), str(copy)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The ``bin`` folder of a fresh environment that holds the wheel and nothing else."""
    home = tmp_path_factory.mktemp("environment")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    options = ["--no-index", "--disable-pip-version-check", "--no-cache-dir", "--quiet"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)]
    done = subprocess.run(command, env=bare_env(), capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    yield python.parent
    shutil.rmtree(home, ignore_errors=True)


def bare_env(**more: str) -> dict[str, str]:
    """An environment that points to nothing of this checkout."""
    return {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), **more}


def job(installed: Path, home: Path) -> dict[str, object]:
    """What the job says, run in the fresh environment, isolated from everything else."""
    env = bare_env(AUDITOR_HOME=str(home), AUDITOR_MODE="offline", AUDITOR_RAISE="1")
    command = [str(installed / "python"), "-I", "-c", JOB, " ".join(HEAVY)]
    done = subprocess.run(command, env=env, cwd=home, capture_output=True, text=True, timeout=200, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_g13_the_wheel_needs_nothing_and_records_a_run(installed: Path, tmp_path: Path) -> None:
    """The code that ran is the installed one; no package beside it; ten steps are in the spool."""
    found = job(installed, tmp_path)
    assert str(found["from"]).startswith(str(installed.parent))
    assert found["loaded"] == []
    assert found["counts"] == {"produced": 10, "sent": 0, "pending": 10, "dropped": {}}
    assert list(tmp_path.rglob("*.frames"))


def test_g13_the_installed_agent_is_imported_in_fifty_milliseconds(installed: Path, tmp_path: Path) -> None:
    """The best of several, so that a busy machine does not decide."""
    assert min(float(str(job(installed, tmp_path)["took"])) for _ in range(7)) < 0.050


def test_the_wheel_declares_no_dependency_outside_extras(wheel: Path) -> None:
    """Every requirement belongs to an extra, and every extra of the README exists."""
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("METADATA"))
        metadata = archive.read(name).decode()
    required = re.findall(r"^Requires-Dist: (.*)$", metadata, re.MULTILINE)
    assert required
    assert all("extra ==" in line for line in required)
    extras = set(re.findall(r"^Provides-Extra: (.*)$", metadata, re.MULTILINE))
    named = set(re.findall(r"training-auditor\[(\w+)\]", (ROOT / "README.md").read_text()))
    assert named <= extras


def test_the_wheel_holds_every_file_of_the_packages(wheel: Path) -> None:
    """Modules, type marker, migrations, style sheets, the C source: nothing is left behind."""
    with zipfile.ZipFile(wheel) as archive:
        held = set(archive.namelist())
    wanted = {str(path.relative_to(ROOT / "agents")) for path in files("agents")}
    wanted |= {str(path.relative_to(ROOT)) for path in files("auditor")}
    missing = {name for name in wanted - held if not name.endswith((".so", ".pyc"))}
    assert missing == set()


def test_without_the_server_extra_the_command_says_one_line_and_exits_2(installed: Path, tmp_path: Path) -> None:
    """The console script is there; it names what is missing and how to get it, without a traceback."""
    env = bare_env(AUDITOR_HOME=str(tmp_path))
    for arguments in ([], ["run", "--", "true"], ["--help"]):
        command = [str(installed / "auditor"), *arguments]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=200, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr.count("\n") == 1
        assert "pip install 'training-auditor[server]'" in done.stderr
