"""Curves in a terminal: a sparkline for a row, a small chart for two runs. Text only, no colour needed.

Non-finite values are part of the story: they are drawn as ``x``, never dropped.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from rich.text import Text

from auditor.cli.render import number

_BARS = "▁▂▃▄▅▆▇█"
_BROKEN = "x"
#: Marks of the first run, the second, and both in one cell.
MARK_A, MARK_B, MARK_BOTH = "●", "○", "◉"


def sparkline(values: Sequence[float], width: int = 20) -> Text:
    """A curve in one line: its last value per cell, by order of magnitude when it spans more than one."""
    if not values:
        return Text("")
    cells = [values[(i + 1) * len(values) // width - 1] for i in range(width)] if len(values) > width else list(values)
    places = _places(cells)
    text = Text()
    for place in places:
        if place is None:
            text.append(_BROKEN, style="bold red")
        else:
            text.append(_BARS[min(len(_BARS) - 1, int(place * len(_BARS)))])
    return text


def _places(values: Sequence[float]) -> list[float | None]:
    """Where each value stands between the smallest (0) and the largest (1); None for non-finite ones."""
    finite = [value for value in values if math.isfinite(value)]
    if not finite:
        return [None] * len(values)
    axis = _Axis(min(finite), max(finite), log=min(finite) > 0 and max(finite) / min(finite) > 10)
    return [axis.place(value) if math.isfinite(value) else None for value in values]


class _Axis:
    """Maps values to [0, 1] and back; a range of one value is widened. Large values do not overflow."""

    def __init__(self, low: float, high: float, *, log: bool) -> None:
        self._log = log
        self._scale = 1.0 if log else max(abs(low), abs(high)) or 1.0
        self._low, self._high = self._inner(low), self._inner(high)
        if self._high - self._low < 1e-12:
            self._low, self._high = self._low - 0.5, self._high + 0.5

    def _inner(self, value: float) -> float:
        return math.log10(value) if self._log else value / self._scale

    def place(self, value: float) -> float:
        """0 at the smallest value, 1 at the largest."""
        return (self._inner(value) - self._low) / (self._high - self._low)

    def value(self, place: float) -> float:
        """The value at a place."""
        inner = self._low + place * (self._high - self._low)
        return float(10**inner) if self._log else inner * self._scale


Points = tuple[Sequence[float], Sequence[float]]
"""Steps and values of one curve, equally long."""


def chart(a: Points, b: Points, *, width: int = 78, height: int = 12) -> Text:
    """Two curves over their steps on one logarithmic axis (linear where a value is not positive).

    Args:
        a: steps and values of the first run, drawn with a full dot.
        b: those of the second, drawn with a ring.
        width: columns of the whole chart, its axis included.
        height: rows of the plot itself; one more holds the steps.
    """
    finite = [value for _, values in (a, b) for value in values if math.isfinite(value)]
    every = [step for steps, _ in (a, b) for step in steps]
    if not finite or not every:
        return Text("no finite value to draw", style="dim")
    axis = _Axis(min(finite), max(finite), log=min(finite) > 0)
    labels = {row: number(_bounded(axis, 1 - row / (height - 1))) for row in (0, height // 2, height - 1)}
    canvas = _Canvas(width, height, (min(every), max(every)), axis, labels)
    canvas.draw(a, MARK_A)
    canvas.draw(b, MARK_B)
    return canvas.text()


def _bounded(axis: _Axis, place: float) -> float:
    """A label's value; that of a widened axis may lie beyond what a float can hold."""
    try:
        return axis.value(place)
    except OverflowError:
        return math.inf


class _Canvas:
    """Cells of a chart; row 0 is the top. A curve's non-finite steps are marked in the top row."""

    def __init__(
        self, width: int, height: int, steps: tuple[float, float], axis: _Axis, labels: Mapping[int, str]
    ) -> None:
        self._height, self._steps, self._axis, self._labels = height, steps, axis, labels
        self._margin = max(map(len, labels.values())) + 2
        self._width = width - self._margin
        self._cells = [[" "] * self._width for _ in range(height)]

    def draw(self, points: Points, mark: str) -> None:
        for step, value in zip(*points, strict=True):
            column = self._column(step)
            if not math.isfinite(value):
                self._cells[0][column] = _BROKEN
                continue
            row = round((1 - self._axis.place(value)) * (self._height - 1))
            there = self._cells[row][column]
            if there != _BROKEN:
                self._cells[row][column] = mark if there in {" ", mark} else MARK_BOTH

    def _column(self, step: float) -> int:
        first, last = self._steps
        return round((step - first) / max(last - first, 1) * (self._width - 1))

    def text(self) -> Text:
        text = Text()
        for row, cells in enumerate(self._cells):
            label = self._labels.get(row)
            text.append(f"{label or '':>{self._margin - 2}} ", style="dim")
            text.append("│" if label is None else "┤", style="dim")
            for cell in cells:
                text.append(cell, style=_STYLES.get(cell, ""))
            text.append("\n")
        first, last = (number(step) for step in self._steps)
        text.append(" " * (self._margin - 1) + "└" + "─" * self._width + "\n", style="dim")
        room = max(0, self._width - len(first) - len(last))
        text.append(" " * self._margin + first + f"{'step':^{room}}" + last, style="dim")
        return text


_STYLES = {_BROKEN: "bold red", MARK_A: "cyan", MARK_B: "yellow"}
