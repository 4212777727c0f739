"""The demo's live display: a table on a terminal, plain lines anywhere else."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from auditor.cli.client import Client, run_path
from auditor.cli.plots import sparkline
from auditor.cli.render import number, table, value_of, word
from auditor.demo.stage import PROJECT, Act

_POLL_SECONDS = 0.4
_LINE_SECONDS = 3.0
_CURVE = 22
_COLUMNS = (
    ("program", "left"), ("step", "right"), ("loss", "right"), ("", "left"), ("verdict", "left"), ("alert", "left"),
)  # fmt: skip


def watch(client: Client, playing: Sequence[Act], out: Console, *, patience: float) -> bool:
    """Shows the programs until the last has ended; False if none took a step for ``patience`` seconds.

    However long they take: on a busy machine that is minutes, and nothing is wrong.
    """
    moved, before = time.monotonic(), None
    lines = _Lines(out)
    with ExitStack() as stack:
        live = stack.enter_context(Live(console=out, transient=True, auto_refresh=False)) if out.is_terminal else None
        while not all(act.ended for act in playing):
            rows = [_row(client, act) for act in playing]
            if (now := [(row.get("steps"), row.get("verdict"), row["ended"]) for row in rows]) != before:
                moved, before = time.monotonic(), now
            elif time.monotonic() > moved + patience:
                return False
            if live is not None:
                live.update(_table(rows), refresh=True)
            else:
                lines.say(rows)
            time.sleep(_POLL_SECONDS)
    return True


def _row(client: Client, act: Act) -> dict[str, Any]:
    """What is known of one program now; only its title before its first frame."""
    listed = {row["run"]: row for row in client.get("/v1/runs", project=PROJECT, limit=1000)["runs"]}
    row = {"title": act.program.title, "ended": act.ended, **listed.get(act.run, {})}
    if "run" not in row:
        return row
    scalars = client.get(run_path(act.run, "scalars"), names="loss", points=10 * _CURVE)["scalars"]
    curve = scalars.get("loss", {"value": []})["value"]
    firing = client.get("/v1/alerts", run=act.run, state="firing")["alerts"]
    first = min(firing, key=lambda alert: alert["first_step"], default=None)
    return row | {"curve": [value_of(value) for value in curve], "alert": first}


def _table(rows: Sequence[Mapping[str, Any]]) -> Table:
    return table(_COLUMNS, [_cells(row) for row in rows])


def _cells(row: Mapping[str, Any]) -> list[Any]:
    if "run" not in row:
        return [row["title"], "-", "-", Text("starting", style="dim"), "", ""]
    curve = row["curve"]
    return [
        row["title"], number(row["steps"]), number(curve[-1]) if curve else "-", sparkline(curve, _CURVE),
        word(row["verdict"]), _alert(row["alert"]),
    ]  # fmt: skip


def _alert(alert: Mapping[str, Any] | None) -> str:
    return f"{alert['rule']} at step {alert['first_step']}" if alert else ""


class _Lines:
    """Plain lines: a program's state now and then if it changed, and at once when its verdict did."""

    def __init__(self, out: Console) -> None:
        self._out, self._said = out, 0.0
        self._verdicts: dict[str, str] = {}
        self._lines: dict[str, str] = {}

    def say(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Prints what is new."""
        due = time.monotonic() - self._said > _LINE_SECONDS
        for row in rows:
            if "run" not in row:
                continue
            changed, line = self._verdicts.get(row["run"]) != row["verdict"], _line(row)
            self._verdicts[row["run"]] = row["verdict"]
            if (due or changed) and self._lines.get(row["run"]) != line:
                self._lines[row["run"]] = line
                self._out.print(line, soft_wrap=True)
        if due:
            self._said = time.monotonic()


def _line(row: Mapping[str, Any]) -> str:
    loss = number(row["curve"][-1]) if row["curve"] else "-"
    alert = _alert(row["alert"])
    line = f"{row['title']:<17} step {number(row['steps']):>4}  loss {loss:<8} {row['verdict']}"
    return f"{line}: {alert}" if alert else line
