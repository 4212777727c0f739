"""Outcomes of groups of runs: seeds, end metrics, what more would tell."""

from __future__ import annotations

import math
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from auditor.compare.endings import common_end, ending, metrics
from auditor.compare.statistics import MARGIN, Prior
from auditor.compare.trajectories import Curve
from auditor.compare.verdict import Side, compare
from auditor.model import Alert, AlertState, Severity, Subject

STEPS = 200


def run(name: str, end: float, *, val: float | None = None, steps: int = STEPS, **rest: Any) -> Side:
    """A run whose loss falls from 1 to about ``end``, and ``val_loss`` four times to ``val``."""
    rng = np.random.default_rng(crc32(name.encode()))
    at = np.arange(1, steps + 1)
    loss = end + (1 - end) * np.exp(-at / (steps / 10)) * (1 + 0.05 * rng.standard_normal(steps))
    curves = {"loss": Curve(at, loss)}
    if val is not None:
        curves["val_loss"] = Curve(at[steps // 4 - 1 :: steps // 4], np.linspace(1.0, val, 4))
    given = {"framework": "torch", "status": "finished", "manifest": {"optimizer": {"class": "SGD", "lr": 0.1}}}
    return Side(name, curves=curves, last_step=steps, **(given | rest))


def group(name: str, ends: list[float], **rest: Any) -> list[Side]:
    """Runs with these validation losses."""
    return [run(f"{name}{i}", 0.1, val=end, **rest) for i, end in enumerate(ends)]


def test_seeds_that_are_far_from_each_other_differ() -> None:
    """Three a side, a factor of four apart: the contract's metric says so."""
    found = compare(group("a", [0.07, 0.075, 0.068]), group("b", [0.28, 0.3, 0.27]))
    assert (found["verdict"], found["outcome"], found["configuration"]) == ("mismatch", "differs", "same")
    metric = found["metrics"]["val_loss"]
    assert metric["ratio"] == pytest.approx(4.0, rel=0.05)
    assert metric["p_value"] < 0.01
    assert metric["equivalent_within"] is None
    assert metric["runs"] == [3, 3]
    assert found["a"]["runs"] == ["a0", "a1", "a2"]


@pytest.mark.parametrize(("end", "equal"), [(0.2, True), (0.3, False)])
def test_runs_of_one_training_whose_evaluations_differ_are_not_the_same(end: float, equal: bool) -> None:
    """The same losses to the last bit; one of them was evaluated otherwise."""
    one, other = run("a", 0.1, val=0.2), run("a", 0.1, val=end)
    found = compare(one, other)
    assert (found["outcome"] == "equivalent") is equal


def test_halved_squares_of_held_out_data_are_compared_whole() -> None:
    """scikit-learn's validation losses are half of the others'; a quarter of them is another outcome."""
    rng = np.random.default_rng(1)
    whole, again = (np.exp(rng.normal(-2, 0.01, 10)) for _ in "ab")
    halves = {"framework": "sklearn", "manifest": {"optimizer": {"class": "SGD", "lr": 0.1}, "loss": {"factor": 0.5}}}
    for part, outcome in ((0.5, "equivalent"), (0.125, "differs")):
        found = compare(group("a", whole.tolist()), group("b", (part * again).tolist(), **halves))
        assert found["outcome"] == outcome


def test_seeds_that_agree_are_equivalent_within_a_margin() -> None:
    """Ten a side that hardly differ; the margin is stated and the edge is within it."""
    rng = np.random.default_rng(0)
    groups = [group(name, np.exp(rng.normal(-2, 0.01, 10)).tolist()) for name in "ab"]
    found = compare(*groups)
    assert (found["verdict"], found["outcome"]) == ("equivalent", "equivalent")
    assert 0 < found["metrics"]["val_loss"]["equivalent_within"] <= MARGIN


def test_too_few_seeds_say_how_many_more() -> None:
    """Inconclusive, the smallest effect, and a number."""
    found = compare(group("a", [0.1, 0.13]), group("b", [0.12, 0.15]))
    assert (found["verdict"], found["outcome"]) == ("inconclusive", "inconclusive")
    assert found["metrics"]["val_loss"]["more_seeds"] >= 1
    assert found["metrics"]["val_loss"]["smallest_effect"] > 1.5
    assert any("more seed" in reason for reason in found["reasons"])


@pytest.mark.parametrize(("other", "says"), [(0.51, "within 10%"), (5.0, "b is 10 times a")])
def test_one_run_a_side_is_advised_a_few_seeds(other: float, says: str) -> None:
    """Two more say how far seeds are apart; nobody runs the hundreds that equivalence would take."""
    (reason,) = compare(run("a", 0.2, val=0.5), run("b", 0.2, val=other))["reasons"]
    assert says in reason
    assert "run 2 more seeds" in reason or "run 1 more seed a side" in reason


def test_seeds_that_nobody_would_run_are_no_advice() -> None:
    """Ends close to each other and scattered far: what the steps compute says more."""
    rng = np.random.default_rng(3)
    found = compare(*(group(name, np.exp(rng.normal(-2, 0.8, 3)).tolist()) for name in "ab"))
    assert found["metrics"]["val_loss"]["more_seeds"] is None or found["metrics"]["val_loss"]["more_seeds"] > 20
    assert any("says more than the ends" in reason for reason in found["reasons"]), found["reasons"]


def test_one_run_a_side_never_differs_by_its_curve_alone() -> None:
    """Not at a factor of 50, where no history is known."""
    found = compare(run("a", 0.2, val=0.5), run("b", 0.2, val=0.01))
    assert found["outcome"] == "inconclusive"
    assert found["metrics"]["val_loss"]["p_value"] is None


def test_history_lets_one_run_a_side_speak() -> None:
    """A factor of four where earlier seeds differ by a tenth."""

    def history(_: object) -> dict[str, Prior]:
        return {"val_loss": Prior(0.12**2, 19, 20)}

    found = compare(run("a", 0.1, val=0.07), run("b", 0.1, val=0.28), history)
    assert found["outcome"] == "differs"
    assert found["metrics"]["val_loss"]["runs_of_history"] == 20
    assert compare(run("a", 0.1, val=0.07), run("b", 0.1, val=0.08), history)["outcome"] == "inconclusive"


def test_one_that_never_learns_differs_from_one_that_does() -> None:
    """Where they do not declare the same; one configuration may have an unlucky seed."""
    stuck = run("b", 0.95, manifest={"optimizer": {"class": "SGD", "lr": 1e-6}})
    found = compare(run("a", 0.01), stuck)
    assert found["outcome"] == "differs"
    assert not [reason for reason in found["reasons"] if "more seed" in reason], "what is settled needs no seeds"
    assert compare(run("a", 0.01), run("b", 0.95))["outcome"] == "inconclusive"


def test_a_run_given_twice_counts_once() -> None:
    """The same number three times is not three seeds."""
    found = compare(group("a", [0.07] * 3), group("b", [0.28] * 3))
    assert found["outcome"] == "inconclusive"


def test_a_group_of_which_one_breaks_is_inconclusive() -> None:
    """All of a side must break where the others go on."""
    broken = [run(f"b{i}", 0.1, alerts=(alert(f"b{i}"),)) for i in range(2)]
    healthy = [run(f"a{i}", 0.1) for i in range(2)]
    assert compare(healthy, [broken[0], run("b9", 0.1)])["outcome"] == "inconclusive"
    assert compare(healthy, broken)["outcome"] == "differs"


def alert(name: str) -> Alert:
    """A gradient that stayed non-finite from step 50 on."""
    subject = Subject("gradient", "fc1")
    return Alert("id", name, 0, "nonfinite_gradient", Severity.CRITICAL, AlertState.FIRING, subject, 50, 50, 0.0, 0.0)


def test_runs_of_different_length_are_compared_where_both_were() -> None:
    """The longer one is not better for having gone on."""
    found = compare([run("a", 0.1)], [run("b", 0.1, steps=STEPS * 4)])
    assert any("different length" in reason for reason in found["reasons"])
    assert common_end([100, 95]) is None
    assert common_end([100, 50]) == 50


def test_metrics_of_unseen_data_come_first() -> None:
    """The training loss is asked only where there is none, and both compute it alike."""
    assert metrics([run("a", 0.1, val=0.2).curves], loss=True) == ["val_loss"]
    assert metrics([run("a", 0.1).curves], loss=True) == ["loss"]
    assert metrics([run("a", 0.1).curves], loss=False) == []


def test_the_end_of_a_training_loss_is_a_mean_of_its_tail() -> None:
    """Of a validation metric, the last value; of a broken one, none."""
    curve = Curve(np.arange(1, 101), np.arange(100, dtype=np.float64))
    assert ending(curve, "loss") == pytest.approx(94.5)
    assert ending(curve, "val_loss") == 99
    assert ending(curve, "val_loss", 50) == 49
    assert ending(Curve(np.arange(1, 3), np.array([1.0, math.nan])), "loss") is None


@pytest.mark.parametrize("values", [[0.0, 0.0, 0.0], [-1.0, -1.1, -0.9]])
def test_ends_without_a_logarithm_are_compared_too(values: list[float]) -> None:
    """Scores of zero or below; warnings are errors here."""
    other = [value + 5 for value in values]
    assert compare(group("a", values), group("b", other))["outcome"] in {"differs", "inconclusive"}
