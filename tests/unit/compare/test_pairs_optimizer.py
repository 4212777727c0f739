"""Pairs that differ in one entry of the optimizer's part of the catalogue, told by that id first."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import keras
import numpy as np
import pytest
import torch
from sklearn.neural_network._stochastic_optimizers import SGDOptimizer

from auditor.compare.causes import diagnose
from auditor.compare.profile import Profile
from support.tiny import Tiny, keras_stepper, sgd, sklearn_stepper, torch_stepper

O, K = torch.optim, keras.optimizers  # noqa: E741 -- short beside fifty uses
R = 1e-2
DROP = [R] * 6 + [R / 10] * 6
SMALL = 1e-5
"""Gradients as small as this make an epsilon of 1e-7 or 1e-8 matter."""


def on(make: Callable[..., Any], rates: Any = None, rate: float = R, **more: Any) -> Tiny:
    """A run with a PyTorch optimizer."""
    return Tiny(stepper=lambda: torch_stepper(make, rates), rate=rates or rate, **more)


def under(make: Callable[[], Any], rates: Any = None, rate: float = R, **more: Any) -> Tiny:
    """A run with a Keras optimizer."""
    return Tiny(stepper=lambda: keras_stepper(make, rates), framework="keras", rate=rates or rate, **more)


def faint(output: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """A loss with gradients of about 1e-6."""
    return SMALL * ((output - target) ** 2).mean()


def whole(limit: float) -> Callable[[Any], Any]:
    """Clipping of the global norm, as PyTorch does it in place."""

    def clip(gradients: Any) -> Any:
        norm = np.sqrt(sum(float((g * g).sum()) for g in gradients))
        return [(g * min(1.0, limit / (norm + 1e-6))).astype(g.dtype) for g in gradients]

    return clip


def heavy(seed: int = 0) -> Any:
    """Weights away from zero, biases too, on which a decay shows."""
    rng = np.random.default_rng(seed)
    return [rng.normal(0, 0.3, shape).astype(np.float32) for shape in ((6, 24), (24,), (24, 1), (1,))]


def kernels_only(parameters: Any) -> Any:
    """Parameter groups without decay of biases."""
    return [
        {"params": [p for p in parameters if p.ndim > 1], "weight_decay": 0.1},
        {"params": [p for p in parameters if p.ndim == 1], "weight_decay": 0.0},
    ]


def ripple(at: int) -> float:
    """A learning rate that falls with the samples seen."""
    return R / (16 * at + 1) ** 0.5


PAIRS: dict[str, tuple[str, Tiny, Tiny]] = {
    "another rule": ("OPT-00", on(lambda p: O.Adam(p, R)), on(lambda p: O.SGD(p, R))),
    "learning rate": ("OPT-01", on(lambda p: O.Adam(p, R)), on(lambda p: O.Adam(p, 2 * R), rate=2 * R)),
    "beta 1": ("OPT-02", on(lambda p: O.Adam(p, R)), on(lambda p: O.Adam(p, R, betas=(0.8, 0.999)))),
    "beta 2": ("OPT-02", on(lambda p: O.Adam(p, R)), on(lambda p: O.Adam(p, R, betas=(0.9, 0.9)))),
    "epsilon's value": ("OPT-02", on(lambda p: O.Adam(p, R, eps=1e-8)), on(lambda p: O.Adam(p, R, eps=1e-3))),
    "momentum": ("OPT-02", on(lambda p: O.SGD(p, R)), on(lambda p: O.SGD(p, R, momentum=0.9))),
    "epsilon's placement": ("OPT-03", on(lambda p: O.Adam(p, R, eps=1e-3)), under(lambda: K.Adam(R, epsilon=1e-3))),
    "epsilon of two defaults": ("OPT-03", on(lambda p: O.Adam(p, R), loss=faint), under(lambda: K.Adam(R), loss=faint)),
    "decoupled decay": (
        "OPT-04",
        on(lambda p: O.AdamW(p, R, weight_decay=0.3), weights=heavy),
        under(lambda: K.AdamW(R, weight_decay=0.1, epsilon=1e-8), weights=heavy),
    ),
    "decay through Adam": (
        "OPT-05",
        on(lambda p: O.Adam(p, R, weight_decay=0.1), weights=heavy),
        on(lambda p: O.AdamW(p, R, weight_decay=0.1), weights=heavy),
    ),
    "decay through momentum": (
        "OPT-06",
        on(lambda p: O.SGD(p, R, momentum=0.9, weight_decay=0.1), weights=heavy),
        under(lambda: K.SGD(R, momentum=0.9, weight_decay=0.1), weights=heavy),
    ),
    "twice the penalty": (
        "OPT-07",
        on(lambda p: O.SGD(p, R), l2=0.05, weights=heavy),
        on(lambda p: O.SGD(p, R), l2=0.1, weights=heavy),
    ),
    "decay against penalty": (
        "OPT-07",
        on(lambda p: O.SGD(p, R, weight_decay=0.1), weights=heavy),
        under(lambda: K.SGD(R), weights=heavy, l2=0.1, penalized=lambda _: True),
    ),
    "alpha over the batch": (
        "OPT-08",
        on(lambda p: O.SGD(p, R), l2=0.05, weights=heavy),
        Tiny(stepper=sgd, framework="sklearn", l2=0.05 / 16, weights=heavy),
    ),
    "what is decayed": (
        "OPT-09",
        on(lambda p: O.AdamW(p, R, weight_decay=0.1), weights=heavy),
        on(lambda p: O.AdamW(kernels_only(p), R), weights=heavy),
    ),
    "penalty on biases": (
        "OPT-09",
        on(lambda p: O.SGD(p, R), l2=0.1, weights=heavy),
        on(lambda p: O.SGD(p, R), l2=0.1, weights=heavy, penalized=lambda _: True),
    ),
    "penalty on biases within one number": (
        "OPT-09",
        on(lambda p: O.SGD(p, R), l2=0.1, weights=heavy, steps=24),
        on(lambda p: O.SGD(p, R), l2=0.1, weights=heavy, steps=24, penalized=lambda _: True, told_apart=False),
    ),
    "rate in the buffer": (
        "OPT-10",
        on(lambda p: O.SGD(p, R, momentum=0.9), DROP),
        under(lambda: K.SGD(R, momentum=0.9), DROP),
    ),
    "nesterov": (
        "OPT-11",
        on(lambda p: O.SGD(p, R, momentum=0.9)),
        on(lambda p: O.SGD(p, R, momentum=0.9, nesterov=True)),
    ),
    "nesterov of scikit-learn": (
        "OPT-11",
        on(lambda p: O.SGD(p, R, momentum=0.9)),
        Tiny(stepper=lambda: sklearn_stepper(lambda w: SGDOptimizer(w, R, "constant", 0.9, True))),
    ),
    "dampening": (
        "OPT-12",
        on(lambda p: O.SGD(p, R, momentum=0.9)),
        on(lambda p: O.SGD(p, R, momentum=0.9, dampening=0.5)),
    ),
    "RMSprop's epsilon": (
        "OPT-13",
        on(lambda p: O.RMSprop(p, R, alpha=0.9, eps=1e-4)),
        under(lambda: K.RMSprop(R, rho=0.9, epsilon=1e-4)),
    ),
    "RMSprop's memory": ("OPT-13", on(lambda p: O.RMSprop(p, R)), on(lambda p: O.RMSprop(p, R, alpha=0.9))),
    "RMSprop's memory alone": (
        "OPT-02",
        on(lambda p: O.RMSprop(p, R, eps=1e-4)),
        on(lambda p: O.RMSprop(p, R, eps=1e-4, alpha=0.9)),
    ),
    "RMSprop's momentum buffer": (
        "OPT-14",
        on(lambda p: O.RMSprop(p, R, alpha=0.9, momentum=0.9, eps=1e-12), DROP),
        under(lambda: K.RMSprop(R, rho=0.9, momentum=0.9, epsilon=1e-20), DROP),
    ),
    "Adagrad's accumulator": ("OPT-15", on(lambda p: O.Adagrad(p, R)), under(lambda: K.Adagrad(R))),
    "Adadelta": ("OPT-16", on(lambda p: O.Adadelta(p, 1.0), rate=1.0), under(lambda: K.Adadelta(1.0), rate=1.0)),
    "NAdam's momentum": ("OPT-18", on(lambda p: O.NAdam(p, R)), under(lambda: K.Nadam(R, epsilon=1e-8))),
    "clipping by tensor": (
        "OPT-19",
        under(lambda: K.SGD(R, global_clipnorm=0.1)),
        under(lambda: K.SGD(R, clipnorm=0.1)),
    ),
    "clipping before it is seen": (
        "OPT-19",
        on(lambda p: O.SGD(p, R), gradients=whole(0.05)),
        on(lambda p: O.SGD(p, R)),
    ),
    "clipping by value": ("OPT-20", under(lambda: K.SGD(R)), under(lambda: K.SGD(R, clipvalue=0.01))),
    "accumulated sum": (
        "OPT-21",
        on(lambda p: O.SGD(p, R)),
        on(lambda p: O.SGD(p, R), gradients=lambda g: [4 * x for x in g]),
    ),
    "AMSGrad": (
        "OPT-22",
        on(lambda p: O.Adam(p, R, betas=(0.9, 0.5))),
        on(lambda p: O.Adam(p, R, betas=(0.9, 0.5), amsgrad=True)),
    ),
    "gradients never zeroed": ("OPT-26", on(lambda p: O.SGD(p, R)), on(lambda p: O.SGD(p, R), accumulate=True)),
    "schedule per step": ("SCH-01", on(lambda p: O.SGD(p, R)), on(lambda p: O.SGD(p, R), DROP)),
}


HARMLESS: dict[str, tuple[str, Tiny, Tiny]] = {
    "Adamax's epsilon": ("OPT-17", on(lambda p: O.Adamax(p, R, eps=5e-2)), under(lambda: K.Adamax(R, epsilon=5e-2))),
}


@functools.cache
def both(case: str) -> tuple[Profile, Profile]:
    """The two runs of a case, identified once."""
    _, a, b = PAIRS[case]
    return a.profile("a"), b.profile("b")


@pytest.mark.parametrize("case", HARMLESS)
def test_what_changes_next_to_nothing_is_harmless(case: str) -> None:
    """Told by its id, with its size, and not as a cause."""
    entry, a, b = HARMLESS[case]
    found = diagnose(a.profile("a"), b.profile("b"))
    assert not found.causes
    assert [cause.id for cause in found.harmless] == [entry]


@pytest.mark.parametrize("case", PAIRS)
def test_the_only_difference_is_told_first(case: str) -> None:
    """Nothing is declared: what is said comes from the numbers alone."""
    entry, found = PAIRS[case][0], diagnose(*both(case))
    told = [(cause.id, cause.parameter, cause.values, cause.effect) for cause in found.causes]
    assert told, found.harmless
    assert told[0][0] == entry, told
    assert found.causes[0].how == "measured"


@pytest.mark.parametrize("case", PAIRS)
def test_the_order_of_the_two_runs_does_not_matter(case: str) -> None:
    """The same cause, its values exchanged."""
    left, right = both(case)
    there, back = diagnose(left, right).causes[0], diagnose(right, left).causes[0]
    assert (there.id, there.values) == (back.id, back.values[::-1])


@pytest.mark.parametrize(
    ("entry", "declared"),
    [
        ("OPT-23", {"class": "invscaling", "unit": "samples"}),
        ("SCH-05", {"class": "CosineDecay"}),
        ("SCH-02", {"class": "ReduceLROnPlateau"}),
    ],
)
def test_a_declared_schedule_names_what_the_rates_show(entry: str, declared: dict[str, str]) -> None:
    """The rates part; which of the schedules it was, the manifest says."""
    rates = [ripple(at) for at in range(12)]
    manifest = {"canonical": {"update": [{"rule": "sgd", "schedule": declared}]}}
    a = on(lambda p: O.SGD(p, R)).profile("a")
    b = replace(on(lambda p: O.SGD(p, R), rates), framework="sklearn").profile("b", manifest=manifest)
    assert diagnose(a, b).causes[0].id == entry


@pytest.mark.parametrize(
    ("framework", "fall", "entry"),
    [
        ("keras", lambda at: 1 / (1 + 0.3 * at), "OPT-27"),
        ("torch", lambda at: 1 / (1 + 0.3 * at), "SCH-01"),
        ("keras", lambda at: 1 / (1 + 0.3 * at) ** 2, "SCH-01"),
        ("keras", lambda at: 0.9**at, "SCH-01"),
        ("keras", lambda at: 1 / (1 + 0.3 * (at // 4)), "SCH-01"),
    ],
)
def test_a_decay_that_keras_ignores_is_known_by_what_it_meant(
    framework: str, fall: Callable[[int], float], entry: str
) -> None:
    """A rate that stands still, against one that falls with every step as the argument did before Keras 3."""
    still = replace(on(lambda p: O.SGD(p, R)), framework=framework)
    falling = on(lambda p: O.SGD(p, R), [R * fall(at) for at in range(12)])
    assert diagnose(still.profile("a"), falling.profile("b")).causes[0].id == entry


def test_a_decay_that_keras_was_given_and_ignores_is_told_however_the_other_rate_falls() -> None:
    """The agent saw the argument; without it an exponential fall is any schedule."""
    falling = on(lambda p: O.SGD(p, R), [R * 0.9**at for at in range(12)]).profile("b")
    for told, entry in (({"ignored": {"decay": 0.01}}, "OPT-27"), ({}, "SCH-01")):
        still = replace(on(lambda p: O.SGD(p, R)), framework="keras").profile("a", manifest={"optimizer": told})
        assert diagnose(still, falling).causes[0].id == entry


def test_a_rule_that_nobody_knows_is_said_to_be_unknown() -> None:
    """None explaining the numbers is a finding of its own, not the nearest name."""

    def odd(weights: Any, gradients: Any, at: int) -> Any:
        return [(w - R * np.sign(np.sin(3 * g)) * np.abs(g) ** 0.3 * (1 + at)).astype(w.dtype)
                for w, g in zip(weights, gradients, strict=True)]  # fmt: skip

    found = Tiny(stepper=lambda: odd).profile()
    fact = found.facts.get("update.rule")
    assert fact is not None
    assert fact.confidence < 0.5
    assert "no rule" in fact.note


def test_how_momentum_is_used_is_no_second_cause_where_one_side_has_none() -> None:
    """Nesterov's step without momentum is the plain one: one setting is missing, not two."""
    plain = on(lambda p: O.SGD(p, R)).profile("a")
    ahead = on(lambda p: O.SGD(p, R, momentum=0.8, nesterov=True)).profile("b")
    assert [cause.parameter for cause in diagnose(plain, ahead).causes] == ["sgd.momentum"]


@pytest.mark.parametrize(("epsilon", "measured"), [(0.03, True), (1e-8, False)])
def test_a_large_epsilon_is_measured_against_one_that_is_too_small_to_see(epsilon: float, measured: bool) -> None:
    """Though of the small one no more than its declaration is known; two that nobody can see are declared."""
    small = {"canonical": {"update": [{"rule": "adam", "epsilon": 1e-7}]}}
    large = {"canonical": {"update": [{"rule": "adam", "epsilon": epsilon}]}}
    a = on(lambda p: O.Adam(p, R, eps=1e-7)).profile("a", manifest=small)
    b = on(lambda p: O.Adam(p, R, eps=epsilon)).profile("b", manifest=large)
    for found in (diagnose(a, b), diagnose(b, a)):
        told = [cause for cause in (*found.causes, *found.harmless) if cause.parameter == "adam.epsilon"]
        assert [cause.how for cause in told] == ["measured" if measured else "declared"]
        assert found.matters is measured
