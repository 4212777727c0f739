"""A small real HTTP server that speaks the daemon's protocol, keeps what it got, and can misbehave.

Importable in tests as ``from support.fake_daemon import FakeDaemon``.
"""

from __future__ import annotations

import json
import socket
import struct
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from auditor_agent.stream import wire

Misbehaviour = Callable[["Handler"], bool]
"""Handles a request in its own way; False if the server should answer as usual after all."""


class Handler(BaseHTTPRequestHandler):
    """Answers ``/v1/frames`` and ``/v1/heartbeat`` as docs/wire-format.md says."""

    protocol_version = "HTTP/1.1"
    server: _Server

    def do_POST(self) -> None:
        """Read the body, misbehave if told to, else commit and answer."""
        daemon = self.server.daemon
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        with daemon.lock:
            daemon.requests.append((self.path, dict(self.headers)))
            misbehave = daemon.misbehaviour
        if misbehave is not None and misbehave(self):
            return
        answer = daemon.take(self.path, self.body)
        self.reply(200 if "error" not in answer else 400, answer)

    def reply(self, status: int, body: Any, headers: dict[str, str] | None = None) -> None:
        """Send a JSON (or bytes) answer."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def reset(self) -> None:
        """Cut the connection with a RST, in the middle of whatever."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
        self.wfile = _Nowhere()  # type: ignore[assignment]

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class's name
        """Say nothing."""


class _Nowhere:
    closed = True

    def close(self) -> None: ...

    def flush(self) -> None: ...


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    daemon: FakeDaemon

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave early are part of the game."""


def _accept(_: dict[str, Any]) -> None:
    return None


class FakeDaemon:
    """Context manager: a server on a free port of the loopback.

    ``frames`` are the committed frames by (run, attempt, rank, seq); ``received`` every frame in
    the order of arrival, duplicates included.
    """

    def __init__(self, port: int = 0) -> None:
        self.lock = threading.Lock()
        self.frames: dict[tuple[str, int, int, int], wire.Frame] = {}
        self.received: list[dict[str, Any]] = []
        self.heartbeats: list[dict[str, Any]] = []
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.misbehaviour: Misbehaviour | None = None
        self.verdict, self.stop = "healthy", False
        self.need: list[str] = []
        self.reject: Callable[[dict[str, Any]], str | None] = _accept
        self._server = _Server(("127.0.0.1", port), Handler)
        self._server.daemon = self
        self.port = int(self._server.server_address[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def take(self, path: str, body: bytes) -> dict[str, Any]:
        """Commit what a request carries; the answer."""
        with self.lock:
            answer: dict[str, Any] = {"committed": [], "rejected": [], "verdict": self.verdict, "stop": self.stop}
            answer["need"], self.need = self.need, []
            if path.endswith("/v1/heartbeat"):
                self.heartbeats.append(json.loads(body))
                return answer
            try:
                frames = [wire.Frame(frame.header, memoryview(bytes(frame.block))) for frame in wire.frames(body)]
            except wire.WireError as error:
                return {"error": "bad_frames", "detail": str(error), "hint": ""}
            for frame in frames:
                self._commit(frame, answer)
            return answer

    def _commit(self, frame: wire.Frame, answer: dict[str, Any]) -> None:
        header = frame.header
        self.received.append(header)
        why = self.reject(header)
        if why is not None:
            answer["rejected"].append({"seq": header["seq"], "reason": why})
            return
        key = (header["run"], header["attempt"], header["rank"], header["seq"])
        self.frames.setdefault(key, frame)
        answer["committed"].append(list(key[1:]))

    def headers(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Headers of the committed frames, of one type or all, in order of their key."""
        with self.lock:
            frames = [self.frames[key] for key in sorted(self.frames)]
        return [frame.header for frame in frames if kind in (None, frame.header["type"])]

    def steps(self) -> int:
        """Committed steps."""
        return sum(header["steps"] for header in self.headers("steps"))

    def wait(self, condition: Callable[[FakeDaemon], bool], timeout: float = 10.0) -> None:
        """Wait until ``condition`` holds; AssertionError after ``timeout`` seconds."""
        end = time.monotonic() + timeout
        while not condition(self):
            assert time.monotonic() < end, "the daemon did not see what the test waits for"
            time.sleep(0.01)
