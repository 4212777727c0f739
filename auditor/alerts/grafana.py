"""Bring Grafana up to date: folder, Prometheus data source, dashboard, an annotation for each alert.

:func:`sync` may be repeated: it looks at what is there, and creates or updates only what differs.
Grafana is reached through the grafana-api package (extra ``grafana``) behind :class:`Grafana`, a
protocol of the few calls that are needed. Alerting is not Grafana's business here; it stays with
Prometheus and Alertmanager.
"""

from __future__ import annotations

import contextlib
import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlsplit

from auditor.alerts import dashboards

FOLDER_UID: Final = "training-auditor"
SOURCE_UID: Final = "training-auditor-prometheus"
SOURCE_NAME: Final = "Training Auditor Prometheus"
TAG: Final = "training-auditor"
TIMEOUT: Final = 10.0
#: Annotations read back at most, to find those that are there already.
MAX_ANNOTATIONS: Final = 10_000

Change = Literal["created", "updated", "unchanged"]
Json = Mapping[str, Any]


class GrafanaSyncError(RuntimeError):
    """Grafana could not be brought up to date; the message says why and what to do."""


@dataclass(slots=True)
class SyncReport:
    """What :func:`sync` did. ``annotations`` counts them by what was done."""

    folder: Change = "unchanged"
    datasource: Change = "unchanged"
    dashboard: Change = "unchanged"
    annotations: dict[Change, int] = field(default_factory=lambda: {"created": 0, "updated": 0, "unchanged": 0})
    url: str = ""
    """Where the dashboard is seen."""


class Grafana(Protocol):
    """The calls on Grafana's HTTP API that a sync makes; None stands for "not there"."""

    def folder(self, uid: str) -> Json | None:
        """The folder, with its ``title``."""

    def create_folder(self, uid: str, title: str) -> None:
        """Make it."""

    def rename_folder(self, uid: str, title: str) -> None:
        """Give it another title."""

    def datasource(self, name: str) -> Json | None:
        """The data source, with ``id``, ``type``, ``url``."""

    def create_datasource(self, body: Json) -> None:
        """Make it."""

    def update_datasource(self, identity: int, body: Json) -> None:
        """Replace it."""

    def dashboard(self, uid: str) -> Json | None:
        """``{"dashboard": model, "meta": {...}}``."""

    def save_dashboard(self, body: Json) -> None:
        """Create or overwrite it."""

    def annotations(self, tag: str, start_ms: int, end_ms: int) -> Sequence[Json]:
        """Annotations with ``tag`` in an interval, each with ``id``, ``tags``, ``text``, ``timeEnd``."""

    def add_annotation(self, body: Json) -> None:
        """Make one of ``time``, ``timeEnd`` (ms), ``tags``, ``text``."""

    def update_annotation(self, identity: int, body: Json) -> None:
        """Replace what it says."""


def sync(
    url: str,
    token: str,
    *,
    prometheus_url: str,
    alerts: Sequence[Json],
    folder: str = "Training Auditor",
) -> SyncReport:
    """Bring the Grafana at ``url`` up to date. Repeating it changes nothing.

    Args:
        url: Grafana's address, with its path prefix if it has one.
        token: of a service account with the role Admin (data sources) or Editor plus data source rights.
        prometheus_url: the Prometheus that scrapes the daemon, as Grafana reaches it.
        alerts: as ``GET /v1/alerts`` returns them.
        folder: title of the folder.

    Raises:
        GrafanaSyncError: if Grafana refuses or is not reached, or grafana-api is not installed.
    """
    with _connected(url, token) as grafana:
        return synchronise(grafana, url, prometheus_url=prometheus_url, alerts=alerts, folder=folder)


def synchronise(grafana: Grafana, url: str, *, prometheus_url: str, alerts: Sequence[Json], folder: str) -> SyncReport:
    """:func:`sync` over any implementation of the protocol."""
    report = SyncReport(url=f"{url.rstrip('/')}/d/{dashboards.UID}")
    report.folder = _sync_folder(grafana, folder)
    report.datasource = _sync_datasource(grafana, prometheus_url)
    report.dashboard = _sync_dashboard(grafana)
    for change in _sync_annotations(grafana, alerts):
        report.annotations[change] += 1
    return report


def _sync_folder(grafana: Grafana, title: str) -> Change:
    found = grafana.folder(FOLDER_UID)
    if found is None:
        grafana.create_folder(FOLDER_UID, title)
        return "created"
    if found.get("title") == title:
        return "unchanged"
    grafana.rename_folder(FOLDER_UID, title)
    return "updated"


def _sync_datasource(grafana: Grafana, prometheus_url: str) -> Change:
    body: dict[str, Any] = {
        "uid": SOURCE_UID,
        "name": SOURCE_NAME,
        "type": "prometheus",
        "access": "proxy",
        "url": prometheus_url,
    }
    body |= {"isDefault": False, "jsonData": {"httpMethod": "POST"}}
    found = grafana.datasource(SOURCE_NAME)
    if found is None:
        grafana.create_datasource(body)
        return "created"
    same = all(found.get(key) == body[key] for key in ("type", "url", "access"))
    if same or found.get("readOnly"):  # provisioned from a file, which has the last word
        return "unchanged"
    grafana.update_datasource(int(found["id"]), body)
    return "updated"


def _sync_dashboard(grafana: Grafana) -> Change:
    model = dashboards.overview()
    variables = model["templating"]["list"]
    variables[0]["current"] = {"text": SOURCE_NAME, "value": SOURCE_UID}
    found = grafana.dashboard(dashboards.UID)
    if found is not None and _same_model(found["dashboard"], model):
        return "unchanged"
    message = "auditor grafana sync"
    grafana.save_dashboard({"dashboard": model, "folderUid": FOLDER_UID, "overwrite": True, "message": message})
    return "created" if found is None else "updated"


def _same_model(found: Json, ours: Json) -> bool:
    """Grafana numbers the versions and adds its own id; all else must be as we say."""
    return all(found.get(key) == value for key, value in ours.items() if key not in {"id", "version"})


def _sync_annotations(grafana: Grafana, alerts: Sequence[Json]) -> Iterator[Change]:
    wanted = {f"alert:{alert['id']}": _annotation(alert) for alert in alerts if alert["state"] != "pending"}
    if not wanted:
        return
    times = [body["time"] for body in wanted.values()]
    present: dict[str, Json] = {}
    for found in grafana.annotations(TAG, min(times), max(times) + 1):
        present |= {tag: found for tag in found.get("tags", ()) if tag in wanted}
    for tag, body in wanted.items():
        if (there := present.get(tag)) is None:
            grafana.add_annotation(body)
            yield "created"
        elif (there.get("text"), there.get("timeEnd")) == (body["text"], body["timeEnd"]):
            yield "unchanged"
        else:
            grafana.update_annotation(int(there["id"]), body)
            yield "updated"


def _annotation(alert: Json) -> dict[str, Any]:
    """From the alert's start to its end, or a point in time while it fires."""
    start = int(float(alert["started_at"]) * 1000)
    end = alert.get("resolved_at")
    texts = (
        f"{alert['rule']} in run {alert['run']} at step {alert['first_step']}",
        alert.get("summary"),
        alert.get("advice"),
    )
    return {
        "time": start,
        "timeEnd": start if end is None else max(start, int(float(end) * 1000)),
        "tags": [TAG, f"alert:{alert['id']}", f"run:{alert['run']}", str(alert["rule"]), str(alert["severity"])],
        # Grafana shows annotations as HTML, and tensors are named by whoever wrote the model.
        "text": "\n".join(html.escape(str(text)) for text in texts if text),
    }


class GrafanaApi:
    """:class:`Grafana` by the grafana-api package."""

    def __init__(self, face: Any) -> None:
        self._face = face

    def folder(self, uid: str) -> Json | None:
        """See the protocol."""
        return _or_none(self._face.folder.get_folder, uid)

    def create_folder(self, uid: str, title: str) -> None:
        """See the protocol."""
        self._face.folder.create_folder(title, uid)

    def rename_folder(self, uid: str, title: str) -> None:
        """See the protocol."""
        self._face.folder.update_folder(uid, title, overwrite=True)

    def datasource(self, name: str) -> Json | None:
        """See the protocol."""
        return _or_none(self._face.datasource.get_datasource_by_name, name)

    def create_datasource(self, body: Json) -> None:
        """See the protocol."""
        self._face.datasource.create_datasource(dict(body))

    def update_datasource(self, identity: int, body: Json) -> None:
        """See the protocol."""
        self._face.datasource.update_datasource(identity, dict(body))

    def dashboard(self, uid: str) -> Json | None:
        """See the protocol."""
        return _or_none(self._face.dashboard.get_dashboard, uid)

    def save_dashboard(self, body: Json) -> None:
        """See the protocol."""
        self._face.dashboard.update_dashboard(dict(body))

    def annotations(self, tag: str, start_ms: int, end_ms: int) -> Sequence[Json]:
        """See the protocol."""
        found: Sequence[Json] = self._face.annotations.get_annotation(
            time_from=start_ms, time_to=end_ms, tags=[tag], limit=MAX_ANNOTATIONS
        )
        return found

    def add_annotation(self, body: Json) -> None:
        """See the protocol."""
        self._face.annotations.add_annotation(**_arguments(body))

    def update_annotation(self, identity: int, body: Json) -> None:
        """See the protocol."""
        self._face.annotations.update_annotation(identity, **_arguments(body))


def _arguments(body: Json) -> dict[str, Any]:
    return {"time_from": body["time"], "time_to": body["timeEnd"], "tags": body["tags"], "text": body["text"]}


def _or_none(get: Any, name: str) -> Json | None:
    from grafana_api.grafana_api import GrafanaClientError

    try:
        found: Json = get(name)
    except GrafanaClientError as error:
        if error.status_code == 404:
            return None
        raise
    return found


@contextlib.contextmanager
def _connected(url: str, token: str) -> Iterator[GrafanaApi]:
    try:
        import requests
        from grafana_api.grafana_api import GrafanaException
        from grafana_api.grafana_face import GrafanaFace
    except ImportError as error:
        raise GrafanaSyncError("grafana-api is missing: pip install 'training-auditor[grafana]'") from error
    parts = urlsplit(url if "://" in url else f"http://{url}")
    prefix = f"{parts.path.strip('/')}/" if parts.path.strip("/") else ""
    host = parts.hostname or "localhost"
    host = f"[{host}]" if ":" in host else host
    face = GrafanaFace(token, host, parts.port, prefix, parts.scheme, timeout=TIMEOUT)
    try:
        yield GrafanaApi(face)
    except GrafanaException as error:
        raise GrafanaSyncError(f"Grafana answered HTTP {error.status_code}: {_hint(error.status_code)}") from error
    except requests.RequestException as error:
        raise GrafanaSyncError(f"Grafana at {host} was not reached: {type(error).__name__}") from error
    finally:
        face.api.s.close()


def _hint(status: int) -> str:
    hints = {
        401: "the token is wrong or has expired; make one for a service account",
        403: "the token's role may not do this; it takes Admin, or Editor with rights on data sources",
        404: "is the address that of Grafana, with its path prefix?",
    }
    return hints.get(status, "see Grafana's log")
