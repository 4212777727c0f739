"""``auditor compare``: two runs side by side."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Mapping, Sequence
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
from auditor.report.words import SPELLING, part_of, said, said_of_test, where_they_part

TITLES = {"loss": "loss", "grad_norm": "global gradient norm"}
_ROWS_AT_MOST = 30
_GROUP = "Runs of one program with different seeds, as one side; the first group is the reference."


@click.command("compare", short_help="Compare runs: why do they differ? Verdict, causes, outcome.")
@click.argument("runs", nargs=-1)
@click.option("--group", "groups", multiple=True, metavar="NAME=RUN,RUN...", help=_GROUP)
@click.option("--baseline", metavar="NAME", help="Compare the runs given, as one group, with the runs of a baseline.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write the comparison as one HTML file.")
@check_option
@json_option
def command(
    runs: tuple[str, ...],
    groups: tuple[str, ...],
    baseline: str | None,
    html: Path | None,
    *,
    check: bool,
    as_json: bool,
) -> None:
    """Compare the first of RUNS with each of the others: why do they differ?

    What each run computed is read off its first recorded steps: initial weights, loss, penalty, update
    rule, order of the data. Differences that change its steps are causes, the largest first; those that
    do not are harmless.

    Whether the outcomes differ is a question of seeds. Name several runs a side:

        auditor compare --group torch=T1,T2,T3 keras=K1,K2,K3

    From one run per side it can be answered only with the help of earlier runs of the same project. With
    --check, exit with 1 if a verdict is mismatch.
    """
    asked = _asked(runs, groups, baseline)
    with connect(only_reads=True) as client:
        every = [client.get("/v1/compare", **query) for query in asked]
        pages = [(found, *(client.run(found[side]["run"]) for side in "ab")) for found in every] if html else []
    if html:
        write_pages(html, pages)
    if as_json:
        echo_json(every[0] | {"comparisons": every[1:]} if len(every) > 1 else every[0])
    else:
        out = console()
        for place, found in enumerate(every):
            if place:
                out.rule(style="dim")
            print_comparison(out, found)
        if html:
            click.echo(f"\nWritten: {html}")
    if check and any(found["verdict"] == "mismatch" for found in every):
        sys.exit(FOUND)


def _asked(runs: Sequence[str], groups: Sequence[str], baseline: str | None) -> list[dict[str, str]]:
    """What to ask for each comparison: the parameters of ``/v1/compare``.

    Raises:
        click.UsageError: if there are no two sides.
    """
    if baseline is not None:
        if groups or not runs:
            raise click.UsageError(
                "--baseline NAME is compared with the runs given: auditor compare RUN... --baseline NAME"
            )
        return [{"baseline": baseline, "b": ",".join(runs)}]
    sides = [_members(group) for group in (*groups, *runs)] if groups else list(runs)
    if len(sides) < 2:
        raise click.UsageError("two sides are compared: auditor compare A B, or --group a=A1,A2 b=B1,B2")
    return [{"a": sides[0], "b": side} for side in sides[1:]]


def _members(group: str) -> str:
    name, _, members = group.partition("=")
    if not name or not members.strip(","):
        raise click.UsageError(f"--group {group}: expected NAME=RUN,RUN...")
    return members


def write_page(path: Path, found: Mapping[str, Any], a: Mapping[str, Any], b: Mapping[str, Any]) -> None:
    """Writes one comparison as a self-contained HTML page; see :func:`write_pages`."""
    write_pages(path, [(found, a, b)])


def write_pages(path: Path, comparisons: Sequence[Sequence[Mapping[str, Any]]]) -> None:
    """Writes comparisons, each with the ``show`` JSON of its two first runs, as a self-contained HTML page.

    Raises:
        Problem: if the file cannot be written, or matplotlib is missing.
    """
    try:
        from auditor.report.html import comparisons_page
    except ImportError as error:
        raise Problem(f"{error.name} is not installed", "pip install 'training-auditor[server]'") from error
    try:
        path.write_text(comparisons_page(comparisons), encoding="utf-8")
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
            ("follows", "; ".join(clean(one["says"]) for one in cause["consequences"]) or None),
            (f"fix in {cause.get('fix_in', 'b')}", clean(cause["fix"])),
            ("more", f"auditor causes show {clean(cause['id'])}"),
        ]))  # fmt: skip
    if found["harmless"]:
        out.print()
    for entry in found["harmless"]:
        out.print(Text(f"harmless: {entry['id']} {clean(entry['why'])}", style="dim"))


def _who(side: Mapping[str, Any]) -> str:
    more = len(side["runs"]) - 1
    beside = f" and {more} more run{'s' if more > 1 else ''}" if more else ""
    return f"{clean(side['run'])}  ({clean(side['framework'])}, {side['status']}, to step {side['last_step']}){beside}"


def _divergence(found: Mapping[str, Any]) -> str | None:
    at = found.get("first_divergence")
    return f"step {at['step']}, stage {at['stage']}" if at else None


def _because(found: Mapping[str, Any]) -> str:
    return "; ".join(clean(reason) for reason in found.get("reasons", ()))


def _points(columns: Mapping[str, Any]) -> Points:
    return columns["step"], [value_of(value) for value in columns["value"]]


def _print_metrics(out: Console, metrics: Mapping[str, Mapping[str, Any]]) -> None:
    if not metrics:
        return
    tested = any(item["p_value"] is not None for item in metrics.values())
    head = [("last finite value", "left"), ("a", "right"), ("b", "right"), ("b / a", "right")]
    rows = [[name, *(number(item[key]) for key in ("a", "b", "ratio"))] for name, item in metrics.items()]
    if tested:
        head += [("p", "right"), ("within", "right")]
        rows = [[*row, *said_of_test(item)] for row, item in zip(rows, metrics.values(), strict=True)]
    out.print()
    out.print(table(head, rows))


def _print_differences(out: Console, found: Mapping[str, Any]) -> None:
    spelled = [item for item in found["differences"] if item.get("kind") == SPELLING]
    rows = [
        [item["parameter"], said(item["a"]), said(item["b"]), "" if item["configuration"] else part_of(item)]
        for item in found["differences"]
        if item not in spelled
    ]
    out.print()
    if rows:
        columns = (("declared differently", "left"), ("a", "left"), ("b", "left"), ("", "left"))
        out.print(table(columns, rows[:_ROWS_AT_MOST]))
    else:
        out.print("Nothing is declared differently." if found["configuration"] else "No manifests to compare.")
    if len(rows) > _ROWS_AT_MOST:
        out.print(f"... and {len(rows) - _ROWS_AT_MOST} more (--json, --html)")
    if spelled:
        parts = Counter(item["parameter"].partition(".")[0] for item in spelled)
        listed = ", ".join(f"{name} ({many})" for name, many in parts.items())
        out.print(Text(f"written otherwise, measured alike: {listed} (--json, --html)", style="dim"))
    if found["not_compared"]:
        out.print(Text(f"not compared across frameworks: {', '.join(found['not_compared'])}", style="dim"))
