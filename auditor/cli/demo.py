"""``auditor demo``: see it happen."""

from __future__ import annotations

import importlib.util
import sys

import click

from auditor.cli.problems import FOUND, Problem
from auditor.home import home

_NEEDED = ("torch", "keras", "tensorflow", "sklearn", "ray")


@click.command("demo", short_help="Train three real models, one of which goes NaN, and watch it happen.")
def command() -> None:
    """Train three real models, one of which goes NaN, and watch it happen.

    Starts a daemon unless one runs, and trains a healthy PyTorch model, one that goes NaN, and the
    same model in Keras on handwritten digits. Takes a minute; leaves its runs in project "demo".
    Exits with 1 if what it shows is not as it should be.
    """
    lacking = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if lacking:
        extras = "pip install 'training-auditor[server,torch,tensorflow,sklearn]'"
        raise Problem(f"the demo trains real models and needs {', '.join(lacking)}", extras)
    from auditor.demo.play import play

    if play(home() / "demo"):
        sys.exit(FOUND)
