"""What ``auditor grafana sync`` says to Grafana, checked by a fake that refuses what Grafana refuses."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import pytest

from auditor.alerts import dashboards
from auditor.alerts.grafana import GrafanaSyncError, SyncReport, sync
from support.fake_grafana import FakeGrafana, fake_grafana
from support.process import free_port

pytest.importorskip("grafana_api", reason="the extra grafana is not installed")

ALERT: dict[str, Any] = {
    "id": "0123456789abcdef",
    "run": "r1",
    "rule": "nonfinite_gradient",
    "severity": "critical",
    "state": "firing",
    "first_step": 37,
    "started_at": 1_800_000_000.25,
    "resolved_at": None,
    "summary": "4096 NaN in the gradient of <script>alert(1)</script>",
    "advice": "Lower the learning rate.",
}
PROMETHEUS = "http://prometheus:9090"


@pytest.fixture
def grafana() -> Iterator[FakeGrafana]:
    """An empty one."""
    with fake_grafana() as fake:
        yield fake


def bring(grafana: FakeGrafana, *alerts: dict[str, Any], **options: str) -> SyncReport:
    """One sync."""
    options.setdefault("prometheus_url", PROMETHEUS)
    return sync(grafana.url, grafana.token, alerts=alerts, **options)


def test_the_first_sync_creates_everything(grafana: FakeGrafana) -> None:
    """Folder, data source, dashboard within the folder and over the data source, one annotation."""
    report = bring(grafana, ALERT)
    assert (report.folder, report.datasource, report.dashboard) == ("created", "created", "created")
    assert report.annotations == {"created": 1, "updated": 0, "unchanged": 0}
    assert report.url == f"{grafana.url}/d/training-auditor-overview"
    assert [folder["title"] for folder in grafana.folders.values()] == ["Training Auditor"]
    (source,) = grafana.sources
    assert (source["type"], source["access"], source["url"]) == ("prometheus", "proxy", PROMETHEUS)
    stored = grafana.dashboards[dashboards.UID]
    assert stored["meta"]["folderUid"] in grafana.folders
    assert stored["dashboard"]["panels"] == dashboards.overview()["panels"]
    assert stored["dashboard"]["templating"]["list"][0]["current"]["value"] == source["uid"]


def test_the_second_sync_changes_nothing(grafana: FakeGrafana) -> None:
    """It only reads."""
    bring(grafana, ALERT)
    grafana.requests.clear()
    report = bring(grafana, ALERT)
    assert grafana.writes == []
    assert (report.folder, report.datasource, report.dashboard) == ("unchanged", "unchanged", "unchanged")
    assert report.annotations == {"created": 0, "updated": 0, "unchanged": 1}


def test_what_differs_is_updated(grafana: FakeGrafana) -> None:
    """Another title, another Prometheus, a dashboard edited by hand: each is put right, nothing is doubled."""
    bring(grafana)
    grafana.dashboards[dashboards.UID]["dashboard"]["title"] = "mine"
    report = bring(grafana, folder="Runs", prometheus_url="http://other:9090")
    assert (report.folder, report.datasource, report.dashboard) == ("updated", "updated", "updated")
    assert [folder["title"] for folder in grafana.folders.values()] == ["Runs"]
    assert [source["url"] for source in grafana.sources] == ["http://other:9090"]
    assert grafana.dashboards[dashboards.UID]["dashboard"]["version"] == 2
    assert grafana.dashboards[dashboards.UID]["dashboard"]["title"] == "Training Auditor: overview"


def test_s5_an_annotation_says_what_happened_and_is_harmless_html(grafana: FakeGrafana) -> None:
    """Milliseconds, tags to filter by, text that shows names instead of running them (S5)."""
    bring(grafana, ALERT)
    (annotation,) = grafana.annotations
    assert annotation["time"] == annotation["timeEnd"] == 1_800_000_000_250
    tags = {"training-auditor", "alert:0123456789abcdef", "run:r1", "nonfinite_gradient", "critical"}
    assert set(annotation["tags"]) == tags
    assert annotation["text"].splitlines() == [
        "nonfinite_gradient in run r1 at step 37",
        "4096 NaN in the gradient of &lt;script&gt;alert(1)&lt;/script&gt;",
        "Lower the learning rate.",
    ]


def test_an_alert_that_resolved_since_ends_its_annotation(grafana: FakeGrafana) -> None:
    """The same annotation gets an end; a new alert gets one of its own; a pending one gets none."""
    bring(grafana, ALERT)
    resolved = ALERT | {"state": "resolved", "resolved_at": ALERT["started_at"] + 60}
    other, pending = ALERT | {"id": "beef"}, ALERT | {"id": "dead", "state": "pending"}
    report = bring(grafana, resolved, other, pending)
    assert report.annotations == {"created": 1, "updated": 1, "unchanged": 0}
    assert [annotation["timeEnd"] for annotation in grafana.annotations] == [1_800_000_060_250, 1_800_000_000_250]


def test_more_annotations_than_grafana_returns_by_default_are_still_not_doubled(grafana: FakeGrafana) -> None:
    """Its default limit is 100."""
    alerts = [ALERT | {"id": f"{i:x}"} for i in range(150)]
    bring(grafana, *alerts)
    assert bring(grafana, *alerts).annotations == {"created": 0, "updated": 0, "unchanged": 150}


def test_a_provisioned_data_source_is_left_alone(grafana: FakeGrafana) -> None:
    """It comes from a file, and Grafana refuses to change it."""
    bring(grafana)
    grafana.sources[0] |= {"readOnly": True, "url": "http://elsewhere"}
    assert bring(grafana).datasource == "unchanged"
    assert grafana.sources[0]["url"] == "http://elsewhere"


def test_a_path_prefix_is_kept() -> None:
    """Grafana behind a reverse proxy."""
    with fake_grafana("/monitoring/grafana") as grafana:
        assert bring(grafana, ALERT).dashboard == "created"


@pytest.mark.parametrize(
    ("status", "hint"), [(401, "token"), (403, "role"), (404, "address|prefix"), (500, "log"), (502, "log")]
)
def test_a_refusal_says_what_to_do(grafana: FakeGrafana, status: int, hint: str) -> None:
    """One error type, with a hint, without the token."""
    grafana.broken = status
    with pytest.raises(GrafanaSyncError, match=f"HTTP {status}: .*({hint})") as caught:
        bring(grafana)
    assert grafana.token not in str(caught.value)


def test_a_wrong_token_is_refused(grafana: FakeGrafana) -> None:
    """The fake compares it."""
    with pytest.raises(GrafanaSyncError, match="token is wrong"):
        sync(grafana.url, "other", prometheus_url=PROMETHEUS, alerts=[])


def test_no_grafana_is_an_error_that_names_the_host() -> None:
    """Nobody listens there."""
    with pytest.raises(GrafanaSyncError, match=r"127\.0\.0\.1 was not reached"):
        sync(f"http://127.0.0.1:{free_port()}", "t", prometheus_url=PROMETHEUS, alerts=[])


def test_without_the_extra_the_error_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """The package is optional."""
    monkeypatch.setitem(sys.modules, "grafana_api", None)
    monkeypatch.setitem(sys.modules, "grafana_api.grafana_api", None)
    with pytest.raises(GrafanaSyncError, match=r"training-auditor\[grafana\]"):
        sync("http://localhost", "t", prometheus_url=PROMETHEUS, alerts=[])
