"""``auditor export``: a run in an open format."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.client import connect, run_path
from auditor.cli.options import echo_json, json_option


@click.command("export", short_help="Write a run's statistics to a Parquet file.")
@click.argument("run")
@click.option(
    "--parquet", "path", type=click.Path(dir_okay=False, path_type=Path), required=True, help="The file to write."
)
@json_option
def command(run: str, path: Path, *, as_json: bool) -> None:
    """Write a run's statistics, every tensor at every step, to a Parquet file."""
    with connect(only_reads=True) as client:
        size = client.download(run_path(run, "export.parquet"), path)
    if as_json:
        echo_json({"run": run, "file": str(path), "bytes": size})
    else:
        click.echo(f"{path}: {size:,} bytes")
