from __future__ import annotations

import subprocess
import sys

import pytest

from support.triton import triton_env
from tests.conftest import ROOT

SUITES = ["test_triton_kernel.py", "test_kernels_agree.py"]


def test_every_suite_of_the_folder_is_run() -> None:
    """A new file there would be ignored everywhere else."""
    assert {path.name for path in (ROOT / "tests/interpreted").glob("test_*.py")} == set(SUITES)


@pytest.mark.slow
@pytest.mark.parametrize("suite", SUITES)
def test_the_triton_kernel_in_the_interpreter(suite: str, repo_env: dict[str, str]) -> None:
    """In a process of its own: Triton decides at its import, and must not meet TensorFlow."""
    env = {**triton_env(repo_env), "TRITON_INTERPRET": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", f"tests/interpreted/{suite}"]
    done = subprocess.run(command, env=env, cwd=ROOT, capture_output=True, text=True, timeout=170, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    alone = "the C kernel was not built" in done.stdout  # then there is nothing for Triton's to agree with
    assert " passed" in done.stdout or (alone and suite == "test_kernels_agree.py")
