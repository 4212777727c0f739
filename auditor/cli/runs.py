"""``auditor runs``: the list of runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click

from auditor.cli.client import connect
from auditor.cli.options import Moment, check_option, echo_json, json_option
from auditor.cli.problems import FOUND
from auditor.cli.render import ago, console, number, table, word

_COLUMNS = (
    ("run", "left"), ("framework", "left"), ("status", "left"), ("verdict", "left"),
    ("steps", "right"), ("loss", "right"), ("seen", "right"),
)  # fmt: skip


@click.command("runs", short_help="List runs, newest first.")
@click.option("--project", help="Only runs of this project.")
@click.option(
    "--status", type=click.Choice(["running", "finished", "failed", "stopped"]), help="Only runs of this status."
)
@click.option("--since", type=Moment(), help="Only runs since then: 2h, 2026-11-21T14:00, or Unix seconds.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="At most so many runs.")
@check_option
@json_option
def command(
    project: str | None, status: str | None, since: float | None, limit: int, *, check: bool, as_json: bool
) -> None:
    """List runs, newest first.

    With --check, exit with 1 if a listed run is not healthy.
    """
    with connect() as client:
        answer = client.get("/v1/runs", project=project, status=status, since=since, limit=limit)
    if as_json:
        echo_json(answer)
    else:
        _print(answer["runs"])
    if check and any(run["verdict"] in {"suspect", "diverged"} for run in answer["runs"]):
        sys.exit(FOUND)


def _print(runs: list[dict[str, Any]]) -> None:
    if not runs:
        click.echo("No runs yet. Try: auditor run -- python train.py")
        return
    console().print(table(_COLUMNS, [_row(run) for run in runs]))


def _row(run: Mapping[str, Any]) -> list[Any]:
    return [
        run["run"], run.get("framework") or "-", word(run["status"]), word(run["verdict"]),
        number(run.get("steps")), number(run.get("loss")), ago(run.get("updated_at")),
    ]  # fmt: skip
