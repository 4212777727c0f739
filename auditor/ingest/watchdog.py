"""The timer: asks the rules that watch the clock, once per interval."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from starlette.concurrency import run_in_threadpool

from auditor.ingest.errors import ApiError
from auditor.ingest.faults import guarded
from auditor.ingest.service import Service


async def watch(service: Service, interval: float) -> None:
    """Ticks ``service`` every ``interval`` seconds until cancelled; never ends by itself."""
    awake = False
    while True:
        with guarded("watchdog"), suppress(ApiError):  # the store is away: /readyz says so
            if not awake:
                await run_in_threadpool(service.wake)
                awake = True
            await run_in_threadpool(service.tick)
        await asyncio.sleep(interval)
