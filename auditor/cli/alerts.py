"""``auditor alerts``: alerts over all runs."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import click
from rich.text import Text

from auditor.cli.client import connect
from auditor.cli.options import Moment, check_option, echo_json, json_option
from auditor.cli.problems import FOUND
from auditor.cli.render import ago, alert_block, clean, console, steps, subject, table, word

_COLUMNS = (
    ("severity", "left"), ("state", "left"), ("what", "left"), ("run", "left"), ("seen", "right"),
)  # fmt: skip


@click.command("alerts", short_help="List alerts over all runs.")
@click.option("--since", type=Moment(), help="Only alerts since then: 2h, 2026-11-21T14:00, or Unix seconds.")
@click.option("--run", help="Only alerts of this run.")
@click.option("--state", type=click.Choice(["pending", "firing", "resolved"]), help="Only alerts in this state.")
@click.option("--rule", help="Only alerts of this rule, e.g. nonfinite_gradient.")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, show_default=True, help="At most so many alerts.")
@click.option("-v", "--verbose", is_flag=True, help="Causes and advice for each alert.")
@check_option
@json_option
def command(
    since: float | None, run: str | None, state: str | None, rule: str | None, limit: int,
    *, verbose: bool, check: bool, as_json: bool,
) -> None:  # fmt: skip
    """List alerts over all runs, newest first.

    With --check, exit with 1 if a listed critical or warning alert fires.
    """
    with connect() as client:
        answer = client.get("/v1/alerts", since=since, run=run, state=state, rule=rule, limit=limit)
    if as_json:
        echo_json(answer)
    else:
        _print(answer["alerts"], verbose=verbose)
    if check and any(_bad(alert) for alert in answer["alerts"]):
        sys.exit(FOUND)


def _bad(alert: Mapping[str, Any]) -> bool:
    return alert["state"] == "firing" and alert["severity"] in {"critical", "warning"}


def _print(alerts: list[dict[str, Any]], *, verbose: bool) -> None:
    if not alerts:
        click.echo("No alerts.")
        return
    out = console()
    if not verbose:
        out.print(table(_COLUMNS, [_row(alert) for alert in alerts]))
        return
    for alert in alerts:
        out.print(word(alert["run"], "dim"))
        out.print(alert_block(alert))
        out.print()


def _row(alert: Mapping[str, Any]) -> list[Any]:
    what = Text(f"{clean(alert['rule'])}\n{subject(alert)}, {steps(alert)}")
    return [word(alert["severity"]), word(alert["state"]), what, alert["run"], ago(alert.get("updated_at"))]
