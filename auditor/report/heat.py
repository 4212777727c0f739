"""A map of steps and orders of magnitude as inline SVG, drawn by matplotlib."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.patches import PathPatch
from matplotlib.path import Path

from auditor.report.plots import INK, figure, svg
from auditor_agent.histogram import BINS, FIRST_EXPONENT

_HEIGHT_OF_ROW, _MARGIN, _WIDTH = 0.11, 0.75, 7.6
#: Shades: from what one element in so many thousand gives to what all in one bin would.
_DECADES, _SHADES = 4.0, 8


def heat(steps: Sequence[int], counts: Sequence[Sequence[int]], ident: str) -> str:
    """The histograms of one tensor over its steps.

    Args:
        steps: step numbers, ascending.
        counts: 64 counters for each.
        ident: prefix of every id within, unique on the page.
    """
    matrix = np.asarray(counts, np.float64).reshape(len(steps), BINS).T
    filled = np.flatnonzero(matrix.any(axis=1))
    low, high = (int(filled[0]), int(filled[-1])) if len(filled) else (0, 0)
    low, high = max(0, low - 1), min(BINS - 1, high + 1)
    drawing, axes = figure((_WIDTH, _MARGIN + _HEIGHT_OF_ROW * (high - low + 1)), "log\u2082 |gradient|")
    axes.grid(visible=False)
    at = np.asarray(steps, np.float64)
    left, right = _edges(at)
    shades = _shades(matrix)
    for shade in range(1, _SHADES + 1):
        columns, bottoms, tops = _runs(shades == shade)
        if not len(columns):
            continue
        boxes = _boxes(left[columns], right[columns], bottoms + FIRST_EXPONENT, tops + FIRST_EXPONENT)
        strength = 0.08 + 0.92 * (shade / _SHADES) ** 1.5
        axes.add_patch(PathPatch(boxes, facecolor=INK, alpha=strength, linewidth=0))
    axes.set_xlim(float(left[0]), float(right[-1]))
    axes.set_ylim(low + FIRST_EXPONENT, high + 1 + FIRST_EXPONENT)
    return svg(drawing, "Elements of the gradient by magnitude and step", ident)


def _edges(steps: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Where the column of each step begins and ends: half-way to its neighbours."""
    if len(steps) == 1:
        return steps - 0.5, steps + 0.5
    middles = (steps[1:] + steps[:-1]) / 2
    first, last = 2 * steps[0] - middles[0], 2 * steps[-1] - middles[-1]
    return np.concatenate([[first], middles]), np.concatenate([middles, [last]])


def _runs(cells: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.int64], ...]:
    """Column, first row and the row after the last of each stretch of cells that lie above each other."""
    padded = np.pad(cells, ((1, 1), (0, 0))).astype(np.int8).T
    change = np.diff(padded, axis=1)
    columns, bottoms = np.nonzero(change == 1)
    _, tops = np.nonzero(change == -1)
    return columns, bottoms, tops


def _boxes(
    left: npt.NDArray[np.float64],
    right: npt.NDArray[np.float64],
    bottom: npt.NDArray[np.int64],
    top: npt.NDArray[np.int64],
) -> Path:
    """Rectangles as one path: one element of the picture."""
    corners = np.stack([left, bottom, right, bottom, right, top, left, top, left, bottom], axis=1)
    codes = np.tile([Path.MOVETO, Path.LINETO, Path.LINETO, Path.LINETO, Path.CLOSEPOLY], len(left))
    return Path(corners.reshape(-1, 2), codes)


def _shades(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Shade of each cell, 0 (none) to ``_SHADES``, from its part of the column, by order of magnitude."""
    share = matrix / np.maximum(matrix.sum(axis=0), 1.0)
    with np.errstate(divide="ignore"):
        depth = 1 + np.log10(share) / _DECADES  # 1: all of them; 0: one in 10**_DECADES
    shades = np.ceil(np.clip(depth, 0.0, 1.0) * _SHADES).astype(np.int64)
    return np.where(matrix > 0, np.maximum(shades, 1), 0)
