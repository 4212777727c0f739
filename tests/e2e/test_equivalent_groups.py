"""Several seeds of one training in PyTorch and in Keras, whole programs: equivalent, seed by seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
CONTROLS = ROOT / "tests" / "programs" / "controls"
SEEDS = 3


@pytest.mark.slow
def test_v7_seeds_of_an_aligned_port_are_equivalent(tmp_path: Path) -> None:
    """Each beginning with its like in the other framework, over all steps and evaluations."""
    paths = [str(ROOT), str(ROOT / "agents"), os.environ.get("PYTHONPATH", "")]
    kept = {n: v for n, v in os.environ.items() if n not in {"PYTHONWARNINGS", "AUDITOR_URL", "AUDITOR_DB"}}
    env = kept | {"AUDITOR_HOME": str(tmp_path), "PYTHONPATH": os.pathsep.join(path for path in paths if path)}
    env |= {"OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3", "AUDITOR_MODE": "offline"}

    def said(*command: str) -> str:
        done = subprocess.run(
            [sys.executable, *command], env=env, capture_output=True, text=True, timeout=400, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    ids = {name: said(str(CONTROLS / f"{name}_seeds.py"), str(SEEDS)).split() for name in ("torch", "keras")}
    assert [len(each) for each in ids.values()] == [SEEDS, SEEDS]
    said("-m", "auditor", "sync")
    groups = f"a={','.join(ids['torch'])}", f"b={','.join(reversed(ids['keras']))}"
    found = json.loads(said("-m", "auditor", "compare", "--json", "--group", *groups))
    assert (found["verdict"], found["outcome"], found["causes"]) == ("equivalent", "equivalent", [])
    assert found["metrics"]["val_loss"]["ratio"] == pytest.approx(1, abs=5e-3)
