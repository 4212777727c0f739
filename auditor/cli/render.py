"""Text for people: tables and blocks that hold at 80 columns, colours only on a terminal.

Names come from training scripts and may hold anything: :func:`clean` makes them harmless before
they reach a terminal, and no string is ever read as rich markup.
"""

from __future__ import annotations

import math
import os
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from auditor_agent import jsonfinite

#: Columns of the output where there is no terminal to ask.
WIDTH = 80
STYLES = {
    "healthy": "green", "suspect": "yellow", "diverged": "bold red", "unknown": "dim",
    "critical": "bold red", "warning": "yellow", "info": "cyan",
    "running": "cyan", "finished": "green", "failed": "red", "stopped": "yellow",
    "firing": "bold red", "pending": "yellow", "resolved": "dim",
    "equivalent": "green", "mismatch": "bold red", "inconclusive": "yellow",
}  # fmt: skip


def console(*, stderr: bool = False) -> Console:
    """A console on stdout or stderr: as wide as the terminal, else 80 columns and without colours."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or os.environ.get("COLUMNS") else WIDTH
    return Console(stderr=stderr, width=width, highlight=False, markup=False, emoji=False)


def clean(value: Any) -> str:
    """``value`` as text without control, escape, or direction-changing characters."""
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in str(value))


def lines(values: Iterable[Any]) -> Text:
    """One text a line, each without control characters."""
    return Text("\n".join(map(clean, values)))


def word(value: Any, style: str | None = None) -> Text:
    """A word in the colour of its meaning (verdicts, severities, states)."""
    text = clean(value)
    return Text(text, style=style if style is not None else STYLES.get(text, ""))


def number(value: Any) -> str:
    """A number in at most ten characters; a dash for none."""
    if value is None:
        return "-"
    try:
        number = jsonfinite.number(value)
    except ValueError:
        return clean(value)
    if number.is_integer() and abs(number) < 1e7:
        return f"{int(number)}"
    return f"{number:.4g}"


def ago(moment: Any, now: float | None = None) -> str:
    """How long ago a Unix time was: ``12 s``, ``3 min``, ``2 h``, ``5 d``."""
    if moment is None:
        return "-"
    seconds = max(0.0, (time.time() if now is None else now) - float(moment))
    for limit, unit, name in ((120, 1, "s"), (7200, 60, "min"), (172800, 3600, "h")):
        if seconds < limit:
            return f"{int(seconds // unit)} {name}"
    return f"{int(seconds // 86400)} d"


def table(columns: Sequence[tuple[str, str]], rows: Sequence[Sequence[Any]]) -> Table:
    """A table; each column a (heading, ``left`` or ``right``), each cell text or a rich ``Text``."""
    grid = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for heading, justify in columns:
        right = justify == "right"
        grid.add_column(heading, justify="right" if right else "left", no_wrap=right, overflow="fold")
    for row in rows:
        grid.add_row(*[cell if isinstance(cell, Text) else Text(clean(cell)) for cell in row])
    return grid


def facts(pairs: Sequence[tuple[str, Any]]) -> Table:
    """A block of names and values, one pair a line; pairs without a value are left out."""
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", no_wrap=True)
    grid.add_column(overflow="fold")
    for name, value in pairs:
        if value is not None and value != "":
            grid.add_row(name, value if isinstance(value, Text) else Text(clean(value)))
    return grid


def subject(alert: Mapping[str, Any]) -> str:
    """What an alert is about, in words: ``gradient fc1.weight (rank 0)`` and how many more."""
    about = alert.get("subject") or {}
    kind, name, rank = about.get("kind", ""), about.get("name", ""), about.get("rank", 0)
    words = [str(kind)] if kind == name else [str(kind), str(name)]
    if rank:
        words.append(f"(rank {rank})")
    members = len(alert.get("members") or ())
    if members:
        words.append(f"and {members} more")
    return clean(" ".join(filter(None, words)))


def steps(alert: Mapping[str, Any]) -> str:
    """The steps of an alert: ``step 37`` or ``steps 37 to 40``."""
    first, last = alert.get("first_step"), alert.get("last_step")
    return f"step {first}" if first == last or last is None else f"steps {first} to {last}"


def alert_block(alert: Mapping[str, Any]) -> RenderableType:
    """One alert for reading: what, where, why, what to do."""
    head = Text.assemble(
        word(str(alert.get("severity", "")).upper(), STYLES.get(str(alert.get("severity")), "")), "  ",
        (clean(alert.get("rule", "")), "bold"), "  ", f"{subject(alert)}, {steps(alert)}", "  ",
        word(alert.get("state", "")),
    )  # fmt: skip
    if alert.get("root"):
        # One story, one block of causes and advice: the root's.
        follows = Text.assemble("follows from ", (clean(alert["root"].get("rule", "")), "bold"), ": ")
        follows.append(clean(alert.get("summary") or ""))
        return Padding(Group(head, Padding(follows, (0, 0, 0, 2))), (0, 0, 0, 4))
    lines: list[RenderableType] = [head]
    body: list[Text] = [Text(clean(alert.get("summary") or ""))]
    body += [Text(f"likely: {clean(cause)}", style="dim") for cause in alert.get("likely_causes") or ()]
    if alert.get("advice"):
        body.append(Text(f"do: {clean(alert['advice'])}"))
    lines += [Padding(text, (0, 0, 0, 2)) for text in body if text.plain]
    return Group(*lines)


def value_of(value: Any) -> float:
    """A JSON number as a float; NaN for none or for what is no number."""
    try:
        return jsonfinite.number(value)
    except ValueError:
        return math.nan
