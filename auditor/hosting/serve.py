"""``auditor serve``: the daemon on Ray. Blocks until SIGTERM or SIGINT, then drains.

One machine by default: a local Ray is started and ends with the daemon. With an address, an
existing cluster is joined and left as it was.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import secrets
import signal
import tempfile
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from auditor.hosting.actor import NICENESS, Replica, replica_options
from auditor.settings import Settings, SettingsError

START_SECONDS: Final = 120.0
_POLL_SECONDS: Final = 0.05
_DRAIN_SECONDS: Final = 15.0
#: How long the replicas of a daemon that was killed may keep its port: Ray ends them when it notices.
_ORPHAN_SECONDS: Final = 30.0
#: Ray's own workers listen here.
_RAY_PORTS: Final = range(10002, 20000)


def serve(settings: Settings, *, address: str | None = None, announce: Callable[[str], None] = print) -> int:
    """Runs the daemon until a signal ends it.

    Args:
        settings: what it was told.
        address: of a Ray cluster to join; none: a local one is started.
        announce: told the URL once the daemon answers.

    Returns:
        The process's exit code.

    Raises:
        SettingsError: if the port cannot be used.
        RuntimeError: if the daemon does not answer in time.
    """
    _check_port(settings)
    ended = threading.Event()
    # Ray takes the signals for itself while it starts: ours go in before and again after.
    with _signals(ended), _ray(address), _signals(ended):
        replicas = _replicas(settings, joined=address is not None)
        try:
            _wait_until_up(settings, ended)
            with _noted(settings):
                if not ended.is_set():
                    announce(settings.url)
                ended.wait()
        finally:
            _drain(replicas)
    return 0


def _check_port(settings: Settings) -> None:
    from auditor.hosting.inprocess import listen

    if settings.port == 0:
        raise SettingsError("AUDITOR_PORT: a restarted daemon must come back at the same port: give one, not 0")
    if settings.port in _RAY_PORTS:
        raise SettingsError(f"AUDITOR_PORT: {settings.port} belongs to Ray's workers (10002-19999): choose another")
    deadline = time.monotonic() + _ORPHAN_SECONDS
    while True:
        try:
            listen(settings.host, settings.port).close()
        except OSError as error:
            if _orphaned(settings.home / "daemon.json") and time.monotonic() < deadline:
                time.sleep(_POLL_SECONDS)
                continue
            where = f"{settings.host}:{settings.port}"
            raise SettingsError(
                f"AUDITOR_PORT: cannot listen on {where} ({error.strerror}): is a daemon running?"
            ) from error
        return


def _orphaned(note: Path) -> bool:
    """Whether ``daemon.json`` names a process that is gone: what it started still has to notice."""
    try:
        os.kill(int(json.loads(note.read_text())["pid"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError, KeyError, TypeError):
        return False
    return False


@contextlib.contextmanager
def _signals(ended: threading.Event) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    before = {number: signal.signal(number, end) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def _ray(address: str | None) -> Iterator[None]:
    """A Ray to run on: a local one that ends with the block, or the cluster at ``address``."""
    _prepare_environment(local=address is None)
    import ray

    with tempfile.TemporaryDirectory(prefix="auditor-ray-", ignore_cleanup_errors=True) as folder:
        ray.init(**(_joined(address) if address else _local(folder)))
        try:
            yield
        finally:
            ray.shutdown()


def _prepare_environment(*, local: bool) -> None:
    """What Ray's processes inherit; set before Ray is imported."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    for name, value in NICENESS.items() if local else ():
        os.environ.setdefault(name, value)
    if local and "RAY_AUTH_MODE" not in os.environ:
        # A token of this daemon's own: Ray would else leave one in ~/.ray for everybody to share.
        os.environ["RAY_AUTH_MODE"] = "token"
        os.environ["RAY_AUTH_TOKEN"] = secrets.token_hex(32)


def _local(folder: str) -> dict[str, Any]:
    # Ray's GCS and raylet listen on every interface whatever they are told; what can be kept on
    # loopback is, and token authentication does the rest.
    return {
        **_common(),
        "_temp_dir": folder,
        "_node_ip_address": "127.0.0.1",
        "num_cpus": 2,
        "num_gpus": 0,
        "object_store_memory": 80 << 20,
    }


def _joined(address: str) -> dict[str, Any]:
    return {**_common(), "address": address}


def _common() -> dict[str, Any]:
    return {
        "include_dashboard": False,
        "log_to_driver": False,
        "logging_level": logging.ERROR,
        "configure_logging": True,
        "namespace": "training-auditor",
    }


def _replicas(settings: Settings, *, joined: bool) -> list[Any]:
    """One that serves and one that stands by; whichever has the port first."""
    import ray

    given = settings.model_dump()
    given["token"] = settings.secret
    make = ray.remote(Replica).options(**replica_options(joined=joined))
    return [make.remote(given) for _ in range(1 + settings.standby)]


def _wait_until_up(settings: Settings, ended: threading.Event) -> None:
    """Returns once a replica answers over HTTP, or the daemon was told to end."""
    deadline = time.monotonic() + START_SECONDS
    while not _answers(f"{settings.local_url}/healthz"):
        if time.monotonic() > deadline:
            raise RuntimeError(f"the daemon did not answer at port {settings.port} within {START_SECONDS:.0f} s")
        if ended.wait(_POLL_SECONDS):
            return


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1.0) as answer:  # noqa: S310 - our own http address
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def _noted(settings: Settings) -> Iterator[None]:
    """``daemon.json`` in the home, by which the command line finds this daemon."""
    path = settings.home / "daemon.json"
    settings.home.mkdir(parents=True, exist_ok=True)
    note = {"url": settings.local_url, "pid": os.getpid()}
    part = path.with_name(f".daemon.json.{os.getpid()}")
    part.write_text(json.dumps(note))
    part.replace(path)
    try:
        yield
    finally:
        _forget(path)


def _forget(path: Path) -> None:
    """Removes the note, unless a later daemon has put its own there."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        if json.loads(path.read_text())["pid"] == os.getpid():
            path.unlink()


def _drain(replicas: list[Any]) -> None:
    """Ends the replicas; what was under way is answered and committed first."""
    import ray

    with contextlib.suppress(Exception):
        # All at once: a standby that still ran would take the port of the one that drains.
        ray.get([replica.drain.remote() for replica in replicas], timeout=_DRAIN_SECONDS)
    for replica in replicas:
        with contextlib.suppress(Exception):
            ray.kill(replica, no_restart=True)
