"""A question of the API, described once: the route, its checks and its OpenAPI page come of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from auditor.api.queries import NoSuchRunError
from auditor.ingest.errors import Json, bad_request, not_found
from auditor.ingest.intake import MAX_INT, run_id
from auditor.store.store import Store
from auditor_agent.stream.wire import WireError

Value = str | int | float | None


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter: absent unless given, or ``default``."""

    name: str
    type: Literal["string", "integer", "number"]
    description: str
    required: bool = False
    default: Value = None
    choices: tuple[str, ...] = ()
    maximum: int = MAX_INT

    def read(self, request: Request) -> Value:
        """Its value in ``request``.

        Raises:
            ApiError: 400 if it is missing or no such value.
        """
        text = request.query_params.get(self.name)
        if text is None:
            if self.required:
                raise self._bad("is missing")
            return self.default
        if self.choices and text not in self.choices:
            raise self._bad(f"{text[:80]!r}: one of {', '.join(self.choices)}")
        if self.type == "string":
            if "\x00" in text:
                raise self._bad("contains NUL")
            return text
        return self._number(text)

    def _number(self, text: str) -> int | float:
        try:
            number = int(text) if self.type == "integer" else float(text)
        except ValueError as error:
            raise self._bad(f"{text[:80]!r} is no {self.type}") from error
        if not math.isfinite(number) or not -1 <= number <= self.maximum:
            raise self._bad(f"{text[:80]!r}: at most {self.maximum}")
        return number

    def _bad(self, detail: str) -> Exception:
        return bad_request(f"query parameter {self.name} {detail}", "GET /v1/openapi.json describes every parameter.")


class Keeper(Protocol):
    """What an application has as ``state.service``: it has the store."""

    @property
    def store(self) -> Store:
        """The open store. Raises ApiError (503) when there is none."""


Answer = Callable[..., Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A GET route that answers ``answer(store, [run,] **parameters)`` as JSON."""

    path: str
    summary: str
    answer: Answer
    parameters: tuple[Parameter, ...] = ()

    @property
    def of_run(self) -> bool:
        """Whether the path names a run."""
        return "{run}" in self.path

    def route(self) -> Route:
        """The route."""
        return Route(self.path, self._respond, methods=["GET"])

    async def _respond(self, request: Request) -> Response:
        given = {parameter.name: parameter.read(request) for parameter in self.parameters}
        run = (request.path_params["run"],) if self.of_run else ()
        service: Keeper = request.app.state.service
        return await run_in_threadpool(self._ask, lambda: service.store, run, given)

    def _ask(self, store: Callable[[], Store], run: tuple[str, ...], given: Mapping[str, Value]) -> Response:
        """Everything that may block, the encoding of a long answer included."""
        try:
            return Json(self.answer(store(), *(run_id(part) for part in run), **given))
        except (NoSuchRunError, WireError) as error:
            raise not_found(str(error)) from error


def path_run(request: Request) -> str:
    """The run id in a request's path.

    Raises:
        ApiError: 404 if it cannot be one.
    """
    try:
        return run_id(request.path_params["run"])
    except WireError as error:
        raise not_found(str(error)) from error
