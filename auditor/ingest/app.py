"""The ASGI application: one object for every host (plain uvicorn, a Ray actor, a test's transport)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

import auditor_agent
from auditor.alerts.prometheus import RunCollector, exposition, registry
from auditor.api.openapi import openapi
from auditor.api.routes import ENDPOINTS, routes
from auditor.ingest.auth import BearerAuth
from auditor.ingest.errors import HANDLERS, Json, unavailable
from auditor.ingest.frames import post_frames
from auditor.ingest.heartbeat import post_baseline, post_exit, post_heartbeat, post_stop
from auditor.ingest.service import Service
from auditor.ingest.watchdog import watch
from auditor.settings import Settings
from auditor.store.store import Store


def create_app(settings: Settings, *, store: Store | None = None) -> Starlette:
    """The daemon as an ASGI application.

    Its lifespan opens the store (or keeps trying: ``/readyz`` says why not) and runs the watchdog.

    Args:
        settings: what the daemon was told.
        store: one that is open already; it is then left open.
    """
    service = Service(settings, store=store)
    app = Starlette(
        routes=_routes(service),
        middleware=[Middleware(BearerAuth, token=settings.secret)],
        exception_handlers=HANDLERS,
        lifespan=_lifespan(service),
    )
    app.state.service = service
    return app


def _routes(service: Service) -> list[Route]:
    collector = RunCollector(
        service.live,
        counters=service.counters,
        ready=lambda: service.unready() is None,
        linger=service.settings.metrics_linger,
        max_live_runs=service.settings.max_live_runs,
    )
    own = registry(collector)

    async def metrics(request: Request) -> Response:
        accept = request.headers.get("accept", "")
        body, content_type = await run_in_threadpool(exposition, own, accept)
        return Response(body, headers={"content-type": content_type})

    return [
        Route("/v1/frames", post_frames, methods=["POST"]),
        Route("/v1/heartbeat", post_heartbeat, methods=["POST"]),
        Route("/v1/runs/{run}/stop", post_stop, methods=["POST"]),
        Route("/v1/baselines", post_baseline, methods=["POST"]),
        Route("/v1/runs/{run}/exit", post_exit, methods=["POST"]),
        *routes(),
        Route("/v1/openapi.json", _openapi, methods=["GET"]),
        Route("/v1/targets", _targets, methods=["GET"]),
        Route("/metrics", metrics, methods=["GET"]),
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/readyz", _readyz, methods=["GET"]),
    ]


def _lifespan(service: Service) -> Callable[[Starlette], contextlib.AbstractAsyncContextManager[None]]:
    @contextlib.asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        ended = asyncio.Event()
        timer = asyncio.create_task(watch(service, service.settings.watchdog_interval, ended))
        try:
            yield
        finally:
            ended.set()
            service.ending.set()
            await timer
            await run_in_threadpool(service.close)

    return lifespan


async def _healthz(_: Request) -> Response:
    """The process answers."""
    return Json({"status": "ok", "pid": os.getpid(), "version": auditor_agent.__version__})


async def _readyz(request: Request) -> Response:
    """The store takes writes."""
    service: Service = request.app.state.service
    reason = await run_in_threadpool(service.unready)
    if reason is not None:
        raise unavailable(reason)
    return Json({"status": "ready"})


async def _targets(request: Request) -> Response:
    """Prometheus HTTP service discovery: this daemon."""
    service: Service = request.app.state.service
    external = service.settings.external_url
    scheme, _, address = external.partition("://") if external else ("http", "", request.headers.get("host", ""))
    labels = {"__scheme__": scheme, "service": "training-auditor"}
    return Json([{"targets": [address.split("/")[0]], "labels": labels}])


async def _openapi(_: Request) -> Response:
    return Json(openapi(ENDPOINTS))
