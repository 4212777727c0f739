"""What a difference of layers counts for where it cannot be replayed."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from auditor.compare.recognise import sizes
from auditor.compare.structure import Difference, Operation
from support.tiny import Tiny


def activation(name: str) -> Operation:
    """An activation as a network has it."""
    return Operation("activation", "", {"function": name})


def test_what_cannot_be_replayed_counts_as_two_activations_do_that_can() -> None:
    """The median over all pairs that are known, through the public door."""
    profile = Tiny(steps=1).profile()
    names = (
        *("linear", "relu", "relu6", "tanh", "sigmoid", "gelu", "elu", "selu", "silu", "softplus", "softsign", "mish"),
        *("leakyrelu", "prelu", "hardtanh", "hardsigmoid", "hardsilu", "exponential"),
    )
    pairs = [
        sizes.of(Difference(activation(a), activation(b), "function"), profile, profile)[0]
        for a, b in itertools.combinations(names, 2)
    ]
    assert np.median(pairs) == pytest.approx(sizes.ANOTHER, abs=0.05)
