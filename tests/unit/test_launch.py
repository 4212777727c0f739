from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from auditor.launch import NOT_EXECUTABLE, NOT_FOUND, launch

URL = "http://127.0.0.1:9"


def run(*command: str) -> int:
    """``command`` under audit by nobody."""
    return launch(command, url=URL, run="r")


@pytest.mark.parametrize("code", [0, 1, 3, 255])
def test_g1_the_exit_code_is_the_childs(code: int) -> None:
    """Whatever it was."""
    assert run("sh", "-c", f"exit {code}") == code


def test_g1_death_by_a_signal_is_told_as_a_shell_tells_it() -> None:
    """128 + the signal's number."""
    assert run("sh", "-c", "kill -KILL $$") == 128 + signal.SIGKILL


def test_a_program_that_is_not_there_is_127(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """And one that cannot be executed 126; either is said in a line."""
    text = tmp_path / "text"
    text.write_text("no program")
    assert run(str(tmp_path / "absent")) == NOT_FOUND
    assert run(str(text)) == NOT_EXECUTABLE
    assert capfd.readouterr().err.count("auditor run:") == 2


def test_the_childs_output_is_its_own(capfd: pytest.CaptureFixture[str]) -> None:
    """Not a byte more, not a byte less."""
    run("sh", "-c", "printf out; printf err >&2")
    assert capfd.readouterr() == ("out", "err")


def test_the_child_knows_daemon_run_and_options(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Options that are not given leave the environment as it was."""
    monkeypatch.setenv("AUDITOR_PROJECT", "from outside")
    launch(["sh", "-c", "echo $AUDITOR_URL $AUDITOR_RUN $AUDITOR_NAME $AUDITOR_PROJECT"], url=URL, run="r", name="n")
    assert capfd.readouterr().out.strip() == f"{URL} r n from outside"


def test_handlers_are_put_back() -> None:
    """After the child has ended, signals mean what they meant before."""
    before = signal.getsignal(signal.SIGTERM)
    run("true")
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_reaches_the_child(number: signal.Signals, tmp_path: Path, repo_env: dict[str, str]) -> None:
    """The child decides what to do about it; its exit code comes back."""
    ready = tmp_path / "ready"
    child = textwrap.dedent(f"""
        import pathlib, signal, sys, time
        signal.signal({int(number)}, lambda *_: sys.exit(42))
        pathlib.Path({str(ready)!r}).touch()
        time.sleep(30)
    """)
    parent = f"import sys; from auditor.launch import launch; sys.exit(launch([sys.executable, '-c', {child!r}], "
    command = [sys.executable, "-c", parent + f"url={URL!r}, run='r'))"]
    # In a session of its own, without a terminal: as under a scheduler.
    with subprocess.Popen(command, env=repo_env, start_new_session=True) as process:
        deadline = time.monotonic() + 20
        while not ready.exists():
            assert time.monotonic() < deadline
            time.sleep(0.02)
        os.kill(process.pid, number)
        assert process.wait(timeout=20) == 42
