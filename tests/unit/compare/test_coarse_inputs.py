"""Inputs that Keras's mixed precision rounds before the layer that centres them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from auditor.compare.identify import precision as identify
from auditor.compare.identify.fact import Fact
from auditor.compare.identify.fed import Affine
from auditor.compare.profile import Beside, Facts, Profile, profile
from auditor.compare.recognise import data, precision
from support.tiny import Tiny


def ways(mean: float, spread: float) -> list[Affine]:
    """A layer that takes a mean off and divides by a spread; of a second input nothing."""
    scale = np.array([1 / spread, 1.0], np.float32)
    return [Affine(scale, np.array([-mean / spread, 0.0], np.float32))]


@pytest.mark.parametrize(("mean", "spread"), [(1008.0, 4.0), (285.0, 3.0), (-40.0, 3.0)])
def test_the_rounding_is_that_of_the_format(mean: float, spread: float) -> None:
    """As many numbers around the mean are off when they are rounded."""
    import torch

    values = mean + torch.linspace(-spread, spread, 4001, dtype=torch.float64)
    off = (values.bfloat16().double() - values).std().item() / spread
    [fact] = identify.of_inputs(ways(mean, spread), "mixed_bfloat16")
    assert fact.value == pytest.approx(off, rel=0.25)


def test_without_such_a_policy_nothing_is_rounded() -> None:
    """Nor without a layer that scales; pixels that are divided lose nothing that counts."""
    assert identify.of_inputs(ways(1008.0, 4.0), "float32") == []
    assert identify.of_inputs(ways(1008.0, 4.0), None) == []
    assert identify.of_inputs([], "mixed_bfloat16") == []
    pixels = identify.of_inputs([Affine(np.array([1 / 255], np.float32), np.zeros(1, np.float32))], "mixed_bfloat16")
    assert pixels[0].value < 1e-9


def test_times_of_day_lose_their_digits_in_float32() -> None:
    """Seconds since 1970 lie 128 apart: of twenty minutes a tenth of their spread. In float64 they lose nothing."""
    [fact] = identify.of_inputs(ways(1.7e9, 345.0), "float32", "float32")
    assert fact.value == pytest.approx(128 / np.sqrt(12) / 345, rel=1e-3)
    assert identify.of_inputs(ways(1.7e9, 345.0), "float32", "float64") == []


def test_numbers_that_float32_does_not_hold_are_an_input_of_float64() -> None:
    """No policy's doing; what follows for the batches is no cause beside it."""
    rounds, whole = side(0.1, "float32", "float32"), side(0.0, "float32", "float32")
    assert [(one.id, one.parameter) for one in precision.causes(rounds, whole)] == [("DATA-04", "precision.inputs")]
    x = np.random.default_rng(0).normal(size=(96, 6)).astype(np.float32)
    coarse, fine = Tiny(x=np.round(x * 2) / 2).profile(), Tiny(x=x).profile()
    assert [one.id for one in data.causes(coarse, fine)] == ["DATA-00"]
    coarse.facts.add(Fact("precision.inputs", 0.1))
    assert list(data.causes(coarse, fine)) == []


def side(rounding: float, compute: str = "bfloat16", policy: str = "mixed_bfloat16") -> Profile:
    """A run with this rounding of its inputs."""
    found = Facts()
    for fact in (Fact("precision.inputs", rounding), Fact("precision.policy", policy),
                 Fact("precision.compute", compute)):  # fmt: skip
        found.add(fact)
    return replace(profile("a", "keras", [], Beside()), facts=found)


@pytest.mark.parametrize(
    ("sizes", "told"), [((0.3, 0.0), True), ((0.0, 0.3), True), ((0.3, 0.25), False), ((0.01, 0.0), False)]
)
def test_it_is_told_where_one_side_alone_rounds(sizes: tuple[float, float], told: bool) -> None:
    """As measured where the bits of what was computed show that the policy acts."""
    found = [one for one in precision.causes(*map(side, sizes)) if one.parameter == "precision.inputs"]
    assert [(one.id, one.how, one.mend) for one in found] == (
        [("PREC-01", "measured", "a" if sizes[0] else "b")] if told else []
    )
    sides = [side(size, "float32") for size in sizes]
    assert all(one.how == "declared" for one in precision.causes(*sides) if one.parameter == "precision.inputs")
