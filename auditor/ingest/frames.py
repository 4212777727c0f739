"""``POST /v1/frames``: limits, decoding off the event loop, commit, then the acknowledgement."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auditor.ingest.body import read_body
from auditor.ingest.errors import ApiError, Json, unavailable
from auditor.ingest.service import Pending, Service
from auditor.store.errors import StoreError
from auditor.store.records import Committed


async def post_frames(request: Request) -> Response:
    """Takes frames end to end; answers once the store has committed them."""
    service: Service = request.app.state.service
    size = 0
    try:
        body = await read_body(request, service.settings.max_body)
        size = len(body)
        answer = await acknowledge(service, await run_in_threadpool(service.take, body))
    except ApiError as error:
        service.counters.request(error.status, size)
        raise
    service.counters.request(200, size)
    return Json(answer)


async def acknowledge(service: Service, pending: Pending) -> dict[str, Any]:
    """Waits for the commit and makes the answer.

    Raises:
        ApiError: 503 if the store did not take it.
    """
    committed = Committed()
    if pending.future is not None:
        try:
            # Shielded: a client that hangs up must not take back what the detectors have seen.
            committed = await asyncio.shield(asyncio.wrap_future(pending.future))
        except StoreError as error:
            raise unavailable(str(error)) from error
        service.counters.commit(time.monotonic() - pending.submitted)
    if pending.state is not None and pending.state.dirty:
        await run_in_threadpool(service.refresh, pending.state)
    return pending.acknowledgement(committed)
