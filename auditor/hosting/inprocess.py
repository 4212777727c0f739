"""The application in a thread of this process, on a loopback port: ``auditor run`` without a daemon, tests."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvicorn
from starlette.applications import Starlette

from auditor.ingest.app import create_app
from auditor.settings import Settings
from auditor.store.store import Store

_START_SECONDS = 60.0
_STOP_SECONDS = 15.0


class Server:
    """One uvicorn over ``app`` on a thread of its own, on a socket that is bound already."""

    def __init__(self, app: Starlette, listener: socket.socket) -> None:
        config = uvicorn.Config(
            app,
            lifespan="on",
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=5,
            # Two heads of a kilobyte are plenty for our requests; h11's own limit bounds the rest.
            h11_max_incomplete_event_size=64 << 10,
            ws="none",
        )
        self._server = uvicorn.Server(config)
        self._listener = listener
        self._thread = threading.Thread(target=self._run, name="auditor-http", daemon=True)

    def start(self) -> None:
        """Starts serving.

        Raises:
            RuntimeError: if it does not come up.
        """
        self._thread.start()
        deadline = threading.Event()
        waited = 0.0
        while not self._server.started:
            if not self._thread.is_alive() or waited > _START_SECONDS:
                raise RuntimeError("the HTTP server did not start")
            deadline.wait(0.005)
            waited += 0.005

    def stop(self) -> None:
        """Answers what is under way, then ends. Idempotent."""
        self._server.should_exit = True
        self._thread.join(_STOP_SECONDS)

    @property
    def alive(self) -> bool:
        """Whether it serves."""
        return self._thread.is_alive()

    def _run(self) -> None:
        self._server.run(sockets=[self._listener])


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one.

    SO_REUSEADDR lets a restarted daemon have the port of the one that died a moment ago.

    Raises:
        OSError: if the address is taken or not ours.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(1024)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def hosted(settings: Settings, *, store: Store | None = None) -> Iterator[str]:
    """The URL of the application, which runs in this process until the block ends.

    Args:
        settings: its port may be 0: a free one is taken.
        store: one that is open already; it is then left open.
    """
    with closing(listen(settings.host, settings.port)) as listener:
        port = listener.getsockname()[1]
        server = Server(create_app(settings, store=store), listener)
        server.start()
        try:
            yield f"http://{settings.host}:{port}"
        finally:
            server.stop()
