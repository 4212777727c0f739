"""The API's OpenAPI 3.1 document, made of the endpoints' own descriptions."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import auditor_agent
from auditor.api.endpoint import Endpoint, Parameter
from auditor_agent.stream.wire import CONTENT_TYPE

_ERROR: Final = {
    "type": "object",
    "required": ["error", "detail", "hint"],
    "properties": {
        "error": {"type": "string", "description": "short fixed code"},
        "detail": {"type": "string", "description": "what was wrong"},
        "hint": {"type": "string", "description": "what to do"},
    },
}
_ACK: Final = {
    "type": "object",
    "properties": {
        "committed": {"type": "array", "items": {"type": "array", "items": {"type": "integer"}}},
        "rejected": {
            "type": "array",
            "items": {
                "type": "object",
                "properties": {"seq": {"type": "integer"}, "reason": {"type": "string"}},
            },
        },
        "verdict": {"enum": ["healthy", "suspect", "diverged", "unknown"]},
        "stop": {"type": "boolean"},
        "need": {"type": "array", "items": {"type": "string"}},
    },
}
_RUN: Final = {
    "name": "run",
    "in": "path",
    "required": True,
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._:-]{1,128}$"},
}
_HEARTBEAT: Final = {
    "type": "object",
    "required": ["run", "attempt", "rank", "time"],
    "properties": {
        "run": {"type": "string"},
        "attempt": {"type": "integer"},
        "rank": {"type": "integer"},
        "step": {"type": ["integer", "null"]},
        "time": {"type": "number", "description": "Unix seconds by the agent's clock"},
        "counts": {"type": "object"},
    },
}
_EXIT: Final = {
    "type": "object",
    "required": ["code"],
    "properties": {"code": {"type": "integer"}, "signal": {"type": ["string", "null"]}},
}

_BASELINE: Final = {
    "type": "object",
    "properties": {"name": {"type": "string"}, "runs": {"type": "array", "items": {"type": "string"}}},
    "required": ["name", "runs"],
}


def openapi(endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The document. Numbers that are not finite are the strings "NaN", "Infinity", "-Infinity"."""
    paths: dict[str, Any] = {path: dict(methods) for path, methods in {**_COMMANDS, **_PLAIN}.items()}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})["get"] = _question(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Training Auditor",
            "version": auditor_agent.__version__,
            "description": 'Non-finite numbers are the strings "NaN", "Infinity" and "-Infinity".',
        },
        "paths": paths,
        "components": {
            "schemas": {"Error": _ERROR, "Acknowledgement": _ACK},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"bearer": []}],
    }


def _question(endpoint: Endpoint) -> dict[str, Any]:
    parameters = [_RUN] if endpoint.of_run else []
    return {
        "summary": endpoint.summary,
        "parameters": [*parameters, *(_parameter(parameter) for parameter in endpoint.parameters)],
        "responses": _responses({"type": "object"}),
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": parameter.type}
    if parameter.choices:
        schema["enum"] = [str(choice) for choice in parameter.choices]
    if parameter.default is not None:
        schema["default"] = parameter.default
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.description,
        "schema": schema,
    }


def _responses(schema: dict[str, Any], kind: str = "application/json") -> dict[str, Any]:
    error = {"schema": {"$ref": "#/components/schemas/Error"}}
    return {
        "200": {"description": "the answer", "content": {kind: {"schema": schema}}},
        "default": {"description": "what was wrong, and what to do", "content": {"application/json": error}},
    }


def _command(summary: str, kind: str, schema: dict[str, Any], answer: dict[str, Any], *, of_run: bool = False) -> Any:
    body = {"required": True, "content": {kind: {"schema": schema}}}
    return {
        "post": {
            "summary": summary,
            "parameters": [_RUN] if of_run else [],
            "requestBody": body,
            "responses": _responses(answer),
        }
    }


def _plain(summary: str, kind: str = "application/json", *, of_run: bool = False) -> Any:
    return {"get": {"summary": summary, "parameters": [_RUN] if of_run else [], "responses": _responses({}, kind)}}


_ACKNOWLEDGED: Final = {"$ref": "#/components/schemas/Acknowledgement"}
_COMMANDS: Final = {
    "/v1/frames": _command("Frames end to end (docs/wire-format.md)", CONTENT_TYPE, {"type": "string"}, _ACKNOWLEDGED),
    "/v1/heartbeat": _command("Alive without new steps", "application/json", _HEARTBEAT, _ACKNOWLEDGED),
    "/v1/baselines": _command("Make a baseline of runs", "application/json", _BASELINE, {"type": "object"}),
    "/v1/runs/{run}/stop": _command(
        "Ask a run to end itself", "application/json", {"type": "object"}, {"type": "object"}, of_run=True
    ),
    "/v1/runs/{run}/exit": _command(
        "How the job's process ended, as its parent saw it",
        "application/json",
        _EXIT,
        {"type": "object"},
        of_run=True,
    ),
}
_PLAIN: Final = {
    "/v1/runs/{run}/export.parquet": _plain(
        "Every tensor at every step", "application/vnd.apache.parquet", of_run=True
    ),
    "/v1/openapi.json": _plain("This document"),
    "/v1/targets": _plain("Prometheus HTTP service discovery"),
    "/metrics": _plain("Metrics in Prometheus' formats", "text/plain"),
    "/healthz": _plain("The process answers"),
    "/readyz": _plain("The store takes writes"),
}
