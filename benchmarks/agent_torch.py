"""What the PyTorch integration adds to a step of about 4 ms: two equal models, step by step in turn.

One is watched, the other not; the medians of their step times are compared, beside an A/A control in
which neither is. Run: ``python benchmarks/agent_torch.py [--steps N] [--threads T]``.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time

import torch
from torch import Tensor, nn


def net(width: int, depth: int) -> tuple[nn.Module, torch.optim.Optimizer]:
    """An MLP and its optimizer."""
    torch.manual_seed(0)
    layers = [layer for _ in range(depth) for layer in (nn.Linear(width, width), nn.ReLU())]
    model = nn.Sequential(*layers, nn.Linear(width, 10))
    return model, torch.optim.Adam(model.parameters(), lr=1e-3)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> float:
    """One training step; its time in seconds."""
    start = time.perf_counter()
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(x), y).backward()
    optimizer.step()
    return time.perf_counter() - start


def compare(steps: int, width: int, depth: int, batch: int, *, watched: bool) -> tuple[float, float]:
    """Median step times in seconds: of the plain model, and of the other, watched or not."""
    plain, other = net(width, depth), net(width, depth)
    run = None
    if watched:
        import auditor_agent

        run = auditor_agent.watch(*other)
    x, y = torch.randn(batch, width), torch.randint(10, (batch,))
    times: tuple[list[float], list[float]] = ([], [])
    for at in range(steps):
        for which in (0, 1) if at % 2 else (1, 0):
            times[which].append(step(*(plain, other)[which], x, y))
    if run is not None:
        run.finish()
    skip = steps // 10
    return statistics.median(times[0][skip:]), statistics.median(times[1][skip:])


def main() -> None:
    """Print both comparisons."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("steps", 600), ("threads", 2), ("width", 256), ("depth", 4), ("batch", 512)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    os.environ["AUDITOR_MODE"] = "offline"
    with tempfile.TemporaryDirectory() as home:
        os.environ["AUDITOR_HOME"] = home
        for label, watched in (("A/A", False), ("A/B", True), ("A/A", False)):
            a, b = compare(chosen.steps, chosen.width, chosen.depth, chosen.batch, watched=watched)
            print(f"{label}: {1e3 * a:.3f} ms, {1e3 * b:.3f} ms: {100 * (b / a - 1):+.2f} % ({1e6 * (b - a):+.0f} us)")


if __name__ == "__main__":
    main()
