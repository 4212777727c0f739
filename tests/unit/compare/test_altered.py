"""Gradients that a program writes to by hand: what it adds may be what the other's optimizer does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.identify import conduct, rules
from auditor.compare.identify.fact import Fact
from auditor.compare.profile import Profile
from auditor.compare.recognise import optimizer, regularization
from auditor.compare.trajectories import Curve
from support.tiny import Tiny, sgd


def side(*, decay: float = 0.0, altered: bool = False, momentum: float = 0.9) -> Profile:
    """A run of SGD with momentum."""
    found = Tiny(stepper=lambda: sgd(weight_decay=decay, momentum=momentum)).profile()
    if altered:
        found.facts.add(Fact("update.altered", True))
    return found


@pytest.mark.parametrize(("altered", "told"), [(False, ["OPT-07"]), (True, [])])
def test_a_decay_that_the_other_may_add_by_hand_is_no_difference(altered: bool, told: list[str]) -> None:
    """Where nobody writes to the gradients it is one."""
    plain = side(altered=altered)
    for pair in ((side(decay=0.1), plain), (plain, side(decay=0.1))):
        assert [one.id for one in regularization.causes(*pair)] == told


@pytest.mark.parametrize(("limit", "told"), [(0.0, []), (0.01, ["OPT-07"])])
def test_what_cuts_by_hand_writes_to_gradients_too(limit: float, told: list[str]) -> None:
    """Where that is seen, a decay that the other has is one that this side lacks."""
    plain = side(altered=True)
    plain.facts.add(Fact("update.clip_norm", limit))
    assert [one.id for one in regularization.causes(side(decay=0.1), plain)] == told


def test_a_decay_that_both_have_is_compared_whatever_is_done_to_gradients() -> None:
    """Ten times as strong on one side."""
    found = regularization.causes(side(decay=0.1), side(decay=0.01, altered=True))
    assert [one.id for one in found] == ["OPT-07"]


@pytest.mark.parametrize("altered", [False, True])
def test_clipping_that_the_other_may_do_by_hand_is_no_difference(altered: bool) -> None:
    """Neither by norm."""
    clips, plain = side(), side(altered=altered)
    clips.facts.add(Fact("update.clip_norm", 0.01))
    assert bool([one for one in optimizer.causes(clips, plain) if one.parameter == "update.clipping"]) != altered


@pytest.mark.parametrize(
    ("by_hand", "how", "told"), [(True, "declared", False), (False, "declared", True), (True, "measured", True)]
)
def test_what_a_program_does_with_longer_gradients_nobody_knows(by_hand: bool, how: Any, told: bool) -> None:
    """Where it moves its weights itself, and the other's limit was never reached while that was looked at."""
    clips, plain = side(), replace(side(), by_hand=by_hand)
    clips.facts.add(Fact("update.clip_norm", 0.01, how=how))
    for pair in ((clips, plain), (plain, clips)):
        assert bool([one for one in optimizer.causes(*pair) if one.parameter == "update.clipping"]) is told


@pytest.mark.parametrize(
    ("curves", "manifest", "told"),
    [({}, {}, True), ({"clip_threshold": Curve(np.arange(1, 3), np.ones(2))}, {}, False),
     ({}, {"precision": {"grad_scaler": True}}, False)],
)  # fmt: skip
def test_what_the_library_writes_to_gradients_is_not_the_programs_doing(
    curves: Mapping[str, Curve], manifest: Mapping[str, Any], told: bool
) -> None:
    """Its clipping, which is told; a GradScaler's scale."""
    evidence = Tiny(steps=3).profile().evidence
    steps = tuple(replace(one, facts={**one.facts, "altered": True}) for one in evidence.steps)
    found = conduct.facts(replace(evidence, steps=steps), curves, manifest)
    assert ("update.altered" in {one.parameter for one in found}) == told


@pytest.mark.parametrize(
    ("top", "before", "told"), [(0.65, 1.3, False), (1.3, 1.3, True), (0.65, 0.6, True), (5, 9, True)]
)
def test_norms_that_end_above_a_limit_where_they_would_go_on_are_cut_to_it(
    top: float, before: float, told: bool
) -> None:
    """TensorFlow's global norm counts a row of a table that comes twice as two: cut to 0.5, it may be 0.65 long.

    Not where as much is to be awaited uncut, nor far from the limit.
    """
    steps = np.arange(1, 301)
    lengths = {"grad_norm_before_clip": np.linspace(0.1, before, 300), "grad_norm": np.linspace(0.1, top, 300)}
    curves = {name: Curve(steps, values) for name, values in lengths.items()}
    clips, plain = (replace(side(), curves=curves) for _ in "ab")
    clips.facts.add(Fact("update.clip_norm", 0.5))
    found = [[one.parameter for one in optimizer.causes(*pair)] for pair in ((clips, plain), (plain, clips))]
    assert [("update.clipping" in one) for one in found] == [told, told]


@pytest.mark.parametrize(("longest", "told"), [(0.5, False), (0.500002, False), (0.5004, True), (0.49, False)])
def test_norms_that_never_pass_the_limit_may_be_cut_to_it(longest: float, told: bool) -> None:
    """One step of hundreds that a loop cut between tape and optimizer, or none: to cut would change nothing there."""
    steps = np.arange(1, 301)
    norms = np.full(300, 0.3)
    cut, plain = (replace(side(), curves={"grad_norm": Curve(steps, norms.copy())}) for _ in "ab")
    cut.facts.add(Fact("update.clip_norm", 0.5))
    plain.curves["grad_norm"].values[7] = longest
    found = [[one.parameter for one in optimizer.causes(*pair)] for pair in ((cut, plain), (plain, cut))]
    assert [("update.clipping" in one) for one in found] == [told, told]


@pytest.mark.parametrize(
    ("rule", "place", "limit", "epsilon", "told"),
    [
        ("rmsprop", rules.UNDER, 0.25, 2.5e-8, False),
        ("rmsprop", rules.UNDER, 0.25, 1e-7, True),
        ("rmsprop", rules.OUTSIDE, 0.25, 5e-8, False),
        ("rmsprop", rules.OUTSIDE, 0.25, 2.5e-8, True),
        ("sgd", rules.OUTSIDE, 0.25, 5e-8, True),
    ],
)
def test_a_rule_that_knows_no_scale_knows_its_limit_by_its_epsilon(
    rule: str, place: str, limit: float, epsilon: float, told: bool
) -> None:
    """Where all gradients are cut: half the limit is half of what is added to the root, under it a quarter."""
    sides = (side(), side())
    for one, values in zip(sides, ((0.5, 1e-7), (limit, epsilon)), strict=True):
        known = {"rule": rule, "epsilon_placement": place, "clip_norm": values[0], "epsilon": values[1]}
        one.facts.measured |= {f"update.{name}": Fact(f"update.{name}", value) for name, value in known.items()}
    for pair in (sides, sides[::-1]):
        assert bool([one for one in optimizer.causes(*pair) if one.parameter == "update.clipping"]) is told
