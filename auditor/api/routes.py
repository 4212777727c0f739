"""The questions that the API answers."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from auditor.api import hosts, queries
from auditor.api.endpoint import Endpoint, Keeper, Parameter, path_run
from auditor.ingest.errors import not_found
from auditor.model import AlertState, RunStatus
from auditor.store.store import Store
from auditor_agent.statistics import KINDS, STATISTICS

_ATTEMPT = Parameter("attempt", "integer", "only this attempt; default: the last one speaks for a repeated step")
_RANK = Parameter("rank", "integer", "only this rank; default: the lowest that reports a step")
_POINTS = Parameter("points", "integer", "about so many points; extremes and non-finite values are always kept")
_SINCE = Parameter("since", "number", "changed at or after this time, Unix seconds", maximum=2**40)
_RUN = Parameter("run", "string", "of this run")


def _limit(default: int) -> Parameter:
    return Parameter("limit", "integer", "at most so many", default=default, maximum=10_000)


def _scalars(store: Store, run: str, *, names: str | None, **rest: Any) -> Mapping[str, Any]:
    chosen = [name for name in names.split(",") if name] if names is not None else None
    return queries.scalars(store, run, names=chosen, **rest)


def _compare(store: Store, *, a: str | None, b: str, baseline: str | None) -> Mapping[str, Any]:
    from auditor.compare.verdict import compare_groups

    groups = (queries.runs_of(store, a, baseline), queries.runs_of(store, b, None))
    return compare_groups(store, *groups)


ENDPOINTS: Final = (
    Endpoint(
        "/v1/runs",
        "Runs, the one that changed last first",
        queries.runs,
        (
            Parameter("project", "string", "of this project"),
            Parameter("status", "string", "with this status", choices=tuple(RunStatus)),
            _SINCE,
            _limit(100),
        ),
    ),
    Endpoint("/v1/runs/{run}", "One run with its alerts", queries.show),
    Endpoint(
        "/v1/hosts",
        "Hosts, and whether their runs go bad more often than those of the others",
        hosts.hosts,
        (_SINCE, Parameter("project", "string", "only runs of this project")),
    ),
    Endpoint(
        "/v1/baselines",
        "Baselines, without their envelopes; one whole, by name",
        queries.baselines,
        (Parameter("name", "string", "only this one, with its envelope"),),
    ),
    Endpoint("/v1/runs/{run}/manifests", "What the processes of a run declare to be", queries.manifests),
    Endpoint(
        "/v1/runs/{run}/scalars",
        "Loss, learning rate, gradient norm and the job's own scalars by step",
        _scalars,
        (
            Parameter("names", "string", "comma-separated; default: all"),
            _ATTEMPT,
            _RANK,
            _POINTS,
            Parameter("after", "integer", "only later steps"),
        ),
    ),
    Endpoint("/v1/runs/{run}/tensors", "The tensors that a run reports", queries.tensors),
    Endpoint(
        "/v1/runs/{run}/series",
        "One statistic of one tensor by step",
        queries.series,
        (
            Parameter("kind", "string", "kind of tensor", required=True, choices=KINDS),
            Parameter("name", "string", "name of the tensor", required=True),
            Parameter("stat", "string", "statistic", required=True, choices=STATISTICS),
            _ATTEMPT,
            _RANK,
            _POINTS,
        ),
    ),
    Endpoint(
        "/v1/runs/{run}/histogram",
        "How many elements of one tensor have which magnitude, by step",
        queries.histogram,
        (
            Parameter("kind", "string", "kind of tensor", default="gradient", choices=KINDS),
            Parameter("name", "string", "name of the tensor", required=True),
            Parameter("step", "integer", "of this step only"),
            Parameter("first", "integer", "from this step on"),
            Parameter("last", "integer", "up to this step"),
            _ATTEMPT,
            _RANK,
            Parameter("points", "integer", "at most so many steps, evenly picked", default=200, maximum=10_000),
        ),
    ),
    Endpoint(
        "/v1/runs/{run}/records",
        "What the flight recorder saw of the first steps",
        queries.records,
        (Parameter("step", "integer", "of this step only"), _ATTEMPT, _RANK),
    ),
    Endpoint("/v1/runs/{run}/norms", "Global gradient norm by step", queries.norms, (_POINTS,)),
    Endpoint(
        "/v1/alerts",
        "Alerts, the one that changed last first",
        queries.alerts,
        (
            _SINCE,
            _RUN,
            Parameter("state", "string", "in this state", choices=tuple(AlertState)),
            Parameter("rule", "string", "of this rule"),
            _limit(1000),
        ),
    ),
    Endpoint(
        "/v1/compare",
        "Why two runs differ, or two groups of runs with different seeds",
        _compare,
        (
            Parameter("a", "string", "run id of one side, the reference; several with commas are a group"),
            Parameter("b", "string", "run id of the other, or a group", required=True),
            Parameter("baseline", "string", "the runs of this baseline stand on side a"),
        ),
    ),
)


def routes() -> list[Route]:
    """Every question's route."""
    return [
        Route("/v1/runs/{run}/export.parquet", _get_parquet, methods=["GET"]),
        *(endpoint.route() for endpoint in ENDPOINTS),
    ]


async def _get_parquet(request: Request) -> Response:
    """The statistics of a run, every tensor at every step, as a Parquet file."""
    service: Keeper = request.app.state.service
    run = path_run(request)
    path = await run_in_threadpool(_export, service.store, run)
    clean = BackgroundTask(path.unlink, missing_ok=True)
    return FileResponse(path, filename=f"{run}.parquet", media_type="application/vnd.apache.parquet", background=clean)


def _export(store: Store, run: str) -> Path:
    from auditor.store.export import export_parquet  # pyarrow: only for those who export

    if store.run(run) is None:
        raise not_found(f"no run {run}")
    with tempfile.NamedTemporaryFile(prefix="auditor-", suffix=".parquet", delete=False) as file:
        path = Path(file.name)
    try:
        export_parquet(store, run, path)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return path
