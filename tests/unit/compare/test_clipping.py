"""Gradients that are cut tensor by tensor: what their lengths, each and together, say of the limit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify import conduct
from auditor.compare.identify.clipping import once
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise import optimizer
from auditor.compare.trajectories import Curve
from support.tiny import Tiny, sgd

LIMIT = 0.15


def shortened(gradients: list[Any], limit: float) -> list[Any]:
    """Each cut to a length."""
    return [one * np.float32(min(1.0, limit / max(float(np.linalg.norm(one)), 1e-12))) for one in gradients]


def run(limit: float = LIMIT, **more: Any) -> Profile:
    """A loop that cuts between tape and optimizer: gradients are recorded after it."""
    return Tiny(stepper=lambda: sgd(0.05), steps=16, gradients=lambda g: shortened(g, limit), **more).profile()


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        ({"clip_norm": 0.3, "clip_norm_per_variable": 0.15}, {"clip_norm_per_variable": 0.15}),
        ({"clip_norm": 0.15 * 3**0.5, "clip_norm_per_variable": 0.15}, {"clip_norm_per_variable": 0.15}),
        ({"clip_norm": 0.2, "clip_norm_per_variable": 0.15}, {"clip_norm": 0.2, "clip_norm_per_variable": 0.15}),
        ({"clip_norm": 0.45, "clip_norm_per_variable": 0.15}, {"clip_norm": 0.45, "clip_norm_per_variable": 0.15}),
        ({"clip_norm": 0.3}, {"clip_norm": 0.3}),
    ],
)
def test_lengths_of_some_tensors_together_are_no_other_limit(limits: dict[str, float], told: dict[str, float]) -> None:
    """Of four tensors: two lengths, and no root of a number of them is a limit of its own."""
    assert once(limits, 4) == told


def test_a_loop_that_cuts_each_gradient_clips_as_one_of_another_limit_does_not() -> None:
    """Where all are cut, their norm together is one number as well, which one of the two may not tell."""
    loop, same = run(1e-4, framework="tensorflow"), run(1e-4)
    assert loop.value("update.clip_norm") == pytest.approx(2e-4, rel=1e-3)
    assert loop.value("update.clip_norm_per_variable") == pytest.approx(1e-4, rel=1e-3)
    same.facts.add(Fact("update.clip_norm", 0.0))
    assert not [one for one in optimizer.causes(loop, same) if one.parameter == "update.clipping"]
    assert [one for one in optimizer.causes(loop, run(3e-4)) if one.parameter == "update.clipping"]


@pytest.mark.parametrize(
    ("cut", "told"),
    [
        (lambda g: shortened(g, LIMIT), "update.clip_norm_per_variable"),
        (lambda g: [np.clip(one, -LIMIT, LIMIT) for one in g], "update.clip_value"),
    ],
)
def test_the_library_called_for_each_tensor_cuts_each(cut: Callable[[list[Any]], list[Any]], told: str) -> None:
    """``clip_grad_norm_([p], limit)``: no tensor is longer than its limit, and by value some are."""
    evidence = Tiny(stepper=lambda: sgd(0.05), steps=16, gradients=cut).profile().evidence
    short = np.linspace(0.2, 0.25, 16)
    told_of = {"clip_threshold": np.full(16, LIMIT), "grad_norm": short, "grad_norm_before_clip": 2 * short}
    curves = {name: Curve(np.arange(1, 17), values) for name, values in told_of.items()}
    found = {fact.parameter: fact.value for fact in conduct.facts(evidence, curves, {})}
    assert found.get(told) == LIMIT
