"""``auditor baseline``: what good runs looked like, to hold others against."""

from __future__ import annotations

from collections.abc import Sequence

import click

from auditor.cli.client import connect
from auditor.cli.options import echo_json, json_option
from auditor.cli.problems import Problem
from auditor.cli.render import ago, console, facts, number, table

_COLUMNS = (("name", "left"), ("project", "left"), ("runs", "right"), ("made", "right"))
_SERIES = (("series", "left"), ("first", "right"), ("last", "right"))
_SHOWN = 12


@click.group("baseline", short_help="Baselines: what good runs looked like, to hold others against.")
def command() -> None:
    """Baselines: what good runs looked like, to hold others against.

    A run of the same project and model is held against the newest baseline by itself; `auditor run
    --baseline NAME` and AUDITOR_BASELINE choose one.
    """


@command.command("create", short_help="Make a baseline of three runs or more; one of that name is replaced.")
@click.argument("name")
@click.argument("runs", nargs=-1, required=True)
@json_option
def create(name: str, runs: Sequence[str], *, as_json: bool) -> None:
    """Make a baseline of three runs or more; one of that name is replaced."""
    with connect() as client:
        made = client.post("/v1/baselines", {"name": name, "runs": list(runs)})
    if as_json:
        echo_json(made)
    else:
        click.echo(f"{name}: {len(made['runs'])} runs of project {made['project']}")


@command.command("list", short_help="List the baselines.")
@json_option
def listing(*, as_json: bool) -> None:
    """List the baselines."""
    with connect() as client:
        answer = client.get("/v1/baselines")
    if as_json:
        echo_json(answer)
        return
    rows = [[one["name"], one["project"], len(one["runs"]), ago(one["created_at"])] for one in answer["baselines"]]
    console().print(table(_COLUMNS, rows)) if rows else click.echo("No baselines.")


@command.command("show", short_help="Show a baseline: its runs, its series, how far good runs go.")
@click.argument("name")
@json_option
def show(name: str, *, as_json: bool) -> None:
    """Show a baseline: its runs, its series, how far good runs go."""
    import numpy as np

    from auditor.detect.envelope import Envelope
    from auditor.detect.rules.baselines import DeviationParameters

    with connect() as client:
        found = client.get("/v1/baselines", name=name)["baselines"]
    if not found:
        raise Problem(f"no baseline {name}", "auditor baseline list shows them.")
    envelope = Envelope.from_json(name, found[0]["envelope"])
    alpha = DeviationParameters().alpha
    told = found[0] | {"bound": envelope.bound(alpha), "alpha": alpha, "peaks": envelope.peaks().tolist()}
    if as_json:
        echo_json(told)
        return
    mean, _ = envelope.centre()
    out = console()
    peaks = ", ".join(number(peak) for peak in told["peaks"])
    out.print(
        facts([
            ("name", name), ("project", told["project"]), ("runs", ", ".join(told["runs"])), ("axis", envelope.axis),
            ("good runs go", f"{peaks} standard deviations from each other at most"),
            ("alarm beyond", f"{number(told['bound'])} ({alpha:.0%} of good runs in their whole life)"),
        ])
    )  # fmt: skip
    rows = []
    for i, series in enumerate(envelope.names[:_SHOWN]):
        known = np.exp(mean[np.isfinite(mean[:, i]), i])
        rows.append([series, *(number(float(known[k])) if len(known) else "-" for k in (0, -1))])
    out.print()
    out.print(table(_SERIES, rows))
    if len(envelope.names) > _SHOWN:
        click.echo(f"and {len(envelope.names) - _SHOWN} series more")
