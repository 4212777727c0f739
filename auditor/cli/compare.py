"""``auditor compare``: two runs side by side."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.text import Text

from auditor.cli.client import connect
from auditor.cli.options import check_option, echo_json, json_option
from auditor.cli.plots import MARK_A, MARK_B, Points, chart
from auditor.cli.problems import FOUND, Problem
from auditor.cli.render import clean, console, facts, number, table, value_of, word
from auditor.report.words import said, where_they_part

TITLES = {"loss": "loss", "grad_norm": "global gradient norm"}
_ROWS_AT_MOST = 30


@click.command("compare", short_help="Compare two runs: trajectories, configuration, verdict.")
@click.argument("a")
@click.argument("b")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the comparison as one HTML file.")
@check_option
@json_option
def command(a: str, b: str, html: Path | None, *, check: bool, as_json: bool) -> None:
    """Compare runs A and B: why do they differ?

    What each run computed is read off its first recorded steps: initial weights, loss, penalty, update
    rule, order of the data. Differences that change its steps are causes, the largest first; those that
    do not are harmless. From the curves of one run per side alone only little follows.
    With --check, exit with 1 if the verdict is mismatch.
    """
    with connect() as client:
        found = client.get("/v1/compare", a=a, b=b)
        sides = (client.run(a), client.run(b)) if html else None
    if html and sides:
        write_page(html, found, *sides)
    if as_json:
        echo_json(found)
    else:
        print_comparison(console(), found)
        if html:
            click.echo(f"\nWritten: {html}")
    if check and found["verdict"] == "mismatch":
        sys.exit(FOUND)


def write_page(path: Path, found: Mapping[str, Any], a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    """Writes the comparison as a self-contained HTML page.

    Raises:
        Problem: if the file cannot be written, or matplotlib is missing.
    """
    try:
        from auditor.report.html import comparison_page
    except ImportError as error:
        raise Problem(f"{error.name} is not installed", "pip install 'training-auditor[server]'") from error
    try:
        path.write_text(comparison_page(found, a, b), encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}") from error


def print_comparison(out: Console, found: Mapping[str, Any]) -> None:
    """Prints a comparison: verdict, curves, differences."""
    out.print(facts([(f"{mark} {side}", _who(found[side])) for side, mark in (("a", MARK_A), ("b", MARK_B))]))
    out.print()
    out.print(facts([
        ("verdict", word(found["verdict"])), ("configuration", found["configuration"] or "unknown"),
        ("outcome", word(found["outcome"])), ("divergence", _divergence(found)), ("because", _because(found)),
    ]))  # fmt: skip
    _print_causes(out, found)
    for name, drawn in found["trajectories"].items():
        out.print()
        out.print(Text.assemble((TITLES.get(name, clean(name)), "bold"), f"  {MARK_A} a  {MARK_B} b  x not finite"))
        out.print(chart(_points(drawn["a"]), _points(drawn["b"]), width=min(out.width - 1, 100)))
        out.print(Text(where_they_part(drawn), style="dim"))
    _print_metrics(out, found["metrics"])
    _print_differences(out, found)


def _print_causes(out: Console, found: Mapping[str, Any]) -> None:
    """Why the two differ, the largest cause first; what differs without effect, in one line each."""
    for place, cause in enumerate(found["causes"], 1):
        out.print()
        head = f"{place}. {cause['id']}  {cause['stage']}  {clean(cause['title'])}"
        out.print(Text(head, style="bold"))
        out.print(facts([
            (clean(cause["parameter"]), f"a {clean(said(cause['a']))}   b {clean(said(cause['b']))}"),
            ("effect", f"{clean(cause['effect'])} ({cause['how']}, confidence {cause['confidence']:g})"),
            ("fix", clean(cause["fix"])),
        ]))  # fmt: skip
    for entry in found["harmless"]:
        out.print(Text(f"harmless: {entry['id']} {clean(entry['why'])}", style="dim"))


def _who(side: Mapping[str, Any]) -> str:
    return f"{clean(side['run'])}  ({clean(side['framework'])}, {side['status']}, to step {side['last_step']})"


def _divergence(found: Mapping[str, Any]) -> str | None:
    at = found.get("first_divergence")
    return f"step {at['step']}, stage {at['stage']}" if at else None


def _because(found: Mapping[str, Any]) -> str:
    return "\n".join(clean(reason) for reason in found.get("reasons", ()))


def _points(columns: Mapping[str, Any]) -> Points:
    return columns["step"], [value_of(value) for value in columns["value"]]


def _print_metrics(out: Console, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    if not metrics:
        return
    rows = [[name, number(item["a"]), number(item["b"]), number(item["ratio"])] for name, item in metrics.items()]
    out.print()
    out.print(table((("last finite value", "left"), ("a", "right"), ("b", "right"), ("b / a", "right")), rows))


def _print_differences(out: Console, found: Mapping[str, Any]) -> None:
    rows = [
        [item["parameter"], said(item["a"]), said(item["b"]), "" if item["configuration"] else "surroundings"]
        for item in found["differences"]
    ]
    out.print()
    if rows:
        columns = (("declared differently", "left"), ("a", "left"), ("b", "left"), ("", "left"))
        out.print(table(columns, rows[:_ROWS_AT_MOST]))
    else:
        out.print("Nothing is declared differently." if found["configuration"] else "No manifests to compare.")
    if len(rows) > _ROWS_AT_MOST:
        out.print(f"... and {len(rows) - _ROWS_AT_MOST} more (--json, --html)")
    if found["not_compared"]:
        out.print(Text(f"not compared across frameworks: {', '.join(found['not_compared'])}", style="dim"))
