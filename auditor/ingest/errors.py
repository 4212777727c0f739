"""One error shape: ``{"error": code, "detail": what was wrong, "hint": what to do}``."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any, Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from auditor.store.errors import StoreError
from auditor_agent import jsonfinite

_log = logging.getLogger(__name__)


class Json(Response):
    """A JSON response in which non-finite numbers survive as strings."""

    media_type = "application/json"

    def render(self, content: Any) -> bytes:
        """The bytes of ``content``."""
        return jsonfinite.dumps(content).encode()


class ApiError(Exception):
    """An answer other than success."""

    def __init__(
        self, status: int, code: str, detail: str, hint: str, *, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.code, self.detail, self.hint, self.headers = status, code, detail, hint, headers

    def response(self) -> Response:
        """The error as it goes out."""
        body = {"error": self.code, "detail": self.detail, "hint": self.hint}
        return Json(body, self.status, headers=dict(self.headers) if self.headers else None)


def bad_request(detail: str, hint: str = "See docs/wire-format.md and /v1/openapi.json.") -> ApiError:
    """The request cannot be understood; nothing was taken."""
    return ApiError(400, "bad_request", detail, hint)


def not_found(detail: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, "not_found", detail, "List what there is with GET /v1/runs.")


def too_large(detail: str) -> ApiError:
    """The body is beyond the limit; nothing was taken."""
    return ApiError(413, "too_large", detail, "Send fewer frames at once, or raise AUDITOR_MAX_BODY at the daemon.")


def unavailable(reason: str) -> ApiError:
    """The store cannot take or give anything now."""
    hint = "Nothing was taken; keep it and send it again. GET /readyz tells when."
    return ApiError(503, "unavailable", reason, hint, headers={"Retry-After": "2"})


async def _on_api_error(_: Request, error: Exception) -> Response:
    """Answer an :class:`ApiError`."""
    assert isinstance(error, ApiError)  # noqa: S101 - what the handler is registered for
    return error.response()


async def _on_store_error(_: Request, error: Exception) -> Response:
    """Answer a store that fails."""
    return unavailable(str(error)).response()


async def _on_http_error(_: Request, error: Exception) -> Response:
    """Answer what Starlette raises (no such route, method not allowed) in our shape."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what the handler is registered for
    codes = {404: "not_found", 405: "method_not_allowed"}
    hint = "GET /v1/openapi.json lists every route and method."
    detail = f"{error.status_code} {error.detail}"
    return ApiError(
        error.status_code, codes.get(error.status_code, "http_error"), detail, hint, headers=error.headers
    ).response()


async def _on_bug(request: Request, error: Exception) -> Response:
    """Answer an error nobody foresaw: logged with its traceback, told without."""
    _log.error("%s %s failed", request.method, request.url.path, exc_info=error)
    hint = "The daemon's log has the traceback; please report it."
    return ApiError(500, "internal_error", type(error).__name__, hint).response()


#: What an application does with each kind of exception.
HANDLERS: Final[Mapping[Any, Any]] = {
    ApiError: _on_api_error,
    StoreError: _on_store_error,
    HTTPException: _on_http_error,
    Exception: _on_bug,
}
