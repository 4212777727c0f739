"""Histograms of magnitudes in a terminal: one step as bars, several as a map of steps and orders of magnitude.

Text only, no colour needed. A bin's label is its lower edge as a power of two.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from auditor.cli.client import Client, run_path
from auditor.cli.problems import Problem
from auditor.cli.render import clean
from auditor_agent.histogram import BINS, FIRST_EXPONENT

#: From an occupied bin to the fullest of the map, by order of magnitude.
_SHADES = "░▒▓█"
_BAR = "█"
_COLUMNS, _BAR_WIDTH, _LABEL = 60, 40, 7
#: Steps of a map on a page, and maps.
_PAGE_STEPS, _PAGE_MAPS = 160, 24


def fetch(client: Client, run: str, name: str, *, kind: str, step: int | None) -> dict[str, Any]:
    """The answer of ``/v1/runs/{run}/histogram``: of one step, or of as many as the map has columns."""
    return client.get(run_path(run, "histogram"), kind=kind, name=name, step=step, points=_COLUMNS)


def heat_maps(client: Client, run: str) -> list[dict[str, Any]]:
    """The histograms of every gradient that has any, in the order of the model; at most so many as a page shows."""
    found: list[dict[str, Any]] = []
    for tensor in client.get(run_path(run, "tensors"))["tensors"]:
        if tensor["kind"] != "gradient":
            continue
        answer = client.get(run_path(run, "histogram"), name=tensor["name"], points=_PAGE_STEPS)
        if not answer["step"]:
            break  # of one all are made or none
        found.append(answer)
        if len(found) == _PAGE_MAPS:
            break
    return found


def write_page(path: Path, shown: Mapping[str, Any], maps: Sequence[Mapping[str, Any]]) -> None:
    """Writes a run as a self-contained HTML page.

    Raises:
        Problem: if the file cannot be written, or matplotlib is missing.
    """
    try:
        from auditor.report.run_page import run_page
    except ImportError as error:
        raise Problem(f"{error.name} is not installed", "pip install 'training-auditor[server]'") from error
    try:
        path.write_text(run_page(shown, maps), encoding="utf-8")
    except OSError as error:
        raise Problem(f"cannot write {path}: {error.strerror}") from error


def print_histogram(out: Console, found: Mapping[str, Any]) -> None:
    """Prints the map where there are several steps, and the last step as bars."""
    steps, counts = found["step"], found["counts"]
    title = f"{clean(found['kind'])} {clean(found['name'])}"
    if not steps:
        out.print(f"{title}: no histograms. AUDITOR_HISTOGRAMS=1 turns them on.")
        return
    out.print(Text(title, style="bold"))
    if len(steps) > 1:
        out.print(heat_map(steps, counts, occupied(counts)))
        out.print()
    out.print(bars(steps[-1], counts[-1], occupied(counts[-1:])))
    if lost := found["lost"]["dropped"]:
        out.print(Text(f"histograms of {lost} steps were lost on the way", style="dim"))


def occupied(counts: Sequence[Sequence[int]]) -> range:
    """The bins from the first to the last that any step fills; the top comes first when drawn."""
    filled = [bin_ for bin_ in range(len(counts[0])) if any(row[bin_] for row in counts)]
    return range(filled[0], filled[-1] + 1) if filled else range(1)


def label(bin_: int) -> str:
    """A bin by its lower edge; the first and the last also hold what is beyond."""
    if bin_ == 0:
        return f"<2^{FIRST_EXPONENT + 1}"
    return f"{'≥' if bin_ == BINS - 1 else ''}2^{bin_ + FIRST_EXPONENT}"


def heat_map(steps: Sequence[int], counts: Sequence[Sequence[int]], bins: range) -> Text:
    """A column for each step, a row for each bin, the largest magnitude on top; shades by order of magnitude."""
    most = math.log1p(max((row[bin_] for row in counts for bin_ in bins), default=0)) or 1.0
    text = Text()
    for bin_ in reversed(bins):
        text.append(f"{label(bin_):>{_LABEL}} ", style="dim")
        text.append("│", style="dim")
        text.append("".join(_shade(row[bin_], most) for row in counts) + "\n")
    first, last = str(steps[0]), str(steps[-1])
    text.append(" " * (_LABEL + 1) + "└" + "─" * len(steps) + "\n", style="dim")
    room = max(1, len(steps) - len(first) - len(last))
    text.append(" " * (_LABEL + 2) + first + f"{'step' if room > 5 else '':^{room}}" + last, style="dim")
    return text


def _shade(count: int, most: float) -> str:
    if not count:
        return " "
    return _SHADES[min(len(_SHADES) - 1, int(math.log1p(count) / most * len(_SHADES)))]


def bars(step: int, row: Sequence[int], bins: range) -> Text:
    """One step: a bar for each bin, the largest magnitude on top."""
    most = max((row[bin_] for bin_ in bins), default=0) or 1
    text = Text(f"step {step}: elements by magnitude\n", style="dim")
    for bin_ in reversed(bins):
        text.append(f"{label(bin_):>{_LABEL}} ", style="dim")
        width = math.ceil(row[bin_] / most * _BAR_WIDTH)
        text.append(f"│{_BAR * width}" + (f" {row[bin_]}" if row[bin_] else "") + "\n")
    text.right_crop(1)
    return text
