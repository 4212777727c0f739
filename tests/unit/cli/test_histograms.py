"""``auditor show`` with histograms: bars and a map in text, maps on the HTML page, JSON as the API has it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from auditor.cli.embedded import embedded
from auditor.cli.histograms import bars, heat_map, label, occupied
from support.frames import Sender
from support.histograms import histograms_frame
from tests.unit.cli.conftest import HOSTILE, Call, healthy, send


@pytest.fixture
def counted(auditor_home: Path) -> Path:
    """A run whose gradients have histograms that drift upwards, one of them under a hostile name."""
    table = (("gradient", HOSTILE, [4, 3], "float32"), ("gradient", "fc1.bias", [4], "float32"))
    sender = Sender("drifts", table=(*table, ("weight", "w", [1], "float32")))
    with embedded() as client:
        send(client, healthy(sender, HOSTILE))
        steps = {step: [{20 + step: 12}, {0: 3, 30 + step: 1}] for step in range(1, 21)}
        send(client, histograms_frame(sender, steps))
    return auditor_home


def test_one_tensor_is_shown_as_a_map_and_its_last_step_as_bars(counted: Path, call: Call) -> None:
    """Within 80 columns; the largest magnitude on top."""
    lines = call("show", "drifts", "--histogram", "fc1.bias").stdout.splitlines()
    assert lines[0].strip() == "gradient fc1.bias"
    assert lines[1].split("│") == ["   2^10 ", " " * 19 + "▓"]
    assert any(line.startswith(" <2^-39 │█") and line.endswith("█ 3") for line in lines)
    assert max(map(len, lines)) <= 80


def test_one_step_is_shown_alone(counted: Path, call: Call) -> None:
    """No map; in JSON the API's answer."""
    output = call("show", "drifts", "--histogram", "fc1.bias", "--step", "7").stdout
    assert "step 7" in output
    assert "└" not in output
    found = json.loads(call("show", "drifts", "--histogram", "fc1.bias", "--step", "7", "--json").stdout)
    assert found["step"] == [7]
    assert found["counts"][0][37] == 1


def test_a_tensor_without_histograms_says_how_to_get_them(counted: Path, call: Call) -> None:
    """Instead of an empty picture."""
    assert "AUDITOR_HISTOGRAMS=1" in call("show", "drifts", "--histogram", "w", "--kind", "weight").stdout


def test_the_page_draws_every_gradient(counted: Path, call: Call, tmp_path: Path) -> None:
    """Self-contained; whatever a name holds is text."""
    path = tmp_path / "run.html"
    assert str(path) in call("show", "drifts", "--html", str(path)).stdout.replace("\n", "")
    page = path.read_text()
    assert page.count("<svg") == 2
    assert "fc1.bias" in page
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "src=" not in page


def test_the_page_of_a_run_without_histograms_says_so(runs: Path, call: Call, tmp_path: Path) -> None:
    """Its verdict and alerts are there all the same."""
    path = tmp_path / "run.html"
    call("show", "broken", "--html", str(path))
    page = path.read_text()
    assert "AUDITOR_HISTOGRAMS=1" in page
    assert "nonfinite_gradient" in page
    call("show", "broken", "--html", str(tmp_path / "none" / "run.html"), code=2)


def test_bins_are_labelled_by_their_lower_edge() -> None:
    """The ends say that they hold what is beyond."""
    assert [label(bin_) for bin_ in (0, 1, 40, 63)] == ["<2^-39", "2^-39", "2^0", "≥2^23"]


def test_an_empty_histogram_is_drawn() -> None:
    """A tensor of NaN alone has no magnitude."""
    row = [0] * 64
    assert list(occupied([row])) == [0]
    assert "<2^-39" in str(bars(3, row, occupied([row])))
    assert "│  " in str(heat_map([1, 2], [row, row], occupied([row])))
