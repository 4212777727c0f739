"""One HTTP request to the daemon at a time, over a connection that is kept. Never raises."""

from __future__ import annotations

import encodings.idna  # noqa: F401 -- what looks a host's name up: else the thread that connects would import it
import http.client
from contextlib import suppress
from typing import Final
from urllib.parse import urlsplit

from auditor_agent.stream.courier import Reply

TIMEOUT: Final = 10.0
"""Seconds to connect, and between two pieces of an answer."""
_ANSWER_BYTES: Final = 1 << 20
_STALE: Final = (http.client.RemoteDisconnected, ConnectionResetError, BrokenPipeError)


class Poster:
    """Posts bodies below a base URL; verifies certificates; follows no redirect.

    Args:
        url: ``http://`` or ``https://``, with or without a path.
        token: sent as bearer token if not empty.
        run: sent as ``X-Run-Id``, for routing.
    """

    def __init__(self, url: str, token: str = "", run: str = "") -> None:
        self._url = url
        self._headers = {"X-Run-Id": run} if run else {}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._connection: http.client.HTTPConnection | None = None

    def __call__(self, path: str, body: bytes, content_type: str, timeout: float = TIMEOUT) -> Reply:
        """The reply to ``body`` posted to ``path``; status 0 if there was none."""
        kept = self._connection is not None
        try:
            try:
                return self._exchange(path, body, content_type, timeout)
            except _STALE:
                if not kept:
                    raise
                self.close()  # the daemon closed the idle connection: once more over a new one
                return self._exchange(path, body, content_type, timeout)
        except Exception as error:  # of any kind: a connection that broke in the middle of an exchange stays broken
            self.close()
            late = isinstance(error, TimeoutError)
            return Reply(0, error=f"{type(error).__name__}: {error}", late=late)

    def close(self) -> None:
        """Drop the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):
                connection.close()

    def _exchange(self, path: str, body: bytes, content_type: str, timeout: float) -> Reply:
        connection = self._connection = self._connection or self._connect(timeout)
        if connection.sock is not None:
            connection.sock.settimeout(timeout)
        connection.timeout = timeout
        headers = {**self._headers, "Content-Type": content_type}
        connection.request("POST", urlsplit(self._url).path.rstrip("/") + path, body, headers)
        response = connection.getresponse()
        data = response.read(_ANSWER_BYTES)
        reply = Reply(response.status, data, _seconds(response.getheader("Retry-After")))
        if response.will_close or not response.isclosed():
            self.close()
        return reply

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        url = urlsplit(self._url)
        if not url.hostname or url.scheme not in ("http", "https"):
            raise ValueError("AUDITOR_URL is no http(s) address")
        host, port = url.hostname, url.port
        if url.scheme == "http":
            return http.client.HTTPConnection(host, port, timeout=timeout)
        import ssl

        return http.client.HTTPSConnection(host, port, timeout=timeout, context=ssl.create_default_context())


def _seconds(retry_after: str | None) -> float | None:
    """Seconds of a ``Retry-After`` header; its form as a date is taken as absent."""
    try:
        return max(0.0, float(retry_after)) if retry_after else None
    except ValueError:
        return None
