"""A run as one HTML page: its verdict and alerts, and how the magnitudes of its gradients move."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from auditor.report.heat import heat
from auditor.report.html import page, side, text


def run_page(shown: Mapping[str, Any], maps: Sequence[Mapping[str, Any]]) -> str:
    """The page of one run.

    Args:
        shown: the ``show`` JSON of the run.
        maps: JSON of ``/v1/runs/{run}/histogram``, one for each tensor to draw.
    """
    title = str(shown.get("name") or shown["run"])
    head = f'<header>\n<p class="muted small">A training run</p>\n<h1 class="name">{text(title)}</h1>\n</header>'
    return page(title, "\n".join((head, side(shown, "a"), _maps(maps), _FOOT)))


def _maps(maps: Sequence[Mapping[str, Any]]) -> str:
    if not maps:
        return (
            '<h2>Magnitudes of the gradients</h2><p class="muted">No histograms: '
            "<code>AUDITOR_HISTOGRAMS=1</code> turns them on.</p>"
        )
    figures = "".join(
        f'<figure><h3 class="name">{text(found["name"])}</h3>{heat(found["step"], found["counts"], f"h{index}")}'
        f"{_lost(found)}</figure>\n"
        for index, found in enumerate(maps)
    )
    return f"<h2>Magnitudes of the gradients</h2>\n{_LEGEND}\n{figures}"


def _lost(found: Mapping[str, Any]) -> str:
    lost = found["lost"]["dropped"]
    return f"<figcaption>The histograms of {lost} steps were lost on the way.</figcaption>" if lost else ""


_LEGEND = (
    '<p class="muted small">A column is a step, a row an octave: the elements whose magnitude lies between a power '
    "of two and the next. The darker, the larger their part of that step's elements, by order of magnitude. The "
    "lowest row holds zeros and all below 2<sup>-39</sup>, the highest infinities and all from 2<sup>23</sup> on. "
    "A drift downwards is a gradient that vanishes, one upwards a gradient that explodes.</p>"
)
_FOOT = (
    '<footer><p class="muted small">Written by <code>auditor show --html</code>; '
    "this page loads nothing from anywhere.</p></footer>"
)
