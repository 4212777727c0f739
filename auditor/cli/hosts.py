"""``auditor hosts``: hosts whose runs go bad more often than those of the others."""

from __future__ import annotations

import sys

import click

from auditor.cli.client import connect
from auditor.cli.options import Moment, check_option, echo_json, json_option
from auditor.cli.problems import FOUND
from auditor.cli.render import console, number, table, word

_COLUMNS = (("host", "left"), ("runs", "right"), ("bad", "right"), ("p", "right"), ("", "left"))


@click.command("hosts", short_help="Hosts whose runs go bad more often than those of the others.")
@click.option("--since", type=Moment(), help="Only runs that changed since then: 2h, 2026-11-21T14:00, Unix seconds.")
@click.option("--project", help="Only runs of this project.")
@check_option
@json_option
def command(since: float | None, project: str | None, *, check: bool, as_json: bool) -> None:
    """Hosts whose runs go bad more often than those of the others.

    A run is bad if it diverged or failed. p is Fisher's exact test against all other hosts; a host is
    marked where it is below 0.01 after Holm's correction for the number of hosts.

    With --check, exit with 1 if a host is marked.
    """
    with connect() as client:
        answer = client.get("/v1/hosts", since=since, project=project)
    rows = answer["hosts"]
    if as_json:
        echo_json(answer)
    elif not rows:
        click.echo("No ended runs.")
    else:
        cells = [
            [row["host"], row["runs"], row["bad"], number(row["p_value"]), word("suspect" if row["suspect"] else "")]
            for row in rows
        ]
        console().print(table(_COLUMNS, cells))
    if check and any(row["suspect"] for row in rows):
        sys.exit(FOUND)
