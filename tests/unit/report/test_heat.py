from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from auditor.report.heat import heat


def row(**bins: int) -> list[int]:
    """64 counters; ``b3=5``: five elements in bin 3."""
    return [bins.get(f"b{bin_}", 0) for bin_ in range(64)]


@pytest.mark.parametrize("steps", [[7], [1, 2, 3], [1, 5, 1000]])
def test_a_map_is_a_well_formed_picture_of_its_own(steps: list[int]) -> None:
    """One step or many, evenly spaced or not; its ids are its own."""
    drawn = heat(steps, [row(b0=3, b30=step, b63=1) for step in steps], "h1")
    root = ET.fromstring(drawn)
    assert root.tag.endswith("svg")
    assert set(re.findall(r'id="([^-"]+)', drawn)) == {"h1"}


def test_empty_histograms_make_an_empty_map() -> None:
    """Of a tensor that was NaN throughout."""
    assert ET.fromstring(heat([1, 2], [row(), row()], "h2")).tag.endswith("svg")


def test_what_holds_more_of_a_steps_elements_is_darker() -> None:
    """By order of magnitude, whatever the tensor's size; a single element among many is still seen."""
    drawn = heat([1], [row(b20=1, b30=1000, b40=1_000_000)], "h3")
    strengths = [float(found) for found in re.findall(r"opacity: ([0-9.]+)", drawn) if float(found)]
    assert len(strengths) == 2  # what is opaque, the fullest bin, does not say so
    assert strengths == sorted(set(strengths))
