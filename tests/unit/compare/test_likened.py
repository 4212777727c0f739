"""A rule that no search found, known because the other side's is next to it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.compare import likened
from auditor.compare.identify import rules
from auditor.compare.identify.evidence import Evidence, evidence
from auditor.compare.identify.hypothesis import Hypothesis
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import Stepper, Tiny, Weights

RATES = [1e-2 * 0.5 * (1 + float(np.cos(np.pi * at / 40))) for at in range(14)]
OTHER = Hypothesis("adam", {"beta_1": 0.9, "beta_2": 0.99, "epsilon": 1e-8, "epsilon_placement": rules.AFTER,
                            "weight_decay": 0.05, "decay_coupling": "decoupled"})  # fmt: skip


def adam(limit: float, decay: float) -> Stepper:
    """Adam under a schedule, of gradients that are cut to one length of all and to which a decay is added."""
    memory: dict[int, list[np.ndarray]] = {}

    def step(weights: Weights, gradients: Weights, at: int) -> Weights:
        length = float(np.sqrt(sum(float((g.astype(np.float64) ** 2).sum()) for g in gradients)))
        moved = []
        for place, (w, g) in enumerate(zip(weights, gradients, strict=True)):
            m, v = memory.get(place, [np.zeros_like(w), np.zeros_like(w)])
            cut = g * min(1.0, limit / length) + decay * w
            m, v = 0.9 * m + 0.1 * cut, 0.99 * v + 0.01 * cut * cut
            memory[place] = [m, v]
            root = np.sqrt(v / (1 - 0.99 ** (at + 1))) + 1e-8
            moved.append((w - RATES[at] * m / (1 - 0.9 ** (at + 1)) / root).astype(np.float32))
        return moved

    return step


def scrambled() -> Stepper:
    """Steps that follow no rule."""
    rng = np.random.default_rng(3)
    return lambda weights, _, __: [(w + 0.01 * rng.standard_normal(w.shape)).astype(np.float32) for w in weights]


def recorded(stepper: Stepper) -> Evidence:
    """A run of which no rate is recorded."""
    steps = [Recording(one.step, one.arrays, {"loss": one.scalars["loss"]}, dict(one.facts))
             for one in Tiny(lambda: stepper, steps=len(RATES)).recordings()]  # fmt: skip
    return evidence("torch", assembled(steps))


@pytest.mark.parametrize(("limit", "decay"), [(0.6, 0.05), (0.6, 0.0), (1e9, 0.05)])
def test_the_other_sides_rule_with_one_setting_otherwise_is_found(limit: float, decay: float) -> None:
    """Coupled, or without its decay, and clipped besides, at rates that stand nowhere."""
    found = likened.rule(recorded(adam(limit, decay)), OTHER)
    assert found is not None
    settings = found.fit.hypothesis.settings
    assert settings.get("weight_decay") == pytest.approx(decay, rel=1e-3)
    assert not decay or settings["decay_coupling"] == "coupled"
    assert settings.get("clip_norm", 1e9) == pytest.approx(limit, rel=1e-2)
    np.testing.assert_allclose(found.sample.rates, RATES, rtol=1e-3)


def test_what_follows_no_rule_stays_unknown() -> None:
    """However close the other side's is."""
    assert likened.rule(recorded(scrambled()), OTHER) is None


def test_a_side_whose_rule_was_found_keeps_it() -> None:
    """And of one whose is not, only if the program moves its weights by hand."""
    known = Tiny().profile()
    assert likened.sides(known, known) == (known, known)
    other = replace(known, run="b", update=None)
    assert likened.sides(known, other) == (known, other)
    mine, found = likened.sides(known, replace(other, by_hand=True))
    assert mine is known
    assert found.update is not None
    assert found.value("update.rule") == known.value("update.rule")
