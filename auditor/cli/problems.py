"""What goes wrong for a user of the command line: one line, a hint, exit code 2."""

from __future__ import annotations

import click

#: Exit codes: with ``--check``, the audit found something; usage or environment error.
FOUND, ENVIRONMENT = 1, 2


class Problem(click.ClickException):
    """An error that the user can do something about.

    Args:
        message: what was wrong, one line.
        hint: what to do about it, one line.
    """

    exit_code = ENVIRONMENT

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(f"{message}\nHint: {hint}" if hint else message)
