"""The API's answers, and that what it says of itself is true."""

from __future__ import annotations

import io
import json
import math
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from starlette.routing import Route

from auditor.detect.registry import rules
from auditor.ingest.app import create_app
from auditor.settings import load_settings
from support.app import App, application
from support.frames import Sender


@pytest.fixture
def app(tmp_path: Path) -> Iterator[App]:
    """A healthy run, a run with a NaN, and one of another project."""
    with application(tmp_path) as made:
        for name, nan, project in (("good", (), "p"), ("bad", (2,), "p"), ("other", (), "q")):
            sender = Sender(name)
            manifest = sender.start(project=project) + sender.manifest({"optimizer": {"lr": 0.1, "eps": math.inf}})
            made.frames(manifest, sender.steps(range(20), [2.0 / (1 + n) for n in range(20)], nan=nan, tensors=True))
            made.clock.now += 10.0
            made.frames(sender.finish(step=19))
        yield made


def test_runs_are_listed_by_change_and_filtered(app: App) -> None:
    """The one that changed last first; by project, status, time and number."""
    rows = app.get("/v1/runs")["runs"]
    assert [row["run"] for row in rows] == ["other", "bad", "good"]
    assert rows[1]["alerts"] == {"critical": 1, "warning": 0, "info": 0}
    assert (rows[1]["verdict"], rows[1]["steps"], rows[1]["loss"]) == ("diverged", 20, 0.1)
    assert set(rows[0]) >= {"framework", "status", "created_at", "updated_at", "attempts", "ranks", "host", "lost"}
    assert [row["run"] for row in app.get("/v1/runs", project="q")["runs"]] == ["other"]
    assert app.get("/v1/runs", status="running")["runs"] == []
    assert len(app.get("/v1/runs", limit=2)["runs"]) == 2
    assert len(app.get("/v1/runs", since=rows[0]["updated_at"])["runs"]) == 1


def test_a_run_without_steps_is_not_called_healthy(app: App) -> None:
    """Nothing was judged, and ``show`` says why of every rule."""
    sender = Sender("empty")
    app.frames(sender.start(), sender.finish())
    shown = app.get("/v1/runs/empty")
    assert (shown["verdict"], shown["steps"]) == ("unknown", 0)
    assert set(shown["unjudged"]) == set(rules())
    assert [row["verdict"] for row in app.get("/v1/runs")["runs"] if row["run"] == "empty"] == ["unknown"]


def test_one_run_has_the_contract_s_fields(app: App) -> None:
    """DESIGN section 3: the JSON of ``auditor show``."""
    shown = app.get("/v1/runs/bad")
    assert {name: shown[name] for name in ("run", "status", "framework", "steps", "verdict")} == {
        "run": "bad",
        "status": "finished",
        "framework": "torch",
        "steps": 20,
        "verdict": "diverged",
    }
    (alert,) = shown["alerts"]
    assert set(alert) >= {
        *("rule", "severity", "state", "first_step", "last_step", "subject", "evidence", "summary"),
        *("likely_causes", "advice", "id", "run", "attempt", "started_at", "updated_at", "resolved_at", "members"),
    }
    assert alert["evidence"]["nan"] == 2
    assert shown["lost"] == {"dropped": 0, "reasons": {}}
    assert (shown["first_step"], shown["last_step"], shown["pending"]) == (0, 19, 0)


def test_scalars_are_chosen_thinned_and_continued(app: App) -> None:
    """By name, about so many points, after a step."""
    only = app.get("/v1/runs/good/scalars", names="loss,lr,nothing")["scalars"]
    assert list(only) == ["loss", "lr"]
    thinned = app.get("/v1/runs/good/scalars", names="loss", points=4)["scalars"]["loss"]
    assert (thinned["step"][0], thinned["step"][-1]) == (0, 19)
    assert len(thinned["step"]) <= 6
    assert app.get("/v1/runs/good/scalars", names="loss", after=17)["scalars"]["loss"]["step"] == [18, 19]


def test_manifests_keep_what_json_cannot_say(app: App) -> None:
    """Non-finite numbers are strings."""
    (entry,) = app.get("/v1/runs/good/manifests")["manifests"]
    assert entry == {"attempt": 0, "rank": 0, "manifest": {"optimizer": {"lr": 0.1, "eps": "Infinity"}}}


def test_alerts_are_filtered(app: App) -> None:
    """By run, rule, state and time."""
    (alert,) = app.get("/v1/alerts")["alerts"]
    assert app.get("/v1/alerts", run="good")["alerts"] == []
    assert app.get("/v1/alerts", rule="nonfinite_gradient", state="firing")["alerts"] == [alert]
    assert app.get("/v1/alerts", since=alert["updated_at"] + 1)["alerts"] == []


def test_a_comparison_names_both_sides(app: App) -> None:
    """The verdict over two runs; an unknown run is a 404."""
    found = app.get("/v1/compare", a="good", b="bad")
    assert found["verdict"] in {"equivalent", "mismatch", "inconclusive"}
    assert app.client.get("/v1/compare", params={"a": "good", "b": "nobody"}).status_code == 404


def test_the_parquet_export_is_one_row_per_tensor_and_step(app: App) -> None:
    """20 steps of 3 tensors."""
    answer = app.client.get("/v1/runs/bad/export.parquet")
    table = pq.read_table(io.BytesIO(answer.content))
    assert table.num_rows == 60
    assert sum(table.column("nan").to_pylist()) == 40
    assert app.client.get("/v1/runs/nobody/export.parquet").status_code == 404


def test_targets_name_the_address_that_was_asked(app: App, tmp_path: Path) -> None:
    """Prometheus scrapes where it found us, or where the settings say."""
    (target,) = json.loads(app.client.get("/v1/targets").text)
    assert target["targets"] == ["auditor.test"]
    with application(tmp_path / "b", external_url="https://audit.example.org:8443/") as other:
        (target,) = json.loads(other.client.get("/v1/targets").text)
        assert target["targets"] == ["audit.example.org:8443"]
        assert target["labels"]["__scheme__"] == "https"


@pytest.mark.parametrize(
    "path",
    [
        "/v1/runs?limit=x",
        "/v1/runs?limit=99999999",
        "/v1/runs?since=nan",
        "/v1/runs?status=sleeping",
        "/v1/runs/good/series?kind=gradient&name=w",
        "/v1/runs/good/series?kind=gradient&name=w&stat=median",
        "/v1/runs/good/scalars?points=-5",
        "/v1/compare?a=good",
    ],
)
def test_a_parameter_that_cannot_be_is_named(app: App, path: str) -> None:
    """400 in the one error shape; the detail names the parameter."""
    answer = app.client.get(path)
    assert answer.status_code == 400
    assert "parameter" in answer.json()["detail"]


def test_every_error_has_one_shape(app: App) -> None:
    """No such route, method, run, run id."""
    answers = [
        app.client.get("/nope"),
        app.client.delete("/v1/runs"),
        app.client.get("/v1/runs/nobody"),
        app.client.get("/v1/runs/no%20body"),
        app.client.post("/v1/runs/nobody/exit", json={"code": "one"}),
    ]
    assert [answer.status_code for answer in answers] == [404, 405, 404, 404, 400]
    for answer in answers:
        assert set(answer.json()) == {"error", "detail", "hint"}
        assert all(answer.json().values())


def test_the_openapi_document_lists_the_routes_that_exist(app: App) -> None:
    """Neither more nor fewer, with the methods they take."""
    document = app.get("/v1/openapi.json")
    said = {(path, method.upper()) for path, methods in document["paths"].items() for method in methods}
    routes = [route for route in create_app(load_settings()).routes if isinstance(route, Route)]
    there = {(route.path, method) for route in routes for method in (route.methods or ()) if method != "HEAD"}
    assert said == there
    for path, methods in document["paths"].items():
        for description in methods.values():
            assert description["summary"]
            named = {parameter["name"] for parameter in description["parameters"] if parameter["in"] == "path"}
            assert named == ({"run"} if "{run}" in path else set())
