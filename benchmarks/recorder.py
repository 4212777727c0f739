"""What the flight recorder costs a PyTorch loop: the recorded steps, those after, and bytes.

``python benchmarks/recorder.py``: medians of the step time of one model after another, with the
agent recording no step and twenty, interleaved; a run into a spool on the disk.
"""

from __future__ import annotations

import os
import statistics
import tempfile
import time

import torch
from torch import nn

from auditor_agent.integrations.torch.audit import watch
from auditor_agent.recorder import Recorder
from auditor_agent.run import Run

STEPS, ROUNDS = 120, 5
MODELS = {"0.04 MiB": 64, "1 MiB": 480, "3.9 MiB": 980, "16 MiB": 2000}


def steps(width: int, recorded: int) -> tuple[list[float], int]:
    """Seconds of each step of one training, and the bytes that were recorded."""
    os.environ["AUDITOR_RECORD_STEPS"] = str(recorded)
    sizes: list[int] = []
    keep = Recorder.send

    def counted(self: Recorder, *args: object, **kwargs: object) -> None:
        keep(self, *args, **kwargs)  # type: ignore[arg-type]  # passed on as they came
        sizes[:] = [self.bytes]

    Recorder.send = counted  # type: ignore[method-assign]  # counts on the way
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(32, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 1))
    optimizer = torch.optim.Adam(model.parameters())
    run: Run = watch(model, optimizer)
    took = []
    for _ in range(STEPS):
        start = time.perf_counter()
        loss = nn.functional.mse_loss(model(torch.randn(64, 32)), torch.randn(64, 1))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        took.append(time.perf_counter() - start)
    run.finish(timeout=0)
    Recorder.send = keep  # type: ignore[method-assign]  # as it was
    return took, sizes[0] if sizes else 0


def main() -> None:
    """Print one line per model."""
    torch.set_num_threads(2)
    os.environ |= {"AUDITOR_HOME": tempfile.mkdtemp(), "AUDITOR_MODE": "offline"}
    print(f"{'parameters':>12} {'plain ms':>9} {'whole ms':>9} {'sampled ms':>10} {'after ms':>9} {'recorded':>10}")
    for name, width in MODELS.items():
        rounds = [(steps(width, 0), steps(width, 20)) for _ in range(ROUNDS)]
        plain = statistics.median(t for (took, _), _ in rounds for t in took[30:])
        parts = [
            statistics.median(t for _, (took, _) in rounds for t in took[first:last])
            for first, last in ((0, 3), (3, 20), (30, STEPS))
        ]
        times = " ".join(f"{1e3 * part:9.2f}" for part in parts)
        print(f"{name:>12} {1e3 * plain:9.2f} {times} {rounds[0][1][1] / 2**20:7.2f} MiB")


if __name__ == "__main__":
    main()
