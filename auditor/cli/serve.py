"""``auditor serve``: the daemon."""

from __future__ import annotations

from pathlib import Path

import click

from auditor.cli.problems import Problem


@click.command("serve", short_help="Start the daemon: local Ray and SQLite unless told otherwise.")
@click.option("--host", help="Address to listen on; anything but loopback needs AUDITOR_TOKEN.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(1, 65535), help="TCP port.  [default: 9470]")
@click.option("--db", help="SQLAlchemy URL of the store.  [default: SQLite in AUDITOR_HOME]")
@click.option(
    "--home", type=click.Path(file_okay=False, path_type=Path), help="Folder of the daemon.  [default: ~/.auditor]"
)
@click.option("--address", help="Ray cluster to run in; without it, a local Ray is started.")
def command(host: str | None, port: int | None, db: str | None, home: Path | None, address: str | None) -> None:
    """Start the daemon: local Ray and SQLite unless told otherwise. Runs until SIGTERM or Ctrl-C.

    Every option but --address is also an environment variable, AUDITOR_ and its name; so is what has
    no option (auditor/settings.py).
    """
    try:
        from auditor.hosting.serve import serve
        from auditor.settings import SettingsError, load_settings
    except ImportError as error:
        raise Problem(f"{error.name} is not installed", "pip install 'training-auditor[server]'") from error
    try:
        settings = load_settings(host=host, port=port, db=db, home=home)
        code = serve(settings, address=address, announce=_announce)
    except (SettingsError, RuntimeError) as error:
        raise Problem(str(error)) from error
    raise SystemExit(code)


def _announce(url: str) -> None:
    click.echo(f"auditor: serving at {url}")
