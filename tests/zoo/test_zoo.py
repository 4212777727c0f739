from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from support.daemon import environment
from tests.zoo.index import HEALTHY, PAIRS, PROGRAMS, REPORTING_SEEDS, TUNING_SEEDS, ZOO
from tests.zoo.program import FAULTS

ROOT = Path(__file__).resolve().parents[2]
SMOKE_FAULTY = ("torch_log_of_zero",)
SMOKE_HEALTHY = ("torch_healthy_restarts", "sk_healthy_tiny_iris", "keras_healthy_label_smoothing")


def test_index_and_programs_are_the_same_set() -> None:
    """Every script is listed once, and every entry has its script."""
    names = [program.name for program in ZOO]
    scripts = {path.stem for path in PROGRAMS.glob("*.py")} - {"zoo_data"}
    assert sorted(names) == sorted(scripts)


def test_every_fault_has_an_id_of_the_rules() -> None:
    """A pair names its fault; whoever accepts another id says why; a healthy program names none."""
    for program in PAIRS:
        assert program.fault in FAULTS, program
        assert set(program.also) <= FAULTS, program
        assert bool(program.also) == bool(program.why), program
    assert all(program.fault is None for program in HEALTHY)


def test_about_a_third_of_the_programs_is_held_out() -> None:
    """Whole programs, not only seeds, are kept from tuning; seeds of the two do not meet."""
    for part in (PAIRS, HEALTHY):
        held = sum(program.split == "report" for program in part) / len(part)
        assert 0.25 <= held <= 0.45
    assert not set(TUNING_SEEDS) & set(REPORTING_SEEDS)


def test_no_program_knows_the_auditor() -> None:
    """They are written as their users write them."""
    assert not [path.name for path in PROGRAMS.glob("*.py") if "auditor" in path.read_text(encoding="utf-8")]


@pytest.fixture(scope="module")
def smoke(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], dict[str, Any]]:
    """The outcome of a few programs through the whole benchmark, by name and whether the fault is in."""
    folder = tmp_path_factory.mktemp("zoo")
    script = [sys.executable, str(ROOT / "benchmarks/detection.py"), "--tuning", "--seeds", "1", "--workers", "2"]
    files = ["--cache", str(folder / "cache"), "--json", str(folder / "out.json")]
    only = [word for name in (*SMOKE_FAULTY, *SMOKE_HEALTHY) for word in ("--only", name)]
    for more in ([], ["--replay"]):  # what was recorded can be judged again without training
        done = subprocess.run(
            [*script, *files, *only, *more],
            env=environment(folder),
            capture_output=True,
            text=True,
            timeout=170,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr[-2000:]
    outcomes = json.loads((folder / "out.json").read_text())
    return {(item["program"], item["faulty"]): item for item in outcomes}


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOKE_FAULTY)
def test_smoke_faults_are_found_and_twins_are_left_alone(
    smoke: dict[tuple[str, bool], dict[str, Any]], name: str
) -> None:
    """Faults that every version must find, and their repaired twins."""
    faulty = smoke[name, True]
    assert {alert["rule"] for alert in faulty["alerts"][:2]} & set(faulty["expected"]), faulty["alerts"]
    assert [alert for alert in smoke[name, False]["alerts"] if alert["severity"] != "info"] == []
    assert faulty["others"]["TerminateOnNaN"] is None or name == "torch_log_of_zero"


@pytest.mark.slow
@pytest.mark.parametrize("name", SMOKE_HEALTHY)
def test_smoke_odd_but_healthy_programs_raise_nothing(smoke: dict[tuple[str, bool], dict[str, Any]], name: str) -> None:
    """Scheduler restarts, a GAN, thirty samples: no alert of warning or above."""
    assert [alert for alert in smoke[name, False]["alerts"] if alert["severity"] != "info"] == []
