"""The daemon's application, or its questions alone, in this process, over the embedded database, spoken to in HTTP."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx

from auditor.cli.client import Client
from auditor.cli.problems import Problem
from auditor.home import stored_at

#: Seconds that the application has to open its store, and to close it.
_START_SECONDS, _STOP_SECONDS = 60.0, 10.0
_NOWHERE = "http://auditor.invalid"


class AppTransport(httpx.BaseTransport):
    """A synchronous httpx transport into an ASGI application, its lifespan included.

    The application runs on an event loop of its own thread, so that its timers run between two
    requests as they do in a server. ``close`` ends its lifespan.

    Raises:
        Exception: whatever the application's start raises.
    """

    def __init__(self, app: Any) -> None:
        self._transport = httpx.ASGITransport(app=app)
        self._app = app
        self._started = threading.Event()
        self._failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._end: asyncio.Event | None = None
        self._thread = threading.Thread(target=self._main, name="auditor-embedded", daemon=True)
        self._thread.start()
        self._started.wait(_START_SECONDS)
        if self._failure:
            raise self._failure

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Sends one request into the application and waits for its whole answer."""
        if self._loop is None:
            raise httpx.ConnectError("the embedded application has not started", request=request)
        return asyncio.run_coroutine_threadsafe(self._answer(request), self._loop).result()

    def close(self) -> None:
        """Ends the application's lifespan; called by ``httpx.Client.close``."""
        if self._loop is not None and self._end is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join(_STOP_SECONDS)

    async def _answer(self, request: httpx.Request) -> httpx.Response:
        copy = httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        answer = await self._transport.handle_async_request(copy)
        body = b"".join([part async for part in answer.aiter_raw()])
        return httpx.Response(answer.status_code, headers=answer.headers, stream=httpx.ByteStream(body))

    def _main(self) -> None:
        try:
            asyncio.run(self._live())
        except BaseException as error:
            self._failure = error
        finally:
            self._started.set()

    async def _live(self) -> None:
        # One task enters and leaves the lifespan: cancel scopes within it demand that.
        async with self._app.router.lifespan_context(self._app):
            self._loop, self._end = asyncio.get_running_loop(), asyncio.Event()
            self._started.set()
            await self._end.wait()


def embedded() -> Client:
    """A client of the daemon in this process, over ``AUDITOR_DB`` (by default in ``AUDITOR_HOME``)."""
    with _importing():
        from auditor.ingest.app import create_app
        from auditor.settings import SettingsError, load_settings
    try:
        settings = load_settings()
    except SettingsError as error:
        raise Problem(str(error)) from error
    return _client(lambda: create_app(settings), settings.secret)


def reading() -> Client:
    """Like :func:`embedded`, for one who only asks: the daemon's questions over its database, without the daemon."""
    with _importing():
        from auditor.api.app import create_reader
        from auditor.store import Store
    return _client(lambda: create_reader(Store.open(stored_at())))


@contextmanager
def _importing() -> Iterator[None]:
    # Nothing of what is imported is garbage: looking for it time and again costs a twentieth of a short command.
    gc.disable()
    try:
        yield
    except ImportError as error:
        raise Problem(f"no daemon found, and {error.name} is not installed", _INSTALL) from error
    finally:
        gc.freeze()
        gc.enable()


def _client(create: Callable[[], Any], token: str | None = None) -> Client:
    try:
        transport = AppTransport(create())
    except Exception as error:
        raise Problem(f"cannot open the database: {error}", "see `auditor doctor`") from error
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    http = httpx.Client(transport=transport, base_url=_NOWHERE, headers=headers)
    return Client(http, "the embedded database")


_INSTALL = "pip install 'training-auditor[server]', or set AUDITOR_URL to a daemon"
