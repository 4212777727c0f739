"""Runs a training script as a child that watches itself; the engine of ``auditor run``.

The child has the parent's terminal, files and working directory; what it prints is not touched. Its
exit code is the parent's, and a signal sent to the parent reaches it.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Final

from auditor_agent import autoload

#: Signals passed on to the child.
_PASSED_ON: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2)
#: Signals that a terminal sends to the whole foreground group, the child included.
_OF_TERMINAL: Final = (signal.SIGINT, signal.SIGHUP)
#: Seconds between two questions whether the child is to end, and that it has to do so after each request.
POLL: Final = 1.0
GRACE: Final = 15.0
NOT_EXECUTABLE: Final = 126
NOT_FOUND: Final = 127


def launch(  # noqa: PLR0913 - one argument per variable of the child's environment
    command: Sequence[str],
    *,
    url: str,
    run: str,
    name: str | None = None,
    project: str | None = None,
    token: str | None = None,
    stop_on: str | None = None,
    baseline: str | None = None,
    stop: Callable[[], bool] | None = None,
) -> int:
    """Run ``command`` to its end, watched.

    Args:
        command: program and arguments, as after ``--``.
        url: the daemon that the child's agent sends to.
        run: the run id that the child uses.
        name: the run's name; None: as the environment says.
        project: likewise.
        token: bearer token for the daemon; likewise.
        stop_on: severity at which the child ends itself; likewise.
        baseline: baseline that the run is held against; likewise.
        stop: asked once a second whether the child should have ended by now; one that does not end
            itself within ``GRACE`` seconds is sent SIGINT, then SIGTERM. It is never killed.

    Returns:
        The child's exit code; 128 + n if signal n ended it; 127 if there is no such program, 126 if
        it cannot be executed, as a shell says it.
    """
    env = _environment(
        os.environ,
        {
            "AUDITOR_URL": url,
            "AUDITOR_RUN": run,
            "AUDITOR_NAME": name,
            "AUDITOR_PROJECT": project,
            "AUDITOR_TOKEN": token,
            "AUDITOR_STOP_ON": stop_on,
            "AUDITOR_BASELINE": baseline,
        },
    )
    _flush()
    try:
        child = subprocess.Popen(list(command), env=env)
    except FileNotFoundError:
        sys.stderr.write(f"auditor run: {command[0]}: no such program\n")
        return NOT_FOUND
    except OSError as error:
        sys.stderr.write(f"auditor run: {command[0]}: {error.strerror}\n")
        return NOT_EXECUTABLE
    with _passing_signals_to(child):
        code = _wait(child, stop)
    return 128 - code if code < 0 else code


def _wait(child: subprocess.Popen[bytes], stop: Callable[[], bool] | None) -> int:
    """The child's return code; it is made to end once ``stop`` says so."""
    if stop is None:
        return child.wait()
    while (code := _ended(child, POLL)) is None:
        if stop():
            break
    else:
        return code
    for number in (None, signal.SIGINT, signal.SIGTERM):
        if number is not None:
            sys.stderr.write(f"auditor run: the training goes on in spite of its verdict: {number.name}\n")
            child.send_signal(number)
        if (code := _ended(child, GRACE)) is not None:
            return code
    return child.wait()


def _ended(child: subprocess.Popen[bytes], seconds: float) -> int | None:
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def _environment(base: Mapping[str, str], extra: Mapping[str, str | None]) -> dict[str, str]:
    return autoload.environment({**base, **{name: value for name, value in extra.items() if value is not None}})


def _flush() -> None:
    """What we printed comes before what the child prints."""
    sys.stdout.flush()
    sys.stderr.flush()


@contextmanager
def _passing_signals_to(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """Pass signals on to ``child`` meanwhile. Elsewhere than in the main thread: do nothing."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def pass_on(number: int, _: FrameType | None) -> None:
        if not (number in _OF_TERMINAL and _in_foreground()):
            child.send_signal(number)

    before = {number: signal.signal(number, pass_on) for number in _PASSED_ON}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler if handler is not None else signal.SIG_DFL)


def _in_foreground() -> bool:
    """Whether a terminal's Ctrl-C reaches this process, and with it the child, by itself."""
    try:
        terminal = os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY)
    except OSError:
        return False
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return False
    finally:
        os.close(terminal)
