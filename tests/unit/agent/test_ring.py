from __future__ import annotations

from typing import Any

import pytest

from auditor_agent.stream.ledger import Ledger
from auditor_agent.stream.ring import Block, Ring


def test_an_append_that_breaks_off_leaves_the_block_whole() -> None:
    """Whatever interrupts a step half-way, its neighbours stay aligned."""
    ledger = Ledger()
    ring = Ring(ledger)
    ring.append(1, 1.0, 0, {"loss": 0.5}, None)
    half: Any = {"loss": 0.5, "bad": "text"}
    with pytest.raises(TypeError):
        ring.append(2, 2.0, 0, half, memoryview(bytes(48)))
    ring.append(3, 3.0, 0, {"loss": 0.25}, None)
    block = ring.swap()
    assert isinstance(block, Block)
    assert (block.steps.tolist(), block.times.tolist(), block.layouts.tolist()) == ([1, 3], [1.0, 3.0], [0, 0])
    assert (block.at.tolist(), block.values.tolist(), block.filled) == ([0, 1], [0.5, 0.25], 0)
    assert ledger.counts()["produced"] == 2


def test_steps_go_into_one_block_while_the_other_is_drained() -> None:
    """The two buffers are used in turn, and keep their memory."""
    ring = Ring(Ledger())
    words = memoryview(bytes(480))
    seen = []
    for step in range(6):
        ring.append(step, 0.0, 0, {}, words)
        block = ring.swap()
        assert isinstance(block, Block)
        ring.append(100 + step, 0.0, 0, {}, words)
        assert block.steps.tolist()[-1] == step
        seen.append(id(block))
        ring.release(block)
        assert len(block.words) >= 480
    assert len(set(seen)) == 2
    assert seen[0] != seen[1]


def test_the_ring_holds_many_steps_of_a_large_model_within_its_bound() -> None:
    """Room grows with the step's size up to the bound, and a step beyond it is refused."""
    ledger = Ledger()
    ring = Ring(ledger)
    large = memoryview(bytes(1 << 20))
    kept = [ring.append(step, 0.0, 0, {}, large)[0] for step in range(20)]
    assert kept[:15] == [None] * 15
    assert kept[16:] == ["ring_full"] * 4
    assert ring.append(20, 0.0, 0, {}, memoryview(bytes(17 << 20)))[0] == "too_large"
    assert ledger.counts()["dropped"] == {"ring_full": 5, "too_large": 1}
