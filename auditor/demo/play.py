"""The demo from its first line to its last, and whether what it showed is true."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from auditor.cli.client import Client, remote
from auditor.cli.compare import print_comparison, write_page
from auditor.cli.render import alert_block, console, number, table, word
from auditor.demo.screen import watch
from auditor.demo.stage import BROKEN, CAST, HEALTHY, KERAS, Act, Program, acts, daemon

#: Seconds without a step of any program after which the demo gives up.
_PATIENCE = 120.0
#: The layers below the square root of zero: where the NaN begins.
_CULPRITS = ("fc1.", "fc2.")


def play(folder: Path) -> list[str]:
    """Plays the demo; what turned out not to be as it should, one line each: none if all is well.

    Args:
        folder: where logs, results and the comparison page go.
    """
    out = console()
    began = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    out.print(Text("Training Auditor:", style="bold"), "three real programs learn handwritten digits, side by side.")
    out.print(Text("Starting the daemon ...", style="dim"))
    with daemon(folder) as (url, ours), remote(url) as client:
        out.print(Text(f"{url}{' (local Ray, SQLite)' if ours else ', which runs already'}", style="dim"))
        out.print()
        with acts(url, folder) as playing:
            ended = watch(client, playing, out, patience=_PATIENCE)
        results = {act.program: act.result() for act in playing}
        problems = [] if ended else [f"no step of any program for {_PATIENCE:.0f} s"]
        problems += [line for act in playing for line in faults(act.program, results[act.program])]
        _tell(out, playing, results)
        if not problems:
            _compare(out, client, playing, folder)
    _next(out, playing, url, ours=ours)
    out.print(Text(f"{time.monotonic() - began:.0f} s", style="dim"))
    _complain(problems, playing)
    return problems


def faults(program: Program, result: Mapping[str, Any]) -> list[str]:
    """How a program's result differs from what the demo claims of it."""
    if not result:
        return [f"{program.title}: no result"]
    if result.get("undelivered"):  # a verdict on a part of a run says nothing about the rest
        return [f"{program.title}: {result['undelivered']} frames did not reach the daemon in time: try again"]
    found = []
    if result["verdict"] != program.verdict:
        found.append(f"{program.title}: verdict {result['verdict']}, {program.verdict} expected")
    if program is not BROKEN:
        found += [f"{program.title}: false alarm {alert['rule']}" for alert in result["alerts"]]
    elif (first := root(result)) is None:
        found.append(f"{program.title}: no nonfinite_gradient alert")
    elif not first["subject"]["name"].startswith(_CULPRITS):
        found.append(f"{program.title}: the alert names {first['subject']['name']}")
    return found


def root(result: Mapping[str, Any]) -> dict[str, Any] | None:
    """The alert for the gradient that was the first not to be finite, or None."""
    alerts = [alert for alert in result["alerts"] if alert["rule"] == "nonfinite_gradient"]
    return min(alerts, key=lambda alert: alert["first_step"], default=None)


def _tell(out: Console, playing: Sequence[Act], results: Mapping[Program, Mapping[str, Any]]) -> None:
    columns = (
        ("program", "left"),
        ("run", "left"),
        ("steps", "right"),
        ("last finite loss", "right"),
        ("verdict", "left"),
    )
    rows = []
    for act in playing:
        result = results[act.program]
        cells = [number(result.get("steps")), number(result.get("loss")), word(result.get("verdict", "unknown"))]
        rows.append([act.program.title, act.run, *cells])
    out.print()
    out.print(table(columns, rows))
    if results[BROKEN] and (alert := root(results[BROKEN])):
        out.print()
        out.print(alert_block(alert))


def _compare(out: Console, client: Client, playing: Sequence[Act], folder: Path) -> None:
    run = {act.program: act.run for act in playing}
    found = client.get("/v1/compare", a=run[HEALTHY], b=run[KERAS])
    out.print()
    out.rule("the same model in PyTorch and in Keras", style="dim")
    print_comparison(out, found)
    page = folder / "comparison.html"
    write_page(page, found, client.run(run[HEALTHY]), client.run(run[KERAS]))
    out.print()
    out.print(f"As a page with plots: {page}")


def _next(out: Console, playing: Sequence[Act], url: str, *, ours: bool) -> None:
    run, me = {act.program: act.run for act in playing}, _typed()
    rows = [
        [f"{me} run -- python train.py", "your own script, no line changed"],
        [f"{me} show {run[BROKEN]}", "the run that broke, all its alerts"],
        [f"{me} alerts --json", "for scripts"],
        [f"{me} compare {run[HEALTHY]} {run[BROKEN]}", "where the two part"],
    ]
    if ours:
        rows.append([f"{me} serve", "a daemon that stays; /metrics is for Prometheus"])
    else:
        rows.append([f"curl {url}/metrics", "what Prometheus sees"])
    out.print()
    out.print(table((("Where to look next", "left"), ("", "left")), rows))


def _typed() -> str:
    """How the reader calls this program: by its name if that is on the PATH, else as it was called."""
    called = Path(sys.argv[0])
    if shutil.which("auditor") or called.name != "auditor":
        return "auditor"
    return os.path.relpath(called)


def _complain(problems: Sequence[str], playing: Sequence[Act]) -> None:
    err = console(stderr=True)
    for line in problems:
        err.print(Text(f"not as it should be: {line}", style="bold red"))
    if problems:
        err.print("logs:", *(str(act.log) for act in playing))


__all__ = ["CAST", "faults", "play", "root"]
