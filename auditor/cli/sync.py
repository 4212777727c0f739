"""``auditor sync``: from the spool to the daemon, after the fact."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.host import host
from auditor.cli.options import echo_json, json_option
from auditor.cli.problems import ENVIRONMENT
from auditor.cli.spool import deliver, leftovers
from auditor.home import home


@click.command("sync", short_help="Deliver what lies in the spool to the daemon.")
@click.argument("directory", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@json_option
def command(directory: Path | None, *, as_json: bool) -> None:
    """Deliver what lies in the spool to the daemon, or into the embedded database where there is none.

    DIRECTORY is a spool, or the folder of one run in it; by default the spool of AUDITOR_HOME. What
    the daemon has already is not stored twice. Exits with 2 if something could not be delivered.
    """
    spool = directory or home() / "spool"
    pending = leftovers(spool)
    with host() as where:
        results = [deliver(item, where.url, where.token) for item in pending]
    failed = [result for result in results if result.error]
    if as_json:
        echo_json({"spool": str(spool), "delivered": [result.as_json() for result in results]})
    else:
        for result in results:
            click.echo(result.words())
        if not results:
            click.echo(f"Nothing to deliver in {spool}.")
    if failed:
        raise SystemExit(ENVIRONMENT)
