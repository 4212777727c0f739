"""``auditor parity``: two programs by file and function, exit codes, JSON, the lines that mend."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from auditor.cli.parity import command

TORCH = """
import numpy as np, torch
from torch import nn

def batches():
    rng = np.random.default_rng(0)
    for _ in range(6):
        x = rng.normal(size=(32, 4)).astype("f4")
        yield x, x.sum(1, keepdims=True)

def make():
    model = nn.Sequential(nn.Linear(4, 8), nn.LayerNorm(8), nn.Dropout(0.1), nn.Tanh(), nn.Linear(8, 1))
    return model, torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9), nn.MSELoss(), batches
"""
KERAS = """
import keras
from keras import layers as L

def make():
    model = keras.Sequential([
        keras.Input((4,)), L.Dense(8), L.LayerNormalization(name="norm"), L.Dropout(0.2, name="drop"),
        L.Activation("tanh"), L.Dense(1)])
    optimizer = keras.optimizers.SGD(0.01, momentum=0.9)
    # FIX
    return model, optimizer, "mean_squared_error"
"""


@pytest.fixture
def programs(tmp_path: Path) -> tuple[str, Path]:
    """The two as files: what names the first's function, and the second's path."""
    (tmp_path / "a.py").write_text(TORCH, encoding="utf-8")
    (tmp_path / "b.py").write_text(KERAS, encoding="utf-8")
    return f"{tmp_path / 'a.py'}:make", tmp_path / "b.py"


def called(*arguments: str) -> Any:
    """The verb's result."""
    return CliRunner().invoke(command, [*arguments], catch_exceptions=False)


def test_the_lines_of_fix_make_the_second_program_equal(programs: tuple[str, Path]) -> None:
    """Applied one round after the other they leave nothing that differs."""
    a, path = programs
    told: list[str] = []
    for _ in range(4):
        found = json.loads(called(a, f"{path}:make", "--steps", "5", "--json").stdout)
        told.append(found["causes"][0]["id"] if found["causes"] else "")
        if found["verdict"] == "equivalent":
            break
        text = called(a, f"{path}:make", "--steps", "5", "--fix").stdout
        lines = [line for line in text.splitlines() if not line.startswith("#")]
        path.write_text(path.read_text("utf-8").replace("# FIX", "\n    ".join([*lines, "# FIX"])), "utf-8")
    assert told == ["FWD-07", ""]


def test_a_difference_is_shown_and_checked(programs: tuple[str, Path]) -> None:
    """Its id on the screen, and 1 as exit code."""
    a, path = programs
    result = called(a, f"{path}:make", "--check")
    assert result.exit_code == 1
    assert "FWD-07" in result.stdout
    assert "mismatch" in result.stdout


@pytest.mark.parametrize(("given", "words"), [("nowhere.py:make", "no program"), ("{b}:other", "no function")])
def test_what_cannot_be_loaded_is_said(programs: tuple[str, Path], given: str, words: str) -> None:
    """With a hint, and 2 as exit code."""
    a, path = programs
    result = called(a, given.format(b=path))
    assert result.exit_code == 2
    assert words in result.output


def test_models_that_cannot_be_compared_are_a_problem(programs: tuple[str, Path]) -> None:
    """The layers without a counterpart are named."""
    a, path = programs
    path.write_text(KERAS.replace('L.LayerNormalization(name="norm"), ', ""), encoding="utf-8")
    result = called(a, f"{path}:make")
    assert result.exit_code == 2
    assert "layernorm" in result.output
