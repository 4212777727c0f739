"""``auditor grafana``: what people see of the audit in Grafana."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import click

from auditor.cli.client import connect
from auditor.cli.options import Moment, echo_json, json_option
from auditor.cli.problems import Problem


@click.group("grafana", short_help="Dashboards, data source and annotations in Grafana.")
def command() -> None:
    """Dashboards, data source and annotations in Grafana."""


@command.command("sync", short_help="Bring folder, data source, dashboard and annotations up to date.")
@click.option("--url", envvar="GRAFANA_URL", required=True, help="Grafana's address.  [env: GRAFANA_URL]")
@click.option("--token", envvar="GRAFANA_TOKEN", required=True, help="Service account token.  [env: GRAFANA_TOKEN]")
@click.option(
    "--prometheus-url", envvar="PROMETHEUS_URL", default="http://127.0.0.1:9090", show_default=True,
    help="Prometheus as Grafana reaches it.  [env: PROMETHEUS_URL]",
)  # fmt: skip
@click.option("--folder", default="Training Auditor", show_default=True, help="Title of the folder.")
@click.option("--since", type=Moment(), help="Only alerts since then: 2h, 2026-11-21T14:00, or Unix seconds.")
@json_option
def synchronise(url: str, token: str, prometheus_url: str, folder: str, since: float | None, *, as_json: bool) -> None:
    """Bring folder, data source, dashboard and annotations up to date: one annotation per alert.

    May be repeated: it changes only what differs.
    """
    from auditor.alerts import grafana

    with connect() as client:
        alerts = client.get("/v1/alerts", since=since, limit=10_000)["alerts"]
    try:
        report = grafana.sync(url, token, prometheus_url=prometheus_url, alerts=alerts, folder=folder)
    except grafana.GrafanaSyncError as error:
        raise Problem(str(error)) from error
    told = dataclasses.asdict(report)
    if as_json:
        echo_json(told)
    else:
        _print(told)


def _print(told: Mapping[str, Any]) -> None:
    for part in ("folder", "datasource", "dashboard"):
        click.echo(f"{part:<12}{told[part]}")
    counts = ", ".join(f"{count} {change}" for change, count in told["annotations"].items())
    click.echo(f"{'annotations':<12}{counts}\n{told['url']}")
