"""Reading a request's body within a limit: declared sizes first, then what really comes."""

from __future__ import annotations

import json
from typing import Any

from starlette.requests import Request

from auditor.ingest.errors import bad_request, too_large

#: JSON bodies are heartbeats and commands.
JSON_LIMIT = 64 << 10


async def read_body(request: Request, limit: int) -> bytearray:
    """The body, at most ``limit`` bytes; never more is held than the limit and one network read.

    Raises:
        ApiError: 413 if it is larger, 400 if the declared length is no number.
    """
    declared = request.headers.get("content-length")
    if declared is not None:
        if not declared.isascii() or not declared.isdigit():
            raise bad_request(f"Content-Length {declared[:32]!r} is no number")
        if len(declared) > 19 or int(declared) > limit:
            raise too_large(f"body of {declared[:32]} bytes, limit {limit}")
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > limit:
            raise too_large(f"body beyond the limit of {limit} bytes")
    return body


async def read_json(request: Request) -> dict[str, Any]:
    """The body as a JSON object, ``{}`` if there is none.

    Raises:
        ApiError: 413 if it is large, 400 if it is no object.
    """
    text = bytes(await read_body(request, JSON_LIMIT))
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise bad_request(f"the body is no JSON: {error}") from error
    if not isinstance(value, dict):
        raise bad_request(f"the body is a JSON {type(value).__name__}, not an object")
    return value
