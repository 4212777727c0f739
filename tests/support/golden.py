"""Makes the golden frames of wire version 1: ``python tests/support/golden.py`` prints what they should be.

The files in tests/contract/golden are only ever added to: a change of one of them is a change of
the format, and needs a new version.
"""

from __future__ import annotations

import math
import struct

from auditor_agent.identity import Identity
from auditor_agent.stream import wire
from auditor_agent.stream.frames import FrameMaker
from auditor_agent.stream.histograms import Entry
from auditor_agent.stream.recording import Array, Recording
from auditor_agent.stream.ring import Block
from auditor_agent.stream.tensors import TensorTable

WORDS = struct.pack("<8I16f", 6, 4, 1, 0, 2, 0, 3, 0, *[value / 8 for value in range(-8, 8)])


def frames() -> dict[str, bytes]:
    """Every golden frame by the name of its file."""
    tensors = TensorTable()
    counts = {"produced": 4, "sent": 1, "pending": 2, "dropped": {"ring_full": 1}}
    identity = Identity("golden", 1, 2, 4, "0123456789abcdef", None)
    maker = FrameMaker(identity, tensors, lambda: counts, lambda: 0, clock=lambda: 1_700_000_000.25)
    start = {"project": "p", "name": "n\u00e4me", "framework": "torch", "world_size": 4, "host": "h", "pid": 7}
    made = {
        "start": maker.plain("start", {**start, "agent": "0.1.0", "argv0": "train.py"}).data,
        "manifest": maker.plain("manifest", {"manifest": {"lr": 0.1, "clip": math.inf, "seed": None}}).data,
    }
    block = Block()
    both = tensors.layout(
        [tensors.tensor("gradient", "a.weight", (2, 3), "float32"), tensors.tensor("weight", "b", (4,), "bfloat16")]
    )
    one = tensors.layout([1])
    block.put(10, 1e9, both, memoryview(WORDS))
    block.put_values({"loss": 0.5, "lr": 1e-3})
    block.put(11, 1e9 + 0.5, both, memoryview(WORDS))
    block.put_values({"loss": math.nan})
    block.put(2**53, 1e9 + 1, 0, None)
    block.put_values({"loss": -math.inf, "tiny": 5e-324, "zero": -0.0})
    block.put(12, 1e9 + 2, one, memoryview(WORDS[:48]))
    block.events.append({"value": math.inf, "step": 11, "type": "skip"})
    made["steps"] = maker.steps(block, with_table=False).data
    made["steps-again"] = maker.steps(block, with_table=False).data
    again, _ = wire.decode(made["steps-again"])
    made["steps-deflated"] = wire.encode(again.header, again.block, deflate=True)
    made["finish"] = maker.plain("finish", {"status": "failed", "reason": "ValueError: x", "step": 12}).data
    made["record"] = maker.record(*next(recording().parts())).data
    made["histograms"] = maker.histograms(histograms(both, one)).data
    return made


def histograms(both: int, one: int) -> list[Entry]:
    """Three steps of two layouts: an empty histogram, one bin, all bins, both ends, the largest count."""
    nothing, single, every, ends = [0] * 64, [0] * 64, list(range(1, 65)), [0] * 64
    single[27], ends[0], ends[63] = 7, 2**32 - 1, 3
    rows = {both: [(10, (nothing, single)), (11, (every, nothing))], one: [(12, (ends,))]}
    return [
        Entry(step, layout, struct.pack(f"<{64 * len(of)}I", *[count for row in of for count in row]))
        for layout, steps in rows.items()
        for step, of in steps
    ]


def recording() -> Recording:
    """A step with an array of every kind: whole, sampled, bfloat16, empty, referred to, non-finite."""
    arrays = [
        Array("weight", "a.weight", "float32", (2, 3), 6, b""),
        Array("gradient", "a.weight", "float32", (2, 3), 6, struct.pack("<6f", 1, -2, math.inf, math.nan, -0.0, 1e-45)),
        Array("updated", "b", "bfloat16", (1000,), 3, struct.pack("<3H", 0x3F80, 0xC000, 0x7F80)),
        Array("state.step", "b", "float64", (), 1, struct.pack("<d", 1e-300)),
        Array("target", "0", "int64", (0,), 0, b""),
        Array("batch", "0", "uint8", (5,), 5, bytes(range(5))),
        Array("output", "0", "bool", (3,), 3, bytes([1, 0, 1])),
    ]
    return Recording(7, arrays, {"loss": math.nan, "lr": 1e-3}, {"training": True}, {"step_full": 2})


if __name__ == "__main__":
    from pathlib import Path

    folder = Path(__file__).resolve().parent.parent / "contract" / "golden"
    for name, data in frames().items():
        path = folder / f"{name}.frames"
        if not path.exists():
            path.write_bytes(data)
