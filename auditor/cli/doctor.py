"""``auditor doctor``: what keeps the auditor from working here."""

from __future__ import annotations

import sys

import click
from rich.text import Text

from auditor.cli.checks import CHECKS, Finding, Level
from auditor.cli.options import echo_json, json_option
from auditor.cli.problems import FOUND
from auditor.cli.render import clean, console, table

_STYLES = {Level.OK: "green", Level.NOTE: "cyan", Level.WARNING: "yellow", Level.PROBLEM: "bold red"}


@click.command("doctor", short_help="Look for what keeps the auditor from working here.")
@click.option("--check", is_flag=True, help="Exit with 1 if there is a problem.")
@json_option
def command(*, check: bool, as_json: bool) -> None:
    """Look for what keeps the auditor from working here.

    Changes nothing. With --check, exit with 1 if there is a problem.
    """
    findings = [finding for look in CHECKS for finding in look()]
    bad = any(finding.level is Level.PROBLEM for finding in findings)
    if as_json:
        echo_json({"ok": not bad, "checks": [finding.as_json() for finding in findings]})
    else:
        columns = (("", "left"), ("what", "left"), ("found", "left"))
        console().print(table(columns, [_row(finding) for finding in findings]))
    if check and bad:
        sys.exit(FOUND)


def _row(finding: Finding) -> list[Text]:
    found = Text(clean(finding.found))
    if finding.hint:
        found.append(f"\n{clean(finding.hint)}", style="dim")
    return [Text(finding.level, style=_STYLES[finding.level]), Text(finding.check), found]
