"""``auditor tail``: a run as it happens."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from auditor.cli.client import Client, connect, run_path
from auditor.cli.options import json_option
from auditor.cli.render import alert_block, clean, console, number, word
from auditor_agent import jsonfinite

#: Seconds between two questions.
INTERVAL = 0.5
_NAMES = "loss,lr,grad_norm"


@click.command("tail", short_help="Follow a run's numbers and alerts as they come.")
@click.argument("run")
@click.option("--names", default=_NAMES, show_default=True, help="Scalars to follow, separated by commas.")
@click.option("-n", "--last", type=click.IntRange(0), default=10, show_default=True, help="Steps to begin with.")
@click.option("--no-follow", is_flag=True, help="Print what is there and end.")
@json_option
def command(run: str, names: str, last: int, *, no_follow: bool, as_json: bool) -> None:
    """Follow a run's numbers and alerts as they come, until it ends.

    With --json: one object per line, a step {"step", name: value, ...} or an alert {"alert": {...}};
    the last line is {"end": {"status", "verdict"}}.
    """
    with connect() as client:
        for item in follow(client, run, names, last, once=no_follow):
            if as_json:
                click.echo(jsonfinite.dumps(item))
            else:
                _print(item)


def follow(client: Client, run: str, names: str, last: int, *, once: bool = False) -> Iterator[dict[str, Any]]:
    """What happens in a run: ``{"step", ...scalars}``, ``{"alert": ...}``, and ``{"end": ...}`` at its end."""
    after: int | None = None
    states: dict[str, str] = {}
    while True:
        shown = client.run(run)  # asked first: what was written before it said "ended" is read below
        rows = _rows(client.get(run_path(run, "scalars"), names=names, after=after))
        yield from rows if after is not None else rows[max(0, len(rows) - last) :]
        after = rows[-1]["step"] if rows else after
        for alert in client.get("/v1/alerts", run=run)["alerts"]:
            if states.get(alert["id"]) != alert["state"]:
                states[alert["id"]] = alert["state"]
                yield {"alert": alert}
        if once or shown["status"] != "running":
            yield {"end": {"status": shown["status"], "verdict": shown["verdict"]}}
            return
        time.sleep(INTERVAL)


def _rows(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    rows: dict[int, dict[str, Any]] = {}
    for name, series in answer["scalars"].items():
        for step, value in zip(series["step"], series["value"], strict=True):
            rows.setdefault(step, {"step": step})[name] = value
    return [rows[step] for step in sorted(rows)]


def _print(item: Mapping[str, Any]) -> None:
    out = console()
    if "alert" in item:
        out.print(alert_block(item["alert"]))
    elif "end" in item:
        out.print(word(item["end"]["status"]), word(item["end"]["verdict"]))
    else:
        pairs = [f"{clean(name)} {number(value):<10}" for name, value in item.items() if name != "step"]
        out.print(f"step {item['step']:<8}", *pairs)
