"""The questions alone, over a store: nothing is taken in, judged or watched.

For a command that asks what is recorded and is gone: a daemon's rules and settings take a third of a second to
load. A daemon answers the same questions by the same routes (``auditor/ingest/app.py``).
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool

from auditor.api.routes import routes
from auditor.ingest.errors import HANDLERS
from auditor.store.store import Store


@dataclass(frozen=True, slots=True)
class _Shelf:
    """What the questions find as ``state.service``."""

    store: Store


def create_reader(store: Store) -> Starlette:
    """An ASGI application that answers from ``store``, which its lifespan closes."""

    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        try:
            yield
        finally:
            await run_in_threadpool(store.close)

    app = Starlette(routes=routes(), exception_handlers=HANDLERS, lifespan=lifespan)
    app.state.service = _Shelf(store)
    return app
