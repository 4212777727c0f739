"""Who may speak: one bearer token for the daemon, compared in constant time, never logged."""

from __future__ import annotations

import hmac

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from auditor.ingest.errors import ApiError

#: What an orchestrator's probe may ask without a token: neither tells anything about a run.
OPEN_PATHS = frozenset({"/healthz", "/readyz"})


class BearerAuth:
    """ASGI middleware that lets a request through if it carries the token."""

    def __init__(self, app: ASGIApp, token: str | None) -> None:
        self._app = app
        self._expected = f"Bearer {token}".encode() if token else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request, or refuse it before its body is read."""
        if scope["type"] != "http" or self._allowed(scope):
            await self._app(scope, receive, send)
            return
        given = Headers(scope=scope).get("authorization")
        await (_refused(missing=given is None).response())(scope, receive, send)

    def _allowed(self, scope: Scope) -> bool:
        if self._expected is None or scope["path"] in OPEN_PATHS:
            return True
        given = Headers(scope=scope).get("authorization", "")
        return hmac.compare_digest(given.encode("latin-1"), self._expected)


def _refused(*, missing: bool) -> ApiError:
    if missing:
        hint = "Set AUDITOR_TOKEN to the daemon's token."
        return ApiError(401, "token_missing", "no bearer token", hint, headers={"WWW-Authenticate": "Bearer"})
    return ApiError(403, "token_wrong", "the bearer token is not the daemon's", "Check AUDITOR_TOKEN on both sides.")
