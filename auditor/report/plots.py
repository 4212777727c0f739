"""Curves of two runs as inline SVG, drawn by matplotlib.

The SVG takes its colours from the page (CSS variables), so that it is legible in light and in dark;
its text is text. Nothing in it refers outside itself, and no name from a run enters it: runs are
"A" and "B", their names stand in the page.
"""

from __future__ import annotations

import io
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from auditor_agent import jsonfinite

#: Stand-ins that matplotlib understands -> what the page knows.
_COLOURS = {
    "#010203": "var(--ink)",
    "#010204": "var(--muted)",
    "#010205": "var(--line)",
    "#010206": "var(--a)",
    "#010207": "var(--b)",
    "#010208": "var(--bad)",
}
INK, _MUTED, _LINE, _A, _B, _BAD = _COLOURS
_SIZE = (7.6, 3.0)
_RATIO_SIZE = (7.6, 1.8)
#: Values that span more than this factor are drawn on a logarithmic axis.
_WIDE = 3.0
_MARGIN = 0.01


def trajectory(drawn: Mapping[str, Any], title: str, ident: str) -> str:
    """Both runs' curves of one quantity over their steps: every value faint, the running median strong.

    Args:
        drawn: one entry of a comparison's ``trajectories``.
        title: what the picture shows, for those who do not see it; also the label of its axis.
        ident: prefix of every id within, unique on the page.
    """
    drawing, axes = figure(_SIZE, title)
    curves = [(_columns(drawn["a"]), _A, "A", "-"), (_columns(drawn["b"]), _B, "B", (0, (5, 1.6)))]
    finite = [values[np.isfinite(values)] for (_, values), *_ in curves]
    positive = all((part > 0).all() for part in finite) and any(len(part) for part in finite)
    axes.set_yscale("log" if positive and _span(np.concatenate(finite)) > _WIDE else "linear")
    for (steps, values), colour, label, dashes in curves:
        shown = np.where(np.isfinite(values), values, np.nan)
        axes.plot(steps, shown, color=colour, linewidth=0.7, alpha=0.35)
        calm_steps, calm = _columns(drawn["smooth"][label.lower()])
        axes.plot(calm_steps, calm, color=colour, linestyle=dashes, linewidth=1.8, label=label)
    for side, colour in (("a", _A), ("b", _B)):
        for steps, values in map(_columns, drawn.get("others", {}).get(side, ())):
            axes.plot(steps, np.where(np.isfinite(values), values, np.nan), color=colour, linewidth=0.7, alpha=0.35)
    for (steps, values), colour, label, _ in curves:
        _broken(axes, steps, values, colour, label)
    if (parts := drawn["parts_at"]) is not None:
        axes.axvline(parts, color=_MUTED, linewidth=0.8, linestyle=":")
    return svg(drawing, f"{title} of A and B by step", ident)


def ratio(drawn: Mapping[str, Any], title: str, ident: str) -> str:
    """The ratio b / a of one quantity over the common steps; a gap where either is not finite."""
    drawing, axes = figure(_RATIO_SIZE, "B / A")
    steps, values = _columns(drawn["ratio"])
    usable = values[np.isfinite(values) & (values > 0)]
    axes.set_yscale("log" if len(usable) and _span(usable) > _WIDE else "linear")
    every = [step for side in ("a", "b") for step in drawn[side]["step"]]
    axes.set_xlim(*_with_margin(min(every), max(every)))
    axes.axhline(1.0, color=_MUTED, linewidth=0.8)
    axes.plot(steps, np.where(np.isfinite(values), values, np.nan), color=INK, linewidth=1.1)
    return svg(drawing, f"{title}: ratio of B to A by step", ident)


def _span(values: Any) -> float:
    return float(values.max() / values.min())


def _with_margin(first: float, last: float) -> tuple[float, float]:
    room = max(last - first, 1) * _MARGIN
    return first - room, last + room


def _columns(columns: Mapping[str, Any]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    values: Sequence[float] = [math.nan if value is None else jsonfinite.number(value) for value in columns["value"]]
    return np.asarray(columns["step"], dtype=np.float64), np.asarray(values, dtype=np.float64)


def figure(size: tuple[float, float], label: str) -> tuple[Figure, Axes]:
    """An empty drawing in the page's colours, its axes over steps; ``size`` in inches, ``label`` of the other axis."""
    drawing = Figure(figsize=size, layout="constrained")
    axes = drawing.subplots()
    drawing.patch.set_alpha(0)
    axes.patch.set_alpha(0)
    axes.set_xlabel("step", color=_MUTED)
    axes.set_ylabel(label, color=_MUTED)
    axes.tick_params(which="both", colors=_MUTED, labelsize=9)
    axes.grid(visible=True, color=_LINE, linewidth=0.7)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set_color(_LINE)
    axes.margins(x=_MARGIN)
    return drawing, axes


def _broken(axes: Axes, steps: Any, values: Any, colour: str, label: str) -> None:
    """Marks where a curve is not finite, above the axes: a cross at its first such step, a tick at each."""
    bad = ~np.isfinite(values)
    if not bad.any():
        return
    top = axes.get_xaxis_transform()
    row = 1.05 if label == "A" else 1.12
    axes.plot(steps[bad], np.full(bad.sum(), row), "|", color=colour, markersize=5, transform=top, clip_on=False)
    first = steps[bad][0]
    axes.plot([first], [row], "X", color=_BAD, markersize=9, transform=top, clip_on=False)
    low, high = axes.get_xlim()
    beside = first > low + 0.35 * (high - low)  # else the label would leave the picture: above its mark
    axes.annotate(
        f"{label} not finite from step {int(first)}", (first, row), xycoords=top, color=_BAD, fontsize=9,
        xytext=(-9, -3) if beside else (-4, 8), textcoords="offset points", ha="right" if beside else "left",
    )  # fmt: skip


def svg(drawing: Figure, title: str, ident: str) -> str:
    """The figure as an ``svg`` element: own ids, the page's colours, a title, no metadata."""
    out = io.StringIO()
    settings: dict[Any, Any] = {"svg.fonttype": "none", "svg.hashsalt": ident, "font.family": "sans-serif"}
    with mpl.rc_context(settings):
        drawing.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    text = out.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{ident}-\1"', text)
    text = re.sub(r'(url\(|href=")#', rf"\1#{ident}-", text)
    for stand_in, colour in _COLOURS.items():
        text = text.replace(stand_in, colour)
    head = f'role="img" aria-labelledby="{ident}-title" class="plot"'
    text = re.sub(
        r'<svg [^>]*?(viewBox="[^"]+")[^>]*>', rf'<svg \1 {head} xmlns="{_SVG}" xmlns:xlink="{_XLINK}">', text
    )
    return text.replace(">", f'><title id="{ident}-title">{title}</title>', 1)


_SVG, _XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
