"""``auditor show``: one run."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from auditor.cli.client import Client, connect, run_path
from auditor.cli.histograms import fetch, heat_maps, print_histogram, write_page
from auditor.cli.options import check_option, echo_json, json_option
from auditor.cli.plots import sparkline
from auditor.cli.problems import FOUND
from auditor.cli.render import ago, alert_block, clean, console, facts, number, value_of, word
from auditor.report.words import because
from auditor_agent.statistics import KINDS

_CURVE_POINTS = 240
_CURVE_WIDTH = 48


@click.command("show", short_help="Show one run: verdict, alerts, loss, what was lost.")
@click.argument("run")
@click.option("--histogram", metavar="NAME", help="Show the magnitudes of one tensor by step instead.")
@click.option("--kind", type=click.Choice(KINDS), default="gradient", show_default=True, help="Kind of that tensor.")
@click.option("--step", type=click.IntRange(0), help="Only this step of the histogram.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the run as one HTML file.")
@check_option
@json_option
def command(
    run: str, *, histogram: str | None, kind: str, step: int | None, html: Path | None, check: bool, as_json: bool
) -> None:
    """Show one run: verdict, alerts, loss, what was lost.

    With --check, exit with 1 if the verdict is not healthy.
    """
    with connect() as client:
        shown = client.run(run)
        if html:
            write_page(html, shown, heat_maps(client, run))
        if histogram is not None:
            found = fetch(client, run, histogram, kind=kind, step=step)
            if as_json:
                echo_json(found)
            else:
                print_histogram(console(), found)
        elif as_json:
            echo_json(shown)
        else:
            print_run(console(), shown, _curves(client, run))
            print_unjudged(console(), shown)
    if html and not as_json:
        click.echo(f"\nWritten: {html}")
    if check and shown["verdict"] != "healthy":
        sys.exit(FOUND)


def _curves(client: Client, run: str) -> dict[str, list[float]]:
    answer = client.get(run_path(run, "scalars"), names="loss,grad_norm", points=_CURVE_POINTS)
    return {name: [value_of(value) for value in series["value"]] for name, series in answer["scalars"].items()}


def print_run(out: Console, shown: Mapping[str, Any], curves: Mapping[str, list[float]] | None = None) -> None:
    """Prints the ``show`` JSON of a run, its curves as sparklines beside it."""
    status = Text.assemble(word(shown["status"]), f", {number(shown.get('steps'))} steps")
    pairs: list[tuple[str, Any]] = [
        ("run", shown["run"]), ("name", shown.get("name")), ("project", shown.get("project")),
        ("framework", shown.get("framework")), ("verdict", word(shown["verdict"])), ("status", status),
        ("because", because(shown)), ("host", shown.get("host")), ("last seen", _seen(shown)),
    ]  # fmt: skip
    for name, values in (curves or {}).items():
        pairs.append((name, _curve(values)))
    out.print(facts([*pairs, ("lost", lost(shown))]))
    for alert in shown.get("alerts", ()):
        out.print()
        out.print(alert_block(alert))


def print_unjudged(out: Console, shown: Mapping[str, Any]) -> None:
    """Prints the rules that could not judge the run, and why: what was not looked at is not called sound."""
    unjudged = shown.get("unjudged") or {}
    if unjudged:
        out.print()
        out.print(Text("not judged", "dim"))
        out.print(facts([(f"  {clean(rule)}", Text(clean(why), "dim")) for rule, why in sorted(unjudged.items())]))


def _seen(shown: Mapping[str, Any]) -> str | None:
    return f"{ago(shown['updated_at'])} ago" if shown.get("updated_at") else None


def _curve(values: list[float]) -> Text:
    text = sparkline(values, _CURVE_WIDTH)
    if values:
        text.append(f"  {number(values[0])} to {number(values[-1])}")
    return text


def lost(shown: Mapping[str, Any]) -> str | None:
    """What was lost on the way, in words, or None."""
    counts = shown.get("lost") or {}
    if not counts.get("dropped"):
        return None
    reasons = ", ".join(f"{count} {clean(reason)}" for reason, count in (counts.get("reasons") or {}).items())
    return f"{counts['dropped']} steps ({reasons})" if reasons else f"{counts['dropped']} steps"
