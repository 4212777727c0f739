"""The group of verbs. Knows their names and one-line helps; imports a verb's module when it is called."""

from __future__ import annotations

import importlib

import click

import auditor_agent

#: verb -> (module, one line). The line is repeated here so that ``auditor --help`` imports no verb;
#: a test holds it equal to the verb's own.
VERBS: dict[str, tuple[str, str]] = {
    "run": ("run", "Run any training script under audit; no line of it changes."),
    "serve": ("serve", "Start the daemon: local Ray and SQLite unless told otherwise."),
    "runs": ("runs", "List runs, newest first."),
    "show": ("show", "Show one run: verdict, alerts, loss, what was lost."),
    "tail": ("tail", "Follow a run's numbers and alerts as they come."),
    "alerts": ("alerts", "List alerts over all runs."),
    "hosts": ("hosts", "Hosts whose runs go bad more often than those of the others."),
    "baseline": ("baseline", "Baselines: what good runs looked like, to hold others against."),
    "rules": ("rules", "The rules: what is looked for, with which thresholds."),
    "compare": ("compare", "Compare runs: why do they differ? Verdict, causes, outcome."),
    "causes": ("causes", "Why frameworks differ: known causes by symptom, with the fix."),
    "parity": ("parity", "Run two implementations in lockstep: the first part that differs."),
    "export": ("export", "Write a run's statistics to a Parquet file."),
    "sync": ("sync", "Deliver what lies in the spool to the daemon."),
    "purge": ("purge", "Delete runs from the store for good."),
    "doctor": ("doctor", "Look for what keeps the auditor from working here."),
    "grafana": ("grafana", "Dashboards, data source and annotations in Grafana."),
    "demo": ("demo", "Train three real models, one of which goes NaN, and watch it happen."),
}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        """Every verb, in the order in which a newcomer meets them."""
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # click's
        """The verb's command, imported now; None for an unknown verb."""
        return load(cmd_name) if cmd_name in VERBS else None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # click's
        """The verbs with their lines, from the table: nothing is imported for a help page."""
        with formatter.section("Verbs"):
            formatter.write_dl([(verb, line) for verb, (_, line) in VERBS.items()])


def load(verb: str) -> click.Command:
    """The command of one verb."""
    module = importlib.import_module(f"auditor.cli.{VERBS[verb][0]}")
    command: click.Command = module.command
    return command


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(auditor_agent.__version__, prog_name="auditor")
def auditor() -> None:
    """Training Auditor: tells within a second, and by the tensor's name, that a training run has gone wrong.

    Reads AUDITOR_URL, AUDITOR_TOKEN, AUDITOR_DB, AUDITOR_HOME and a few more from the environment.
    """
