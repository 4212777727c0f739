"""The flight recorder's frames, read: exact values, references, damage."""

from __future__ import annotations

import math
import struct
from typing import Any

import numpy as np
import pytest

from auditor.ingest.records import arrays, assemble, check
from auditor_agent.stream.recording import Array, Recording
from auditor_agent.stream.wire import Frame, WireError
from support.golden import recording
from support.recordings import assembled, chunks


def test_every_value_comes_back_exactly() -> None:
    """Non-finite numbers, signed zeros, denormals; bfloat16 as float32."""
    header, block = next(recording().parts())
    found = {(a.role, a.name): a for a in arrays(header, block)}
    gradient = found["gradient", "a.weight"].whole()
    assert gradient.shape == (2, 3)
    assert gradient.tobytes() == struct.pack("<6f", 1, -2, math.inf, math.nan, -0.0, 1e-45)
    brain = found["updated", "b"]
    assert brain.sampled
    assert brain.indices.tolist() == [0, 499, 999]
    assert brain.values is not None
    assert brain.values.dtype == np.float32
    assert brain.values.tolist() == [1.0, -2.0, math.inf]
    assert found["state.step", "b"].whole().tolist() == 1e-300
    assert found["target", "0"].whole().shape == (0,)
    assert found["output", "0"].whole().tolist() == [True, False, True]
    with pytest.raises(ValueError, match="3 of 1000 elements"):
        brain.whole()


def test_a_weight_that_was_referred_to_is_filled_in() -> None:
    """From ``updated`` one step before; without that it is left out and counted."""
    data = struct.pack("<2f", 1, 2)

    def step(number: int, before: bytes) -> Recording:
        return Recording(
            number,
            [Array("weight", "a", "float32", (2,), 2, before), Array("updated", "a", "float32", (2,), 2, data)],
            {"loss": math.inf},
        )

    one, two, four = assembled([step(1, data), step(2, b""), step(4, b"")])
    assert two.of("weight")["a"].whole().tolist() == [1.0, 2.0]
    assert one.scalars == {"loss": math.inf}
    assert four.of("weight") == {}
    assert four.left_out == {"reference_lost": 1}
    assert one.complete


def test_a_step_whose_parts_did_not_all_arrive_says_so() -> None:
    """It is incomplete; what arrived can be read."""
    big = [Array("gradient", f"t{i}", "uint8", (1 << 20,), 1 << 20, bytes(1 << 20)) for i in range(3)]
    stored = chunks([Recording(1, big)])
    (found,) = assemble(stored[:-1])
    assert not found.complete
    assert len(found.arrays) == len(stored) - 1
    (whole,) = assemble(reversed(stored))
    assert whole.complete


@pytest.mark.parametrize(
    "entry",
    [
        ["weight", "a", "float32", [2], 2, 0, 8],
        ["weight", "a", "float32", [2], 3, 0, 12, False],
        ["weight", "a", "float32", [2], 2, 8, 8, False],
        ["weight", "a", "float32", [2], 2, -8, 8, False],
        ["weight", "a", "float32", [-2], 2, 0, 8, False],
        ["weight", "a", "float32", [True], 1, 0, 4, False],
        ["weight", "a", "object", [1], 1, 0, 8, False],
        ["weight", "a", "float32", [2**40, 2**40], 2, 0, 8, True],
        ["gradient", "a", "float32", [2], 2, 0, 0, False],
        ["weight", 3, "float32", [2], 2, 0, 8, False],
        ["weight", "a", ["float32"], [2], 2, 0, 8, False],
        "weight",
    ],
)
def test_a_header_that_does_not_add_up_is_refused(entry: Any) -> None:
    """Before any array is made."""
    header = {"step": 1, "part": 0, "parts": 1, "arrays": [entry]}
    with pytest.raises(WireError):
        check(Frame(header, memoryview(bytes(8))))


def test_parts_and_facts_are_checked() -> None:
    """A part beyond the parts, facts that are no object."""
    good: dict[str, Any] = {"step": 1, "part": 0, "parts": 1, "arrays": []}
    check(Frame(good, memoryview(b"")))
    for change in (
        {"part": 1},
        {"step": -1},
        {"facts": []},
        {"scalars": {"loss": None}},
        {"arrays": {}},
        {"parts": 1.0},
    ):
        with pytest.raises(WireError):
            check(Frame(good | change, memoryview(b"")))
