"""``POST /v1/heartbeat``: alive without new steps. And what a parent or a person may say: stop, exit, baseline."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from auditor.api.endpoint import path_run
from auditor.api.queries import baseline_json
from auditor.ingest.baselines import BaselineError, make
from auditor.ingest.body import read_json
from auditor.ingest.errors import Json, bad_request, not_found
from auditor.ingest.frames import acknowledge
from auditor.ingest.intake import MAX_NAME, clean, counts, integer, moment, run_id
from auditor.ingest.service import Service
from auditor.store.records import Progress
from auditor_agent.stream.wire import WireError

#: Runs that a baseline is made of, at most.
MAX_RUNS: Final = 64


async def post_heartbeat(request: Request) -> Response:
    """Notes a sign of life; answers as ``POST /v1/frames`` does."""
    service: Service = request.app.state.service
    try:
        sign = heartbeat(await read_json(request))
    except WireError as error:
        raise bad_request(str(error)) from error
    return Json(await acknowledge(service, await run_in_threadpool(service.heartbeat, sign)))


def heartbeat(body: Mapping[str, Any]) -> Progress:
    """The sign of life in a heartbeat's body.

    Raises:
        WireError: if a field is not what docs/wire-format.md says.
    """
    return Progress(
        run=run_id(body.get("run")),
        attempt=integer(body, "attempt", limit=2**31 - 1),
        rank=integer(body, "rank", limit=2**31 - 1),
        agent_time=moment(body.get("time")),
        step=integer(body, "step") if body.get("step") is not None else None,
        counts=counts(body["counts"]) if body.get("counts") is not None else None,
    )


async def post_stop(request: Request) -> Response:
    """Asks a run to end itself."""
    service: Service = request.app.state.service
    run = path_run(request)
    if await run_in_threadpool(service.store.run, run) is None:
        raise not_found(f"no run {run}")
    await run_in_threadpool(service.stop, run)
    return Json({"run": run, "stop": True})


async def post_exit(request: Request) -> Response:
    """Notes the exit code or signal that the job's parent saw."""
    service: Service = request.app.state.service
    run, body = path_run(request), await read_json(request)
    code, signal = body.get("code"), body.get("signal")
    if not isinstance(code, int) or isinstance(code, bool) or abs(code) > 2**31 - 1:
        raise bad_request("code: the exit code, an integer")
    if signal is not None and (not isinstance(signal, str) or not 0 < len(signal) <= MAX_NAME):
        raise bad_request("signal: its name, or null")
    status = await run_in_threadpool(service.exit, run, code, clean(signal))
    return Json({"run": run, "status": status})


async def post_baseline(request: Request) -> Response:
    """Makes a baseline of runs: {"name", "runs"}."""
    service: Service = request.app.state.service
    body = await read_json(request)
    name, runs = body.get("name"), body.get("runs")
    if not isinstance(name, str) or not 0 < len(name) <= 128 or clean(name) != name:
        raise bad_request("name: a short text")
    if not isinstance(runs, list) or not all(isinstance(run, str) for run in runs) or len(runs) > MAX_RUNS:
        raise bad_request(f"runs: a list of at most {MAX_RUNS} run ids")
    try:
        record = await run_in_threadpool(make, service.store, name, runs, service.clock())
    except BaselineError as error:
        raise bad_request(str(error)) from error
    await run_in_threadpool(service.store.save_baseline, record)
    return Json(baseline_json(replace(record, envelope={})))
