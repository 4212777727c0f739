"""PyTorch's LSTM adds two biases and trains both: their sum moves twice as far as the one of another framework."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from auditor.compare.profile import Beside, Profile, profile
from auditor.compare.recognise import biases
from auditor.compare.structure import Operation, Structure
from auditor_agent.stream.recording import Recording
from support.recordings import assembled
from support.tiny import array

ONE = {"rnn.weight_ih_l0": (64, 6), "rnn.bias_ih_l0": (64,), "head.weight": (1, 16), "head.bias": (1,)}
TWO = {**ONE, "rnn.bias_hh_l0": (64,)}


def run(shapes: dict[str, tuple[int, ...]], still: str = "", kind: str = "lstm") -> Profile:
    """Steps of a network with a cell of this kind, in which every weight but one moves by as much."""
    steps = []
    for at in range(1, 4):
        arrays: list[Any] = []
        for name, shape in shapes.items():
            moved = 0.0 if name == still else 0.1
            arrays += [array("weight", name, np.full(shape, at * moved, "f4")),
                       array("gradient", name, np.ones(shape, "f4")),
                       array("updated", name, np.full(shape, (at + 1) * moved, "f4"))]  # fmt: skip
        steps.append(Recording(at, arrays, {"loss": 1.0}, {}))
    made = profile("a", "torch", assembled(steps), Beside())
    network = Structure((Operation(kind, "rnn", {"units": 16}), Operation("dense", "head", {"units": 1})))
    return replace(made, structure=network)


@pytest.mark.parametrize(
    ("left", "right", "told"),
    [
        (run(TWO), run(ONE), True),
        (run(TWO), run(TWO), False),
        (run(TWO, still="rnn.bias_hh_l0"), run(ONE), False),
        (run(TWO, kind="gru"), run(ONE, kind="gru"), False),
        (run(TWO), run({**ONE, "more": (64,)}), False),
    ],
    ids=["one more", "two on both sides", "one of them rests", "not only added", "as many vectors"],
)
def test_a_second_bias_that_is_trained_is_told(left: Profile, right: Profile, told: bool) -> None:
    """By its part in the steps; whichever side has it is the one to mend."""
    share = np.sqrt(64 / sum(int(np.prod(shape)) for shape in TWO.values()))
    for a, b, mend in ((left, right, "a"), (right, left, "b")):
        found = list(biases.causes(a, b))
        assert [(one.id, one.parameter, one.mend) for one in found] == (
            [("FWD-14", "lstm.biases", mend)] if told else []
        )
        assert all(one.weight == pytest.approx(share, rel=1e-5) for one in found)
