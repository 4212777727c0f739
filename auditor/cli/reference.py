"""docs/cli.md: every verb's help page, written from the commands. ``--check`` fails when it is not current."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from auditor.cli.group import VERBS, auditor, load

PAGE = Path(__file__).resolve().parents[2] / "docs" / "cli.md"
_WIDTH = 100
_HEAD = """# The command line

Written by `python -m auditor.cli.reference` from the commands themselves; do not edit.

Exit codes: 0 fine; 1 the audit found something (only with `--check`); 2 usage or environment error.
`auditor run` exits with the script's own code. Every reading verb takes `--json`; non-finite numbers
are the strings `"NaN"`, `"Infinity"`, `"-Infinity"`.

Where the answers come from: the daemon at `AUDITOR_URL`, else a live daemon of this `AUDITOR_HOME`,
else the same application within the command's own process, over the embedded database.
"""


def page() -> str:
    """The whole page."""
    parts = [_HEAD, _block("auditor", auditor)]
    parts += [_block(f"auditor {verb}", load(verb)) for verb in VERBS]
    return "\n".join(parts)


def _block(name: str, command: click.Command) -> str:
    text = _help(name, command)
    if isinstance(command, click.Group) and command is not auditor:
        text += "".join(f"\n\n{_help(f'{name} {sub}', item)}" for sub, item in sorted(command.commands.items()))
    return f"## `{name}`\n\n```text\n{text}\n```\n"


def _help(name: str, command: click.Command) -> str:
    names = ["-h", "--help"]  # as the group sets them for every verb
    context = click.Context(
        command, info_name=name, terminal_width=_WIDTH, max_content_width=_WIDTH, help_option_names=names
    )
    return command.get_help(context).rstrip()


def main(arguments: list[str]) -> int:
    """Writes the page, or with ``--check`` says whether it is current; the exit code."""
    text = page()
    if "--check" not in arguments:
        PAGE.write_text(text, encoding="utf-8")
        return 0
    if PAGE.is_file() and PAGE.read_text(encoding="utf-8") == text:
        return 0
    sys.stderr.write(f"{PAGE.name} is not what the commands say\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
