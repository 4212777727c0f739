"""A stateful Grafana over HTTP: checks method, path, authorization and body, answers as Grafana does.

Written after Grafana's HTTP API reference (folder, data source, dashboard, annotation). It refuses
what Grafana refuses: a wrong token (401), unknown paths (404), missing or mistyped fields (400),
names and uids that exist (409), a dashboard that is newer than the one sent without overwrite (412).
"""

from __future__ import annotations

import contextlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

Answer = tuple[int, Any]


@dataclass
class FakeGrafana:
    """What it holds, and every request that it answered as (method, path)."""

    token: str = "glsa_secret"
    prefix: str = ""
    url: str = ""
    folders: dict[str, dict[str, Any]] = field(default_factory=dict)
    sources: list[dict[str, Any]] = field(default_factory=list)
    dashboards: dict[str, dict[str, Any]] = field(default_factory=dict)
    annotations: list[dict[str, Any]] = field(default_factory=list)
    requests: list[tuple[str, str]] = field(default_factory=list)
    broken: int | None = None
    """An HTTP status that it answers to everything, when set."""

    @property
    def writes(self) -> list[tuple[str, str]]:
        """The requests that change something."""
        return [request for request in self.requests if request[0] != "GET"]

    def answer(self, method: str, target: str, authorization: str | None, body: Any) -> Answer:
        """Status and JSON for one request."""
        parts = urlsplit(target)
        path = unquote(parts.path).removeprefix(self.prefix)
        self.requests.append((method, path))
        if self.broken is not None:
            return self.broken, {"message": "broken on purpose"}
        if authorization != f"Bearer {self.token}":
            return 401, {"message": "Invalid API key"}
        query = parse_qs(parts.query)
        for pattern, handle in self._routes():
            verb, regex = pattern.split(" ", 1)
            if verb == method and (match := re.fullmatch(regex, path)):
                return handle(body, query, *match.groups())
        return 404, {"message": "Not found"}

    def _routes(self) -> list[tuple[str, Callable[..., Answer]]]:
        return [
            ("GET /api/folders/([^/]+)", self._get_folder),
            ("POST /api/folders", self._post_folder),
            ("PUT /api/folders/([^/]+)", self._put_folder),
            ("GET /api/datasources/name/([^/]+)", self._get_source),
            ("POST /api/datasources", self._post_source),
            (r"PUT /api/datasources/(\d+)", self._put_source),
            ("GET /api/dashboards/uid/([^/]+)", self._get_dashboard),
            ("POST /api/dashboards/db", self._post_dashboard),
            ("GET /api/annotations", self._get_annotations),
            ("POST /api/annotations", self._post_annotation),
            (r"PUT /api/annotations/(\d+)", self._put_annotation),
        ]

    def _get_folder(self, _: Any, __: Any, uid: str) -> Answer:
        return (200, self.folders[uid]) if uid in self.folders else (404, {"message": "folder not found"})

    def _post_folder(self, body: Any, _: Any) -> Answer:
        if wrong := mistyped(body, {"title": str, "uid": str}):
            return wrong
        if body["uid"] in self.folders or any(f["title"] == body["title"] for f in self.folders.values()):
            return 409, {"message": "a folder with the same name already exists in the current location"}
        folder = {"id": len(self.folders) + 1, "uid": body["uid"], "title": body["title"], "version": 1}
        self.folders[body["uid"]] = folder
        return 200, folder

    def _put_folder(self, body: Any, _: Any, uid: str) -> Answer:
        if uid not in self.folders:
            return 404, {"message": "folder not found"}
        if wrong := mistyped(body, {"title": str}):
            return wrong
        if not body.get("overwrite") and body.get("version") != self.folders[uid]["version"]:
            return 412, {"message": "the folder has been changed by someone else", "status": "version-mismatch"}
        self.folders[uid] |= {"title": body["title"], "version": self.folders[uid]["version"] + 1}
        return 200, self.folders[uid]

    def _get_source(self, _: Any, __: Any, name: str) -> Answer:
        found = [source for source in self.sources if source["name"] == name]
        return (200, found[0]) if found else (404, {"message": "Data source not found"})

    def _post_source(self, body: Any, _: Any) -> Answer:
        if wrong := mistyped(body, {"name": str, "type": str, "access": str, "url": str}):
            return wrong
        if any(source["name"] == body["name"] for source in self.sources):
            return 409, {"message": "data source with the same name already exists"}
        self.sources.append({**body, "id": len(self.sources) + 1, "readOnly": False})
        return 200, {"datasource": self.sources[-1], "id": len(self.sources), "message": "Datasource added"}

    def _put_source(self, body: Any, _: Any, identity: str) -> Answer:
        if wrong := mistyped(body, {"name": str, "type": str, "access": str, "url": str}):
            return wrong
        source = self.sources[int(identity) - 1]
        if source["readOnly"]:
            return 403, {"message": "Cannot update read-only data source"}
        source.update(body)
        return 200, {"datasource": source, "id": source["id"], "message": "Datasource updated"}

    def _get_dashboard(self, _: Any, __: Any, uid: str) -> Answer:
        return (200, self.dashboards[uid]) if uid in self.dashboards else (404, {"message": "Dashboard not found"})

    def _post_dashboard(self, body: Any, _: Any) -> Answer:
        if wrong := mistyped(body, {"dashboard": dict, "folderUid": str, "overwrite": bool}):
            return wrong
        model = body["dashboard"]
        if wrong := mistyped(model, {"title": str, "uid": str, "panels": list, "schemaVersion": int}):
            return wrong
        if body["folderUid"] not in self.folders:
            return 400, {"message": "folder not found"}
        known = self.dashboards.get(model["uid"])
        if known is not None and not body["overwrite"]:
            return 412, {"message": "A dashboard with the same uid already exists", "status": "name-exists"}
        version = known["dashboard"]["version"] + 1 if known else 1
        stored = {**model, "id": 7, "version": version}
        meta = {"folderUid": body["folderUid"], "url": f"/d/{model['uid']}/overview", "version": version}
        self.dashboards[model["uid"]] = {"dashboard": stored, "meta": meta}
        return 200, {"id": 7, "uid": model["uid"], "url": meta["url"], "status": "success", "version": version}

    def _get_annotations(self, _: Any, query: dict[str, list[str]]) -> Answer:
        start, end = int(query["from"][0]), int(query["to"][0])
        limit, tags = int(query.get("limit", ["100"])[0]), set(query.get("tags", []))
        found = [a for a in self.annotations if tags <= set(a["tags"]) and a["time"] <= end and a["timeEnd"] >= start]
        return 200, found[:limit]

    def _post_annotation(self, body: Any, _: Any) -> Answer:
        if wrong := mistyped(body, {"time": int, "tags": list, "text": str}):
            return wrong
        stored = {key: body[key] for key in ("time", "tags", "text")}
        stored |= {"id": len(self.annotations) + 1, "timeEnd": body.get("timeEnd") or body["time"]}
        self.annotations.append(stored)
        return 200, {"message": "Annotation added", "id": stored["id"]}

    def _put_annotation(self, body: Any, _: Any, identity: str) -> Answer:
        if wrong := mistyped(body, {"time": int, "timeEnd": int, "tags": list, "text": str}):
            return wrong
        self.annotations[int(identity) - 1].update(body)
        return 200, {"message": "Annotation updated"}


def mistyped(body: Any, fields: dict[str, type]) -> Answer | None:
    """The 400 for a body that is no object, or lacks a field, or has one of another type."""
    if not isinstance(body, dict):
        return 400, {"message": "bad request data"}
    wrong = [name for name, kind in fields.items() if not isinstance(body.get(name), kind) or body[name] == ""]
    return (400, {"message": f"bad request data: {', '.join(wrong)}"}) if wrong else None


@contextlib.contextmanager
def fake_grafana(prefix: str = "") -> Iterator[FakeGrafana]:
    """A fake on a free loopback port, under ``prefix`` ("/grafana") if given."""
    grafana = FakeGrafana(prefix=prefix)

    class Handler(BaseHTTPRequestHandler):
        def _handle(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, answer = grafana.answer(self.command, self.path, self.headers.get("Authorization"), body)
            text = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _handle  # noqa: N815

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        grafana.url = f"http://127.0.0.1:{server.server_port}{prefix}"
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield grafana
        finally:
            server.shutdown()
            thread.join()
