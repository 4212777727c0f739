"""A PostgreSQL server of the tests' own: fresh, on a Unix socket, gone afterwards.

It listens on no port, so any number of test processes may each have one. PostgreSQL refuses to run
as root: then it runs as the user ``postgres``.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4


def server_bin() -> Path | None:
    """The folder of PostgreSQL's server programs: from PATH, or where Debian keeps the newest."""
    found = shutil.which("initdb")
    if found is not None:
        return Path(found).resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    return debian[-1].parent if debian else None


class Server:
    """A running server; databases are made on it one per test."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs, self._folder = programs, folder
        self._data = folder / "data"

    def start(self) -> None:
        """Makes the cluster and starts it."""
        self._run("initdb", "-D", str(self._data), "-U", "auditor", "-A", "trust", "-E", "UTF8", "--no-sync")
        self.restart()

    def restart(self) -> None:
        """Starts the server again after :meth:`stop`, with what it held."""
        # No fsync: what these tests kill is the client or the server, never the machine.
        options = f"-c listen_addresses='' -k {self._folder} -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-D", str(self._data), "-l", str(self._folder / "log"), "-o", options, "-w", "start")

    def stop(self) -> None:
        """Stops the server at once. Harmless if it does not run."""
        self._run("pg_ctl", "-D", str(self._data), "-m", "immediate", "stop", check=False)

    def new_database(self) -> str:
        """The URL of a new empty database."""
        name = f"d{uuid4().hex}"
        self._run("createdb", "-h", str(self._folder), "-U", "auditor", name)
        return f"postgresql://auditor@/{name}?host={self._folder}"

    def _run(self, program: str, *arguments: str, check: bool = True) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", "postgres", "--", *command]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd="/", check=False)
        if check and done.returncode:
            raise RuntimeError(f"{program}: {done.stdout}{done.stderr}")


@contextmanager
def running(programs: Path) -> Iterator[Server]:
    """A server for the length of the block."""
    # Not pytest's tmp_path: other users cannot enter it, and the path of a socket has 107 bytes.
    folder = Path(tempfile.mkdtemp(prefix="auditor-pg-"))
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    server = Server(programs, folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)
