"""The command line itself: quick, complete, documented, and clear when something is missing."""

from __future__ import annotations

import subprocess
import sys
import time

import click
import pytest

from auditor import cli
from auditor.cli import reference
from auditor.cli.group import VERBS, load
from tests.unit.cli.conftest import Call

#: The verbs of issue 1 and their options: whoever changes one knows that scripts rely on it.
SURFACE = {
    "run": {"--name", "--project", "--baseline", "--json", "--stop-on"},
    "serve": {"--host", "--port", "--db", "--home", "--address"},
    "runs": {"--project", "--status", "--since", "--limit", "--check", "--json"},
    "show": {"--histogram", "--kind", "--step", "--html", "--check", "--json"},
    "tail": {"--names", "-n", "--last", "--no-follow", "--json"},
    "alerts": {"--since", "--run", "--state", "--rule", "--limit", "-v", "--verbose", "--check", "--json"},
    "hosts": {"--since", "--project", "--check", "--json"},
    "baseline": set(),
    "rules": set(),
    "causes": set(),
    "compare": {"--html", "--check", "--json", "--group", "--baseline"},
    "export": {"--parquet", "--json"},
    "sync": {"--json"},
    "purge": {"--older-than", "--keep", "--run", "--yes", "--json"},
    "parity": {"--python-a", "--python-b", "--steps", "--fix", "--check", "--json"},
    "doctor": {"--check", "--json"},
    "grafana": set(),
    "demo": set(),
}


def options(command: click.Command) -> set[str]:
    """The names of a command's options."""
    return {name for item in command.params if isinstance(item, click.Option) for name in item.opts}


@pytest.mark.parametrize("verb", VERBS)
def test_the_surface_is_frozen(verb: str) -> None:
    """Each verb's options, and the line in ``auditor --help`` is its own."""
    command = load(verb)
    assert options(command) == SURFACE[verb]
    assert command.short_help == VERBS[verb][1]
    assert command.name == verb


def test_every_option_says_what_it_does() -> None:
    """No option without help."""
    silent = [
        (verb, item.name)
        for verb in VERBS
        for item in load(verb).params
        if isinstance(item, click.Option) and not item.help
    ]
    assert silent == []


def test_the_documentation_is_what_the_commands_say() -> None:
    """docs/cli.md is generated; ``make docs`` writes it."""
    assert reference.main(["--check"]) == 0


def test_help_loads_no_verb_and_is_quick(repo_env: dict[str, str]) -> None:
    """Neither SQLAlchemy nor httpx nor Ray for a help page."""
    code = (
        "import sys; from auditor.cli.group import auditor; auditor(['--help'], standalone_mode=False); "
        "heavy = {'ray', 'sqlalchemy', 'httpx', 'rich', 'numpy', 'torch', 'matplotlib'} & set(sys.modules); "
        "assert not heavy, heavy"
    )
    began = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code], env=repo_env, capture_output=True, text=True, check=True, timeout=60
    )
    assert time.monotonic() - began < 5.0
    assert "Train three real models" in done.stdout


def test_an_unknown_verb_is_a_usage_error(call: Call) -> None:
    """Exit code 2."""
    assert "frobnicate" in call("frobnicate", code=2).stderr


def test_without_the_server_extra_one_line_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """No traceback; exit code 2."""
    monkeypatch.setattr(cli, "REQUIRED", ("click", "no_such_package"))
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "no_such_package" in said
    assert "training-auditor[server]" in said
