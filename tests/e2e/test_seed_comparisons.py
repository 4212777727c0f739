"""The seeds' five stories: unmodified programs under ``auditor run``, then ``auditor compare``."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from support.audited import ROOT, Home

SEEDS = ROOT / "tests" / "programs" / "seeds"


class Stories(Home):
    """A home in which each program is run once, when it is first asked for."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.made = set[str]()

    def run(self, program: str) -> str:
        """The id of the program's run."""
        if program not in self.made:
            self.auditor("run", "--", sys.executable, str(SEEDS / f"{program}.py"), "0", AUDITOR_RUN=program)
            self.made.add(program)
        return program

    def compare(self, a: str, b: str) -> dict[str, Any]:
        """The comparison of two programs."""
        found: dict[str, Any] = json.loads(self.auditor("compare", self.run(a), self.run(b), "--json"))
        return found


@pytest.fixture(scope="module")
def stories(tmp_path_factory: pytest.TempPathFactory) -> Stories:
    """A home for all stories."""
    return Stories(tmp_path_factory.mktemp("stories"))


def causes(found: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The causes by id, in their order."""
    return {cause["id"]: cause for cause in found["causes"]}


@pytest.mark.slow
def test_v7_four_hundred_percent_is_a_broadcast(stories: Stories) -> None:
    """PyTorch against Keras: (B, 1) minus (B,), not the initialiser, epsilon or precision."""
    found = stories.compare("torch_regression", "keras_regression")
    first = found["causes"][0]
    assert found["verdict"] == "mismatch"
    assert (first["id"], first["stage"], first["how"]) == ("LOSS-02", "loss", "measured")
    assert found["first_divergence"] == {"stage": "loss", "step": 1}
    assert first["fix"]


@pytest.mark.slow
def test_v7_alpha_is_divided_by_the_batch_and_the_error_halved(stories: Stories) -> None:
    """scikit-learn against Keras: both parts are named, the penalty first, with its factor of 200."""
    found = stories.compare("sklearn_alpha", "keras_l2_port")
    named = causes(found)
    assert found["verdict"] == "mismatch"
    first = found["causes"][0]
    assert (first["id"], first["stage"]) == ("OPT-08", "regularization")
    assert first["b"] / first["a"] == pytest.approx(200, rel=1e-3)
    assert "0.5" in named["LOSS-01"]["a"]
    assert named["LOSS-01"]["stage"] == "loss"


@pytest.mark.slow
def test_v7_nan_in_keras_alone_is_twice_the_step(stories: Stories) -> None:
    """At the stability limit: the half in the squared error, and the outcome differs."""
    found = stories.compare("sklearn_unbounded", "keras_unbounded")
    first = found["causes"][0]
    assert (found["verdict"], found["outcome"]) == ("mismatch", "differs")
    assert (first["id"], first["stage"]) == ("LOSS-01", "loss")
    assert first["weight"] == pytest.approx(1.0, rel=0.01)


@pytest.mark.slow
def test_v7_the_loop_lacks_four_things(stories: Stories) -> None:
    """fit() against a tape loop: mode, order, tail and penalty, nothing else."""
    found = stories.compare("keras_fit", "tape_loop")
    named = causes(found)
    assert found["verdict"] == "mismatch"
    assert set(named) == {"MODE-01", "DATA-01", "DATA-02", "LOSS-16"}
    assert found["causes"][0]["id"] in {"MODE-01", "DATA-01"}
    assert {entry: cause["stage"] for entry, cause in named.items()} == {
        "MODE-01": "eval",
        "DATA-01": "data",
        "DATA-02": "data",
        "LOSS-16": "regularization",
    }
    assert "sorted" in named["DATA-01"]["b"]
    assert (named["DATA-02"]["a"], named["DATA-02"]["b"]) == (530, 500)


@pytest.mark.slow
def test_v7_an_initialiser_off_centre_is_named(stories: Stories) -> None:
    """Against the defaults: initial weights, whatever follows from them."""
    first = stories.compare("keras_off_centre", "keras_centred")["causes"][0]
    assert (first["stage"], first["id"][:4]) == ("init", "INIT")
    assert first["weight"] > 0.1


@pytest.mark.slow
def test_v7_off_centre_in_both_frameworks_is_no_mismatch(stories: Stories) -> None:
    """The same mistake made twice agrees."""
    assert stories.compare("torch_off_centre", "keras_off_centre")["verdict"] != "mismatch"
