"""``auditor purge``: delete runs for good."""

from __future__ import annotations

import time

import click

from auditor.cli.options import Age, echo_json, json_option
from auditor.cli.problems import Problem


@click.command("purge", short_help="Delete runs from the store for good.")
@click.option("--older-than", type=Age(), help="Runs without a sign of life for so long: 12h, 30d, 4w.")
@click.option("--keep", type=click.IntRange(0), help="All but the newest so many.")
@click.option("--run", help="This run.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def command(older_than: float | None, keep: int | None, run: str | None, *, yes: bool, as_json: bool) -> None:
    """Delete runs, with all their data and alerts, from the store for good.

    Works on the database itself (AUDITOR_DB, by default the embedded one), not through a daemon.
    """
    if older_than is None and keep is None and run is None:
        raise click.UsageError("say which runs: --older-than, --keep or --run")
    try:
        from auditor.settings import load_settings
        from auditor.store import Store, StoreError
    except ImportError as error:
        raise Problem(f"{error.name} is not installed", "pip install 'training-auditor[server]'") from error
    settings = load_settings()
    if not yes:
        click.confirm(f"Delete runs from {settings.db_url} for good?", abort=True, err=True)
    before = None if older_than is None else time.time() - older_than
    try:
        store = Store.open(settings.db_url)
        try:
            count = store.purge(older_than=before, keep=keep, run=run)
        finally:
            store.close()
    except StoreError as error:
        raise Problem(str(error)) from error
    if as_json:
        echo_json({"deleted": count})
    else:
        click.echo(f"{count} runs deleted.")
