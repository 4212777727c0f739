"""The timer: asks the rules that watch the clock, once per interval."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from auditor.ingest.errors import ApiError
from auditor.ingest.faults import guarded
from auditor.ingest.service import Service


async def watch(service: Service, interval: float, ended: asyncio.Event) -> None:
    """Ticks ``service`` every ``interval`` seconds until ``ended``; a tick that has begun is waited for.

    Not to be cancelled: the tick's thread would go on, and hold a connection of the store that is being closed.
    """
    awake = False
    while not ended.is_set():
        with guarded("watchdog"), suppress(ApiError):  # the store is away: /readyz says so
            if not awake:
                await run_in_threadpool(service.wake)
                awake = True
            await run_in_threadpool(service.tick)
        with suppress(TimeoutError):
            await asyncio.wait_for(ended.wait(), interval)
