"""Weights that were all replaced after the first steps: compared from there on, and nothing hidden by it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from sklearn.neural_network._stochastic_optimizers import AdamOptimizer, SGDOptimizer

from auditor.compare import restarted
from auditor.compare.identify.rules import BEFORE
from auditor.compare.trajectories import Curve
from auditor.compare.verdict import Side, compare
from auditor_agent.stream.recording import Array, Recording
from support.recordings import assembled
from support.tiny import Stepper, Tiny, Weights, adam, event, glorot, sgd

STEPS = 16
OTHERS = {
    "sgd": lambda: sgd(1e-2),
    "momentum": lambda: sgd(1e-2, momentum=0.9),
    "adam": lambda: adam(1e-2),
}
RULES: dict[str, dict[str, Any]] = {
    "sgd": {"rule": "sgd", "momentum": 0.0, "learning_rate": 1e-2},
    "momentum": {"rule": "sgd", "momentum": 0.9, "momentum_buffer": "rate inside", "nesterov": False},
    "adam": {"rule": "adam", "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-8, "epsilon_placement": BEFORE},
}


def kept(kind: str, rate: float = 1e-2) -> Stepper:
    """An optimizer of scikit-learn that takes the weights it is given, whatever it was given before."""
    state: dict[str, Any] = {}
    momentum = 0.9 if kind == "momentum" else 0.0

    def step(weights: Weights, gradients: Weights, at: int) -> Weights:
        del at
        held = [w.copy() for w in weights]
        if not state:
            state["o"] = (
                AdamOptimizer(held, learning_rate_init=rate)
                if kind == "adam"
                else SGDOptimizer(held, learning_rate_init=rate, momentum=momentum, nesterov=False)
            )
        state["o"].update_params(held, gradients)
        return held

    return step


def double(weights: Weights) -> Weights:
    """As scikit-learn has them."""
    return [w.astype(np.float64) for w in weights]


def transplanted(
    make: Callable[[], Stepper], *, thrown: int = 1, remembers: bool = True, first: int = 9, **more: Any
) -> list[Recording]:
    """A training of weights that took the place of others, which ``thrown`` steps had been taken with."""
    one = make()
    after = Tiny(stepper=lambda: one, framework="sklearn", weights=lambda: double(glorot()), steps=STEPS, **more)
    begun = replace(after, weights=lambda: double(glorot(first)), steps=thrown)
    before = (begun if remembers else replace(begun, stepper=make)).recordings()
    return before + [moved(recording, thrown) for recording in after.recordings()]


def moved(one: Recording, steps: int) -> Recording:
    """The recording of a later step."""
    return Recording(one.step + steps, one.arrays, one.scalars, one.facts)


def direct(kind: str, **more: Any) -> list[Recording]:
    """The training of those weights in PyTorch."""
    told: dict[str, Any] = {"weights": lambda: double(glorot()), **more}
    return Tiny(stepper=OTHERS[kind], steps=STEPS, **told).recordings()


def side(framework: str, recordings: list[Recording], **more: Any) -> Side:
    """A run with the loss and the rate of each recorded step."""
    at = np.array([one.step for one in recordings])
    curves = {"loss": Curve(at, np.array([one.scalars["loss"] for one in recordings]))}
    curves["lr"] = Curve(at, np.array([one.scalars["lr"] for one in recordings]))
    told: dict[str, Any] = {"last_step": len(recordings), "recordings": tuple(assembled(recordings)), **more}
    manifest = told.pop("manifest", {})
    return Side(framework, framework, "finished", curves | told.pop("curves", {}), manifest, **told)


def compared(a: list[Recording], b: list[Recording], rule: dict[str, Any] | None = None) -> dict[str, Any]:
    """scikit-learn against PyTorch; ``rule``: as scikit-learn declares it."""
    manifest = {"canonical": {"update": [rule]}} if rule else {}
    return compare(side("sklearn", a, manifest=manifest), side("torch", b))


@pytest.mark.parametrize("thrown", [1, 4])
@pytest.mark.parametrize("kind", OTHERS)
def test_a_training_that_begins_with_replaced_weights_is_the_one_that_begins_with_them(kind: str, thrown: int) -> None:
    """The optimizer is made anew: every step is the other's. What was left out is said."""
    found = compared(transplanted(lambda: kept(kind), thrown=thrown, remembers=False), direct(kind), RULES[kind])
    assert found["outcome"] == "equivalent", (found["causes"], found["reasons"])
    assert not found["causes"]
    assert any("left out" in reason for reason in found["reasons"])


def test_what_has_no_memory_leaves_nothing_over() -> None:
    """SGD without momentum, kept over the replacement."""
    found = compared(transplanted(lambda: kept("sgd")), direct("sgd"))
    assert (found["outcome"], found["causes"]) == ("equivalent", []), found["reasons"]


@pytest.mark.parametrize("kind", ["momentum", "adam"])
def test_an_optimizer_that_was_kept_is_told_of_and_is_no_mismatch(kind: str) -> None:
    """Its moments are of a step with other weights; its rule is known all the same."""
    found = compared(transplanted(lambda: kept(kind)), direct(kind))
    assert found["verdict"] == "inconclusive", found["causes"]
    assert [(one["id"], one["parameter"], one["fix_in"]) for one in found["causes"]] == [
        ("OPT-00", "update.left_over", "a")
    ]
    assert "_optimizer" in found["causes"][0]["fix"]


@pytest.mark.parametrize(
    ("kind", "slip", "entry"),
    [
        ("sgd", {"l2": 0.05}, "OPT-08"),
        ("adam", {"l2": 0.05}, "OPT-08"),
        ("momentum", {"loss": lambda o, y: 2 * ((o - y) ** 2).mean()}, "LOSS-00"),
    ],
)
def test_a_slip_beside_it_is_named_first(kind: str, slip: dict[str, Any], entry: str) -> None:
    """Whatever the optimizer remembers."""
    mine = {"l2": 0.005} if "l2" in slip else {}
    found = compared(transplanted(lambda: kept(kind), **mine), direct(kind, **slip))
    assert (found["verdict"], found["causes"][0]["id"]) == ("mismatch", entry), found["causes"]


def test_another_rate_beside_it_is_named_first() -> None:
    """By two percent."""
    found = compared(transplanted(lambda: kept("adam", 1.02e-2), rate=1.02e-2), direct("adam"))
    assert (found["verdict"], found["causes"][0]["parameter"]) == ("mismatch", "update.learning_rate")


def stirred(recordings: list[Recording], step: int, change: Callable[[int, Any], Any]) -> list[Recording]:
    """The same, but that ``step`` is taken from what ``change`` makes of the weights, by their place."""
    one = next(one for one in recordings if one.step == step)
    off: dict[str, Any] = {}
    for at, given in enumerate([given for given in one.arrays if given.role == "weight"]):
        values = np.frombuffer(given.data, given.dtype).copy()
        off[given.name] = change(at, values) - values
    arrays = [_plus(given, off[given.name]) if given.role in {"weight", "updated"} else given for given in one.arrays]
    return [replace(one, arrays=arrays) if other is one else other for other in recordings]


def _plus(given: Array, off: Any) -> Array:
    values = (np.frombuffer(given.data, given.dtype) + off).astype(given.dtype)
    return replace(given, data=values.tobytes())


@pytest.mark.parametrize(
    "change",
    [
        lambda _, values: 0.5 * values,
        lambda _, values: np.clip(values, -0.1, 0.1),
        lambda at, values: values if at else np.random.default_rng(0).normal(size=values.shape),
    ],
    ids=["halved", "clipped", "one kernel"],
)
def test_weights_made_of_the_old_ones_replace_nothing(change: Callable[[int, Any], Any]) -> None:
    """Nor does one kernel alone: they stay what they were, weights that were changed between steps."""
    runs = stirred(direct("sgd"), 3, change), direct("sgd", weights=lambda: double(glorot(5)))
    one, other = (side("torch", each) for each in runs)
    assert restarted.begun_anew(one, other) is one
    assert compare(one, other)["causes"][0]["parameter"] == "update.between"


def test_a_second_change_is_found_as_ever() -> None:
    """Counted from the first."""
    recordings = stirred(transplanted(lambda: kept("sgd")), 7, lambda _, values: 0.5 * values)
    first = compared(recordings, direct("sgd"))["causes"][0]
    assert (first["parameter"], first["step"]) == ("update.between", 6)


def test_weights_that_the_other_side_goes_on_with_should_not_have_been_replaced() -> None:
    """Both begin alike, and one of them is given other weights."""
    found = compared(transplanted(lambda: kept("sgd")), direct("sgd", weights=lambda: double(glorot(9))))
    assert (found["verdict"], found["causes"][0]["parameter"]) == ("mismatch", "update.between")


def test_few_steps_after_it_say_too_little() -> None:
    """Momentum and second moments do not show in them: the run is left as it is."""
    recordings = transplanted(lambda: kept("sgd"), thrown=4)
    short, other = side("sklearn", recordings[:8]), side("torch", direct("sgd"))
    assert restarted.begun_anew(short, other) is short
    assert restarted.begun_anew(side("sklearn", recordings[:9]), other).last_step == 5


def test_epochs_that_each_call_counts_from_one_are_left_as_they_are() -> None:
    """Keras numbers those of every ``fit``."""
    epochs = {"epoch": Curve(np.array([2, 10, 18]), np.array([1.0, 1.0, 2.0]))}
    given = side("keras", transplanted(lambda: kept("sgd"), thrown=2), curves=epochs)
    found = restarted.begun_anew(given, side("torch", direct("sgd")))
    assert found.curves["epoch"].values.tolist() == [1, 2]


def test_all_that_is_counted_is_counted_from_there() -> None:
    """Scalars, epochs, events, norms; an epoch that has steps which were left out is none of the others'."""
    recordings = transplanted(lambda: kept("sgd"), thrown=2)
    epochs = {"epoch": Curve(np.array([2, 10, 18]), np.array([1.0, 2.0, 3.0])),
              "val_loss": Curve(np.array([2]), np.array([9.0]))}  # fmt: skip
    events = [event(at, "epoch", steps=steps) for at, steps in ((2, 2), (10, 9), (18, 8))]
    events += [event(1, "evaluation"), event(1, "mode"), event(5, "evaluation")]
    norms = {"layer0.weight": {2: 7.0, 3: 8.0}}
    given = side("sklearn", recordings, curves=epochs, events=events, norms=norms)
    found = restarted.begun_anew(given, side("torch", direct("sgd")))
    assert found.last_step == STEPS
    assert [one.step for one in found.recordings] == list(range(1, STEPS + 1))
    assert [one.step for one in found.before] == [-1, 0]
    assert found.curves["loss"].steps.tolist() == list(range(1, STEPS + 1))
    assert found.curves["loss"].values[0] == recordings[2].scalars["loss"]
    assert (found.curves["epoch"].steps.tolist(), found.curves["epoch"].values.tolist()) == ([8, 16], [1, 2])
    assert "val_loss" not in found.curves
    assert [(one.type, one.step) for one in found.events] == [("epoch", 16), ("mode", 1), ("evaluation", 3)]
    assert found.norms["layer0.weight"][1] == 8.0
    assert "2 steps were left out" in (restarted.note(found) or "")
    assert restarted.note(given) is None
