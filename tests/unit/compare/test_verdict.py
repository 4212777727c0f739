"""What may be said from one run per side."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from auditor.compare import verdict
from auditor.compare.recognise.cause import Cause
from auditor.compare.trajectories import Curve
from auditor.compare.verdict import Side, UnknownRunError, compare, compare_runs
from auditor.model import Alert, AlertState, Severity, Subject


def side(run: str = "a", loss: Any = (3.0, 2.0, 1.0, 0.5), **rest: Any) -> Side:
    """One side of a comparison, its loss from step 1 on."""
    values = np.asarray(loss, dtype=np.float64)
    curves = {"loss": Curve(np.arange(1, len(values) + 1), values)} | rest.pop("curves", {})
    given = {"framework": "torch", "status": "finished", "manifest": {"optimizer": {"class": "SGD", "lr": 0.1}}}
    return Side(run, curves=curves, last_step=len(values), **(given | rest))


def alert(rule: str, step: int, state: AlertState = AlertState.FIRING) -> Alert:
    """A critical alert of run ``b``."""
    return Alert("id", "b", 0, rule, Severity.CRITICAL, state, Subject("gradient", "fc1"), step, step, 0.0, 0.0)


def test_the_same_numbers_are_equivalent() -> None:
    """Bit for bit, at every step of both."""
    found = compare(side("a"), side("b"))
    assert (found["verdict"], found["configuration"], found["outcome"]) == ("equivalent", "same", "equivalent")
    assert found["first_divergence"] is None


@pytest.mark.parametrize(("apart", "word"), [(2e-8, "equivalent"), (1e-4, "inconclusive")])
def test_one_norm_added_up_in_another_order_is_the_same(apart: float, word: str) -> None:
    """A program that keeps its tensors in a list names, and sums, them in an order of its own."""
    norms = np.array([1.5, 0.7, 0.3, 0.2])
    sides = [
        side(run, curves={"grad_norm": Curve(np.arange(1, 5), norms * (1 + off))})
        for run, off in (("a", 0.0), ("b", apart))
    ]
    assert compare(*sides)["verdict"] == word


def test_a_prefix_is_not_the_whole() -> None:
    """One that ended early computed the same so far: no proof of equivalence."""
    assert compare(side("a"), side("b", loss=(3.0, 2.0)))["verdict"] == "inconclusive"


def test_a_smaller_loss_proves_nothing() -> None:
    """Any two seeds differ; nothing is claimed and no cause invented."""
    found = compare(side("a"), side("b", loss=(3.0, 1.0, 0.5, 0.1)))
    assert (found["verdict"], found["outcome"]) == ("inconclusive", "inconclusive")
    assert found["causes"] == found["harmless"] == []
    assert found["metrics"]["loss"] == {"a": 0.5, "b": 0.1, "ratio": 0.2, "p_value": None, "equivalent_within": None}


def test_one_that_goes_nan_alone_is_a_mismatch() -> None:
    """With the step and the stage at which it was first seen."""
    found = compare(side("a"), side("b", loss=(3.0, 2.0, math.nan, math.nan)))
    assert (found["verdict"], found["outcome"]) == ("mismatch", "differs")
    assert found["first_divergence"] == {"stage": "loss", "step": 3, "run": "b"}


def test_the_gradient_that_broke_first_is_the_divergence() -> None:
    """An alert one step before the loss; at one step the earlier stage wins."""
    broken = side("b", loss=(3.0, 2.0, 2.0, math.nan), alerts=(alert("nonfinite_gradient", 3),))
    assert compare(side("a"), broken)["first_divergence"]["stage"] == "backward"
    both = side("b", loss=(3.0, 2.0, math.nan, math.nan), alerts=(alert("nonfinite_gradient", 3),))
    assert compare(both, side("a"))["first_divergence"] == {"stage": "loss", "step": 3, "run": "b"}


def test_a_run_that_ended_before_cannot_be_held_against_it() -> None:
    """The other might have gone NaN as well, had it got there."""
    found = compare(side("a", loss=(3.0, 2.0)), side("b", loss=(3.0, 2.1, math.nan)))
    assert found["verdict"] == "inconclusive"
    assert "ended before" in found["reasons"][0]


def test_two_that_both_break_are_inconclusive() -> None:
    """Even at different steps."""
    found = compare(side("a", loss=(3.0, math.nan)), side("b", loss=(math.nan, math.nan)))
    assert found["verdict"] == "inconclusive"


def test_a_bad_batch_that_passed_is_no_divergence() -> None:
    """An alert that resolved, a loss that came back."""
    passed = side("b", loss=(3.0, math.inf, 1.0, 0.4), alerts=(alert("nonfinite_loss", 2, AlertState.RESOLVED),))
    assert compare(side("a"), passed)["outcome"] == "inconclusive"


def test_without_a_manifest_nobody_knows_the_configuration() -> None:
    """Neither same nor differs."""
    assert compare(side("a"), side("b", manifest=None))["configuration"] is None


def test_a_declared_difference_is_listed_and_claims_no_effect() -> None:
    """It is configuration, not outcome."""
    found = compare(side("a"), side("b", manifest={"optimizer": {"class": "SGD", "lr": 0.2}}))
    assert found["configuration"] == "differs"
    assert found["verdict"] == "equivalent"
    (item,) = found["differences"]
    assert (item["parameter"], item["a"], item["b"], item["how"]) == ("optimizer.learning_rate", 0.1, 0.2, "declared")


def test_the_contract_keys_are_there() -> None:
    """DESIGN section 3."""
    keys = {"verdict", "configuration", "outcome", "first_divergence", "causes", "harmless", "metrics"}
    assert keys <= compare(side("a"), side("b")).keys()


def test_a_run_that_the_store_lacks_is_named() -> None:
    """Not a KeyError from somewhere."""

    class Empty:
        def run(self, _: str) -> None:
            return None

    with pytest.raises(UnknownRunError, match="gone"):
        compare_runs(Empty(), "gone", "other")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("hows", "chance", "says"),
    [
        (("measured",), True, "may be the seed's doing"),
        (("declared", "declared"), False, "no recorded number shows that it acts"),
        (("declared", "measured"), False, "too little to call it a mismatch"),
    ],
)
def test_why_a_difference_makes_no_mismatch(hows: tuple[Any, ...], chance: bool, says: str) -> None:
    """Chance, a word without a number, or next to nothing: each has its own sentence."""
    causes = [Cause("SCH-02", "update.schedule", (1, 2), 0.1, "", how=how, chance=chance) for how in hows]
    assert says in verdict._unclaimed(causes)
