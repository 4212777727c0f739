"""A side in a process of its own: the same findings as in one process, and clear words when it fails."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.parity.report import as_json
from auditor_agent.parity import Elsewhere, NotComparableError, Outcome, check, pipe
from auditor_agent.parity.canonical import CanonicalSide
from auditor_agent.parity.given import Implementation
from auditor_agent.parity.torch_side import TorchSide
from support.parity_models import keras_program, torch_program

TESTS = Path(__file__).resolve().parent.parent.parent
PAIRS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "aligned, BatchNorm": ("cnn", {"activation": "relu"}, {}),
    "aligned, LSTM": ("lstm", {}, {}),
    "aligned, GRU": ("gru", {}, {}),
    "aligned, attention": ("transformer", {"activation": "gelu"}, {}),
    "a penalty": ("mlp", {"l2": 1e-3}, {"l2": 2e-3}),
    "an epsilon": ("mlp", {"eps": 1e-8}, {"eps": 1e-7}),
    "a normalization's epsilon": ("mlp", {"norm": "layer"}, {"norm_eps": 1e-3}),
    "a schedule": ("mlp", {"schedule": True}, {"schedule": False}),
    "a mode": ("mlp", {"norm": "batch", "rows": 64}, {"training": False}),
}


def written(folder: Path, name: str, kind: str, family: str, options: dict[str, Any]) -> str:
    """A program file with one of the supports' programs, which prints as programs do."""
    text = f"""
import sys
sys.path.insert(0, {str(TESTS)!r})
from support.parity_models import {kind}_program
def make():
    print("the program speaks, on standard output")
    return {kind}_program({family!r}, **{options!r})()
"""
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    return f"{folder / name}.py:make"


def findings(outcome: Outcome) -> dict[str, Any]:
    """What is told, but for what differs by chance: the weights are drawn anew."""
    told = as_json(outcome)
    first = told["first_divergence"]
    place = None if first is None else {name: first[name] for name in ("stage", "step", "part", "a", "b")}
    causes = [(one["id"], one["parameter"], one["stage"]) for one in told["causes"]]
    kept = ("verdict", "comparisons", "steps", "aligned", "unseen", "probes")
    return {name: told[name] for name in kept} | {"place": place, "causes": causes, "fix": told["fix"]}


@pytest.mark.parametrize("name", PAIRS)
def test_a_process_of_its_own_finds_the_same(name: str, tmp_path: Path) -> None:
    """Keras elsewhere against PyTorch here: verdict, place, cause, comparisons and the lines that mend."""
    family, common, changed = PAIRS[name]
    torch_side = torch_program(family, **common)
    far = Elsewhere(written(tmp_path, "b", "keras", family, {**common, **changed}))
    here = findings(check(torch_side, keras_program(family, **{**common, **changed}), steps=3))
    there = findings(check(torch_side, far, steps=3))
    for one in here["aligned"], there["aligned"]:
        for pair in one:  # Keras counts the layers of a process on
            pair["b"] = pair["b"].rstrip("0123456789_")
    assert {**there, "place": None} == {**here, "place": None}
    assert (there["place"] or {}).get("stage") == (here["place"] or {}).get("stage")


def test_both_sides_may_be_elsewhere(tmp_path: Path) -> None:
    """Keras first, so that its batches are turned for PyTorch."""
    first = Elsewhere(written(tmp_path, "a", "keras", "cnn", {"activation": "relu"}))
    second = Elsewhere(written(tmp_path, "b", "torch", "cnn", {"activation": "relu"}))
    assert check(first, second, steps=2).equivalent


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("def other(): pass", "no function 'make'"),
        ("raise OSError('no data set here')", "OSError: no data set here"),
        ("import os\ndef make(): os._exit(3)", "exit code 3"),
        ("def make(): return 5", "a model of PyTorch, Keras or scikit-learn is needed"),
    ],
)
def test_a_program_that_fails_elsewhere_is_told(body: str, words: str, tmp_path: Path) -> None:
    """With the program's name and its own words."""
    (tmp_path / "b.py").write_text(body, encoding="utf-8")
    with pytest.raises(NotComparableError, match=words) as caught:
        check(torch_program("mlp"), Elsewhere(f"{tmp_path / 'b'}.py:make"), steps=1)
    assert str(caught.value).startswith(f"{tmp_path / 'b'}.py:make: ")


def test_an_interpreter_that_is_not_there_is_told(tmp_path: Path) -> None:
    """By its path."""
    with pytest.raises(NotComparableError, match="nowhere/python"):
        check(torch_program("mlp"), Elsewhere("b.py:make", f"{tmp_path}/nowhere/python"), steps=1)
    assert Elsewhere("b.py:make").python == sys.executable


def test_of_tied_tensors_the_one_that_was_changed_counts() -> None:
    """One parameter in two cells: loading the first is not undone by what the second still shows."""
    import torch

    one, two = torch.nn.Linear(3, 3), torch.nn.Linear(3, 3)
    two.weight = one.weight
    model = torch.nn.Sequential(one, two)
    optimizer = torch.optim.SGD(model.parameters(), 0.1)
    side = CanonicalSide(TorchSide(Implementation(model, optimizer, torch.nn.MSELoss())))
    arrays = side.weights()
    names = [cell.slots["kernel"].key for cell in side.cells]
    assert len(set(names)) == 2
    arrays[names[0]] = np.arange(9.0).reshape(3, 3)
    side.load(arrays)
    assert np.array_equal(one.weight.detach().numpy(), np.arange(9.0).reshape(3, 3).T)
    assert np.array_equal(side.weights()[names[1]], np.arange(9.0).reshape(3, 3))


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, True, "word"], "nested": {"b": (1, ("x", [2]))}},
        [float("inf"), -float("inf")],
        np.arange(12, dtype="i8").reshape(3, 4)[:, ::2],
        {"none": np.zeros((0, 3), "f4"), "scalar": np.array(np.nan), "flags": np.array([True, False])},
        (1.5, np.arange(3, dtype=">f8")),
    ],
)
def test_what_is_sent_arrives(value: Any) -> None:
    """Numbers that are not finite, views, empty and strange arrays; tuples stay tuples."""
    stream = io.BytesIO()
    pipe.send(stream, (value, "end"))
    stream.seek(0)
    found, end = pipe.receive(stream)
    np.testing.assert_equal(found, value)
    assert (type(found), end) == (type(value), "end")


def test_what_would_have_to_be_pickled_is_refused() -> None:
    """Arrays of objects, and objects."""
    for value in (np.array([object()]), object()):
        with pytest.raises(TypeError, match="cannot be sent"):
            pipe.send(io.BytesIO(), value)
