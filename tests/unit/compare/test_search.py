"""Hypotheses about the update rule: many at a time as one by one, rules as they are written."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from auditor.compare.identify import rules, search
from auditor.compare.identify.hypothesis import Hypothesis, Sample, judge, scores

F64 = npt.NDArray[np.float64]


def sample(seed: int, steps: int = 8, counts: tuple[int, ...] = (4, 1, 30)) -> Sample:
    """Tensors of so many elements that move anyhow; of some nothing is asked, as their noise is infinite."""
    rng, elements = np.random.default_rng(seed), sum(counts)
    gradient, noise = rng.normal(size=(steps, elements)), rng.uniform(1e-9, 1e-7, (steps, elements))
    gradient[rng.random(gradient.shape) < 0.1] = 0.0
    noise[rng.random(noise.shape) < 0.1] = np.inf
    ends = np.cumsum([0, *counts])
    norms = np.sqrt(np.add.reduceat(gradient**2, ends[:-1], axis=1))
    return Sample(
        names=tuple(f"w{at}" for at in range(len(counts))),
        offsets=ends[:-1].astype(np.int64),
        weight=rng.normal(size=gradient.shape),
        gradient=gradient,
        moved=rng.normal(0, 0.01, gradient.shape),
        noise=noise,
        norms=norms,
        total=np.sqrt((norms**2).sum(axis=1)),
        rates=rng.uniform(1e-3, 1e-2, steps),
    )


@pytest.mark.parametrize("rule", search.families())
@pytest.mark.parametrize("seed", range(3))
def test_many_hypotheses_at_once_score_what_each_does_alone(rule: str, seed: int) -> None:
    """To the bit: which of two equal ones is the first must not depend on it. Overflow is a large error."""
    given, group = sample(seed), search.families()[rule]
    group += [group[0].with_(clip_value=0.5), group[0].with_(weight_decay=1e300, decay_coupling="decoupled")]
    alone = [judge(one, given) for one in group]
    assert scores(group, given).tolist() == [fit.score for fit in alone]
    found = min(alone, key=lambda fit: fit.score)
    assert search.best(group, given) == found


def test_no_hypothesis_scores_nothing() -> None:
    """And a large sample takes them one by one."""
    given = sample(0, steps=20, counts=(2000,))
    group = [Hypothesis("sgd", {"momentum": number}) for number in (0.0, 0.9, 0.5)]
    assert scores([], given).tolist() == []
    assert scores(group, given).tolist() == [judge(one, given).score for one in group]


def momentum(g: F64, rate: F64, p: dict[str, Any]) -> F64:
    """SGD a step at a time, as its documentation has it."""
    mu, damp, inside = p["momentum"], p.get("dampening", 0.0), p.get("momentum_buffer") == "rate inside"
    buffer, moved = np.zeros_like(g[0]), np.empty_like(g)
    for t, grad in enumerate(g):
        fresh = grad * (rate[t] if inside else 1.0)
        buffer = mu * buffer + (fresh if t == 0 else (1 - damp) * fresh)
        step = fresh + mu * buffer if p.get("nesterov") else buffer
        moved[t] = -step if inside else -rate[t] * step
    return moved


@pytest.mark.parametrize("own", [False, True], ids=["one rate", "a rate of each element"])
@pytest.mark.parametrize("buffer", ["rate inside", "rate outside"])
@pytest.mark.parametrize("more", [{}, {"nesterov": True}, {"dampening": 0.5}])
def test_momentum_is_what_it_is_step_by_step(more: dict[str, Any], buffer: str, own: bool) -> None:
    """To the bit."""
    rng = np.random.default_rng(0)
    g, rate = rng.normal(size=(20, 7)), rng.uniform(0.01, 0.1, (20, 7 if own else 1))
    settings = {"momentum": 0.9, "momentum_buffer": buffer, **more}
    assert np.array_equal(rules.sgd(rules.Gradients(g), rate, settings), momentum(g, rate, settings))


@pytest.mark.parametrize("decay", [0.0, 0.9, 1.0])
def test_a_running_mean_is_what_it_is_step_by_step(decay: float) -> None:
    """From zero, to the bit; what it is of stays as it was."""
    x = np.random.default_rng(0).normal(size=(20, 7))
    given, state, found = x.copy(), np.zeros(7), []
    for value in x:
        state = decay * state + (1 - decay) * value
        found.append(state)
    assert np.array_equal(rules.ema(x, decay), found)
    assert np.array_equal(x, given)


def test_running_means_are_kept_and_given_back_by_what_they_are_of() -> None:
    """Of the gradient and of its square, whatever was asked for between; not ever more of them."""
    g = np.random.default_rng(0).normal(size=(5, 3))
    given, asked = rules.Gradients(g), np.linspace(0, 1, 50)
    for decay in (*asked, *asked):
        assert np.array_equal(given.mean(decay), rules.ema(g, decay))
        assert np.array_equal(given.square(decay), rules.ema(g * g, decay))
    assert given.mean(0.5) is given.mean(0.5)
