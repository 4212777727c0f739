"""Programs that write their optimizer out by hand: no rate is recorded, and the rule is known all the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.causes import Diagnosis, diagnose
from auditor.compare.identify import free_rates, rules, update
from auditor.compare.identify.hypothesis import Hypothesis, judge
from auditor.compare.profile import Beside, Profile, profile
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Stepper, Tiny, Weights, adam, array, name, sgd

STEPS = 14
RATE = 1e-2
WARM = [RATE * (at + 1) / STEPS for at in range(STEPS)]
FALLING = [RATE * 0.5 * (1 + float(np.cos(np.pi * at / 40))) for at in range(STEPS)]
BY_HAND: Mapping[str, Any] = {"optimizer": {"class": "auditor_agent.integrations.torch.byhand.UpdateByHand"}}


def by_hand(rule: Callable[[np.ndarray, np.ndarray, dict[str, Any], int], np.ndarray]) -> Callable[[], Stepper]:
    """A rule of one weight, its gradient, a memory and the step (from 1) as a stepper of float32 numbers."""

    def make() -> Stepper:
        memory: dict[int, dict[str, Any]] = {}

        def step(weights: Weights, gradients: Weights, at: int) -> Weights:
            pairs = zip(weights, gradients, strict=True)
            moved = [rule(w, g, memory.setdefault(place, {}), at + 1) for place, (w, g) in enumerate(pairs)]
            return [one.astype(np.float32) for one in moved]

        return step

    return make


def own_adam(
    rates: Sequence[float] = (RATE,) * STEPS,
    beta_2: float = 0.999,
    epsilon: float = 1e-8,
    decay: float = 0.0,
    *,
    beta_1: float = 0.9,
    corrected: bool = True,
) -> Callable[[], Stepper]:
    """Adam, or AdamW."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        m = memory["m"] = beta_1 * memory.get("m", 0.0) + (1 - beta_1) * g
        v = memory["v"] = beta_2 * memory.get("v", 0.0) + (1 - beta_2) * g * g
        if corrected:
            m, v = m / (1 - beta_1**t), v / (1 - beta_2**t)
        rate = rates[t - 1]
        moved: np.ndarray = w * (1 - rate * decay) - rate * m / (np.sqrt(v) + epsilon)
        return moved

    return by_hand(rule)


def own_rmsprop(rho: float = 0.9, rates: Sequence[float] = (RATE,) * STEPS) -> Callable[[], Stepper]:
    """RMSprop."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        v = memory["v"] = rho * memory.get("v", 0.0) + (1 - rho) * g * g
        moved: np.ndarray = w - rates[t - 1] * g / (np.sqrt(v) + 1e-8)
        return moved

    return by_hand(rule)


def own_momentum(rates: Sequence[float] = (RATE,) * STEPS, *, nesterov: bool = False) -> Callable[[], Stepper]:
    """Momentum of 0.9."""

    def rule(w: np.ndarray, g: np.ndarray, memory: dict[str, Any], t: int) -> np.ndarray:
        buffer = memory["b"] = 0.9 * memory.get("b", 0.0) + g
        moved: np.ndarray = w - rates[t - 1] * (g + 0.9 * buffer if nesterov else buffer)
        return moved

    return by_hand(rule)


def scrambled() -> Stepper:
    """Steps that follow no rule."""
    rng = np.random.default_rng(3)
    return lambda weights, _, __: [(w + 0.01 * rng.standard_normal(w.shape)).astype(np.float32) for w in weights]


def unrated(
    stepper: Callable[[], Stepper],
    manifest: Mapping[str, Any] | None = BY_HAND,
    missed: int = 0,
    *,
    kept: bool = True,
    steps: int = STEPS,
) -> Profile:
    """A run of which no rate is recorded; the first ``missed`` steps only as the agent keeps them, or not at all."""
    recordings = [Recording(one.step, one.arrays, _without_rate(one.scalars), dict(one.facts))
                  for one in Tiny(stepper, steps=steps).recordings()]  # fmt: skip
    first = recordings[missed]
    more = [
        array(f"state.missed.{back}.{one.role}", one.name, _values(one))
        for back in range(1, missed + 1)
        for one in recordings[missed - back].arrays
        if kept and one.role in {"weight", "gradient"}
    ]
    recordings[missed] = Recording(first.step, [*first.arrays, *more], dict(first.scalars), dict(first.facts))
    return profile("b", "torch", assembled(recordings[missed:]), Beside(manifest, last_step=steps))


def _values(one: Any) -> np.ndarray:
    return np.frombuffer(one.data, one.dtype).reshape(one.shape)


def _without_rate(scalars: Mapping[str, float]) -> dict[str, float]:
    return {key: value for key, value in scalars.items() if key != "lr"}


def library(stepper: Callable[[], Stepper], rates: Sequence[float] = (RATE,) * STEPS) -> Profile:
    """The same by an optimizer whose rate is recorded."""
    return Tiny(stepper, steps=STEPS, rate=list(rates)).profile()


def claimed(found: Diagnosis) -> set[tuple[str, str]]:
    """What makes the two a mismatch."""
    return {(one.id, one.parameter) for one in found.claims}


CASES = {
    "adam": (own_adam(), "adam", {"beta_1": 0.9, "beta_2": 0.999, "bias_correction": True}),
    "beta": (own_adam(beta_2=0.95), "adam", {"beta_2": 0.95}),
    "adamw": (own_adam(decay=0.3), "adam", {"weight_decay": 0.3, "decay_coupling": "decoupled"}),
    "uncorrected": (own_adam(corrected=False), "adam", {"bias_correction": False}),
    "adamw, cosine": (
        own_adam(FALLING, 0.99, decay=0.05),
        "adam",
        {"weight_decay": 0.05, "decay_coupling": "decoupled"},
    ),
    "warm-up": (own_adam(WARM), "adam", {"beta_2": 0.999, "bias_correction": True}),
    "cosine": (own_adam(FALLING), "adam", {"beta_2": 0.999, "bias_correction": True}),
    "uncorrected warm-up": (own_adam(WARM, corrected=False), "adam", {"bias_correction": False}),
    "rmsprop": (own_rmsprop(), "rmsprop", {"decay": 0.9, "momentum": 0.0}),
    "long rmsprop": (own_rmsprop(0.99), "rmsprop", {"decay": 0.99}),
    "momentum": (own_momentum(), "sgd", {"momentum": 0.9, "nesterov": False}),
    "nesterov": (own_momentum(FALLING, nesterov=True), "sgd", {"momentum": 0.9, "nesterov": True}),
}


@pytest.mark.parametrize(
    ("case", "missed"),
    [*((case, 0) for case in CASES), *((case, 2) for case in ("adam", "uncorrected warm-up", "rmsprop", "nesterov"))],
)
def test_a_rule_by_hand_is_named_with_its_settings(case: str, missed: int) -> None:
    """Though its rate stands nowhere, and the agent comes two steps late."""
    stepper, rule, settings = CASES[case]
    found = unrated(stepper, missed=missed)
    assert found.update is not None
    assert found.update.fit.explains
    assert found.value("update.rule") == rule
    assert {key: found.value(f"update.{key}") for key in settings} == pytest.approx(settings)


@pytest.mark.parametrize("rates", [WARM, FALLING, [RATE] * STEPS], ids=["warm-up", "cosine", "constant"])
def test_the_rates_are_found(rates: Sequence[float]) -> None:
    """Step by step, and stand where recorded ones do."""
    found = unrated(own_adam(rates))
    np.testing.assert_allclose(found.curves["lr"].values, rates, rtol=1e-4)
    assert found.value("update.learning_rate") == pytest.approx(rates[0], rel=1e-4)


def test_momentum_whose_gradients_are_all_cut_is_no_rule_that_knows_a_scale() -> None:
    """An epsilon that hides the scale moves the weights as SGD does; rate and limit are told as their product."""

    def rule(gradients: Weights) -> float:
        return min(1.0, 1e-3 / float(np.sqrt(sum(float((g**2).sum()) for g in gradients))))

    def make() -> Stepper:
        buffers: dict[int, np.ndarray] = {}

        def step(weights: Weights, gradients: Weights, at: int) -> Weights:
            del at
            cut = rule(gradients)
            for place, g in enumerate(gradients):
                buffers[place] = 0.9 * buffers.get(place, np.zeros_like(g)) - 3.0 * cut * g
            return [(w + buffers[place]).astype(np.float32) for place, w in enumerate(weights)]

        return step

    found = unrated(make)
    assert (found.value("update.rule"), found.value("update.momentum")) == ("sgd", 0.9)
    assert found.value("update.clip_step") == {"clip_norm": pytest.approx(3e-3, rel=1e-3)}


@pytest.mark.parametrize(("epsilon", "rule"), [(1e6, "sgd"), (1e-8, "adam")])
def test_an_epsilon_that_hides_the_scale_leaves_sgd(epsilon: float, rule: str) -> None:
    """Of a reading that explains the steps; a scale that the steps do show is no SGD's."""
    known = unrated(own_adam([RATE * max(1.0, epsilon)] * STEPS, epsilon=epsilon, corrected=False))
    given = update.sample(known.evidence, update.ELEMENTS)
    assert given is not None
    settings = {"beta_1": 0.9, "beta_2": 0.999, "bias_correction": False}
    adams = Hypothesis("adam", {**settings, "epsilon": epsilon, "epsilon_placement": rules.AFTER})
    won = judge(adams, replace(given, free=free_rates.ONE))
    assert won.explains
    assert update._plainer(won, replace(given, free=free_rates.ONE)).hypothesis.rule == rule


def test_weights_before_the_steps_that_were_missed_are_those_that_were_drawn() -> None:
    """Where they were kept; else nobody knows what the run began with."""
    known = unrated(own_adam(), missed=2)
    assert known.value("init.dense.kernel") == library(adam).value("init.dense.kernel")
    assert [one.size for one in known.evidence.beginning.values()] == [144, 24, 24, 1]
    assert unrated(own_adam(), missed=2, kept=False).value("init.dense.kernel") is None


def test_the_same_rule_of_a_library_is_no_mismatch() -> None:
    """A schedule of the program's own against a scheduler, though the agent comes two steps late."""
    stepper = torch_adam(FALLING)
    assert claimed(diagnose(library(stepper, FALLING), unrated(own_adam(FALLING), missed=2))) == set()


@pytest.mark.parametrize(
    ("other", "cause"),
    [
        (own_adam(corrected=False), ("OPT-00", "adam.bias_correction")),
        (own_adam(beta_2=0.9), ("OPT-02", "adam.beta_2")),
        (own_adam(beta_1=0.5), ("OPT-02", "adam.beta_1")),
        (own_adam(decay=0.3), ("OPT-04", "update.weight_decay")),
        (own_adam([2 * RATE] * STEPS), ("OPT-01", "update.learning_rate")),
        (own_adam(WARM), ("SCH-01", "update.schedule")),
        (own_rmsprop(), ("OPT-00", "update.rule")),
    ],
)
def test_another_rule_by_hand_is_told(other: Callable[[], Stepper], cause: tuple[str, str]) -> None:
    """Against a library's, and against one by hand."""
    assert cause in claimed(diagnose(library(adam), unrated(other)))
    assert cause in claimed(diagnose(unrated(own_adam()), unrated(other)))


def test_a_rule_that_cannot_be_known_claims_nothing() -> None:
    """It is told. Of steps that a library's optimizer made it stays a finding."""
    hidden = diagnose(library(adam), unrated(scrambled))
    assert [one.id for one in hidden.causes] == ["OPT-00"]
    assert claimed(hidden) == set()
    assert ("OPT-00", "update.rule") in claimed(diagnose(library(adam), unrated(scrambled, None)))


def test_what_follows_from_it_claims_nothing() -> None:
    """Decay and clipping that one side is known to have may well be in the other."""
    decayed = Tiny(lambda: torch_adamw(0.3), steps=STEPS).profile()
    assert claimed(diagnose(decayed, unrated(scrambled))) == set()
    assert ("OPT-04", "update.weight_decay") in claimed(diagnose(decayed, unrated(own_adam())))


def test_a_memory_of_steps_that_nobody_kept_hides_the_rule() -> None:
    """Which is no difference either."""
    found = unrated(own_adam(), missed=2, kept=False)
    assert found.rule_hidden
    assert claimed(diagnose(library(adam), found)) == set()


def test_rates_that_fit_anything_claim_no_rule() -> None:
    """One number that moves is explained by any rule, at a rate of its own for each step."""
    moved, noise = np.full((6, 3), 1e-3), np.full((6, 3), 1e-9)
    assert not free_rates.telling(moved, noise)
    assert free_rates.telling(np.full((6, 30), 1e-3), np.full((6, 30), 1e-9))
    assert not free_rates.telling(np.full((6, 30), 1e-9), np.full((6, 30), 1e-9))


def test_a_weight_that_is_assigned_twice_is_looked_at_until_the_next_step() -> None:
    """A tape sees the first assignment of the last variable alone; what is between is none of another hand's."""
    steps = Tiny(own_adam(decay=0.3), steps=STEPS).recordings()
    halved = []
    for one in steps:
        last = name(3)
        weight = next(a for a in one.arrays if (a.role, a.name) == ("weight", last))
        arrays = [array("updated", last, _values(weight)) if (a.role, a.name) == ("updated", last) else a
                  for a in one.arrays]  # fmt: skip
        halved.append(Recording(one.step, arrays, _without_rate(one.scalars), dict(one.facts)))
    manifest = {"optimizer": None}
    found = profile("b", "tensorflow", assembled(halved), Beside(manifest, last_step=STEPS))
    assert found.value("update.weight_decay") == pytest.approx(0.3)
    decayed = Tiny(lambda: torch_adamw(0.3), steps=STEPS).profile()
    assert claimed(diagnose(decayed, found)) == set()


def cut(gradients: Weights, limit: float) -> Weights:
    """Cut to a global norm."""
    norm = np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients))
    return [(g * min(1.0, limit / (norm + 1e-6))).astype(g.dtype) for g in gradients]


def own_clipping(limit: float) -> Callable[[], Stepper]:
    """Plain SGD that cuts what the tape gave."""
    return lambda: (
        lambda weights, gradients, _: [
            (w - RATE * g).astype(np.float32) for w, g in zip(weights, cut(gradients, limit), strict=True)
        ]
    )


@pytest.mark.parametrize(("limit", "told"), [(0.02, set()), (0.05, {"OPT-19"}), (None, {"OPT-19"})])
def test_a_limit_and_a_rate_that_act_at_every_step_are_one_number(limit: float | None, told: set[str]) -> None:
    """Cut by hand to 0.02 at a rate that stands nowhere, beside a library that cuts at the same rate, or does not."""
    gradients = (lambda g: g) if limit is None else (lambda g: cut(g, limit))
    theirs = Tiny(sgd, steps=STEPS, rate=RATE, gradients=gradients).profile()
    mine = unrated(own_clipping(0.02))
    assert mine.value("update.learning_rate") is None
    assert mine.value("update.clip_step") == {"clip_norm": pytest.approx(0.02 * RATE, rel=1e-3)}
    for pair in ((mine, theirs), (theirs, mine)):
        assert {one.id for one in diagnose(*pair).causes} == told


def torch_adam(rates: Sequence[float]) -> Callable[[], Stepper]:
    """PyTorch's Adam at these rates."""
    import torch

    from support.tiny import torch_stepper

    return lambda: torch_stepper(lambda p: torch.optim.Adam(p, lr=RATE), rates)


def torch_adamw(decay: float) -> Stepper:
    """PyTorch's AdamW."""
    import torch

    from support.tiny import torch_stepper

    return torch_stepper(lambda p: torch.optim.AdamW(p, lr=RATE, weight_decay=decay))
