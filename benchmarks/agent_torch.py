"""What watching a PyTorch loop costs, beside what else is used for it: every gradient, every step.

Each way of watching runs in a process of its own: two equal models are trained there step by step in
turn, one watched and one not; what counts is the median of the differences of neighbouring steps,
their mean over blocks of 64 steps (in it what comes only every so many steps shows), and, where
others share the machine, the quickest tenth of the steps of each. "nothing" watches neither: the
difference it shows is the noise of the machine. wandb and TensorBoard take part where they can be
imported. At the end the C kernel's speed against the memory's.

Run: ``python benchmarks/agent_torch.py [--models mlp,gpt] [--only ours,foreach] [--threads T]``.
Our own figure is a few microseconds too good: while anything is watched, the other model's
``backward`` and ``step`` pass through the same wrappers, which find that they are not concerned.
"""

from __future__ import annotations

import argparse
import ctypes
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

Watch = Callable[[nn.Module, torch.optim.Optimizer], Callable[[int], object]]
MODELS = {"mlp": 600, "gpt": 24}
#: Steps of which a mean is taken: no fewer than lie between two that cost more.
BLOCK = 64


class Block(nn.Module):
    """A transformer's block."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.one, self.two = nn.LayerNorm(width), nn.LayerNorm(width)
        self.inward, self.outward = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.mlp = nn.Sequential(nn.Linear(width, 4 * width), nn.GELU(), nn.Linear(4 * width, width))

    def forward(self, x: Tensor) -> Tensor:
        """Attention, then the perceptron."""
        batch, time_, width = x.shape
        heads = self.inward(self.one(x)).view(batch, time_, 3, 6, width // 6).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(*heads, is_causal=True)
        x = x + self.outward(mixed.transpose(1, 2).reshape(batch, time_, width))
        y: Tensor = x + self.mlp(self.two(x))
        return y


def make(kind: str) -> tuple[nn.Module, torch.optim.Optimizer, Callable[[nn.Module], Tensor]]:
    """A model, its optimizer, and what gives its loss."""
    torch.manual_seed(0)
    if kind == "mlp":
        layers = [layer for _ in range(4) for layer in (nn.Linear(256, 256), nn.ReLU())]
        model: nn.Module = nn.Sequential(*layers, nn.Linear(256, 10))
        x, y = torch.randn(512, 256), torch.randint(10, (512,))
    else:
        model = nn.Sequential(nn.Embedding(4096, 384), *(Block(384) for _ in range(8)), nn.Linear(384, 512))
        x, y = torch.randint(4096, (4, 128)), torch.randint(512, (4 * 128,))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    return model, optimizer, lambda net: nn.functional.cross_entropy(net(x).flatten(0, -2), y)


def nothing(_model: nn.Module, _optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """The control."""
    return lambda _: None


def ours(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """``auditor_agent.watch``, writing its spool."""
    import auditor_agent

    auditor_agent.watch(model, optimizer)
    return lambda _: None


def histograms(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """The same with a histogram of every gradient at every step; beside ``wandb`` and ``tensorboard``."""
    import auditor_agent

    auditor_agent.watch(model, optimizer, histograms=1)
    return lambda _: None


def portable(model: nn.Module, optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """The same where the C kernel was not built."""
    from auditor_agent.capture import native

    native.available = lambda: False
    return ours(model, optimizer)


def naive(model: nn.Module, _optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """What one writes by hand: five reductions and ``.item()`` for each tensor."""
    kept = []

    def look(_: int) -> None:
        for p in model.parameters():
            g = p.grad
            if g is not None:
                kept.append((g.norm().item(), g.mean().item(), g.std().item(), g.abs().max().item()))
                kept.append((g.isnan().sum().item(), g.isinf().sum().item(), (g == 0).sum().item()))

    return look


def foreach(model: nn.Module, _optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """Two norms by torch's fused operations, and no more."""
    kept = []

    def look(_: int) -> None:
        gradients = [p.grad for p in model.parameters() if p.grad is not None]
        norms = [torch._foreach_norm(gradients, order) for order in (2.0, float("inf"))]  # noqa: SLF001 - its name
        kept.extend(torch.stack(each).tolist() for each in norms)

    return look


def wandb(model: nn.Module, _optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """``wandb.watch(log_freq=1)``, offline."""
    import wandb as library

    library.init(mode="offline", dir=os.environ["AUDITOR_HOME"], settings=library.Settings(silent=True))
    library.watch(model, log="gradients", log_freq=1)
    return lambda at: library.log({"step": at})


def tensorboard(model: nn.Module, _optimizer: torch.optim.Optimizer) -> Callable[[int], object]:
    """``add_histogram`` of each gradient."""
    from torch.utils.tensorboard import SummaryWriter

    writer = SummaryWriter(os.environ["AUDITOR_HOME"])

    def look(at: int) -> None:
        for name, p in model.named_parameters():
            if p.grad is not None:
                writer.add_histogram(name, p.grad, at)

    return look


WAYS: dict[str, Watch] = {
    w.__name__: w for w in (nothing, ours, histograms, portable, foreach, naive, tensorboard, wandb)
}


def compare(kind: str, way: Watch, steps: int) -> dict[str, float]:
    """Median step times in seconds, watched and not, and the quartiles of the paired differences."""
    nets = [make(kind), make(kind)]
    looks = [way(*nets[0][:2]), nothing(*nets[1][:2])]
    times: tuple[list[float], list[float]] = ([], [])
    for at in range(steps):
        for which in (0, 1) if at % 2 else (1, 0):
            model, optimizer, loss = nets[which]
            start = time.perf_counter()
            optimizer.zero_grad()
            loss(model).backward()
            looks[which](at)
            optimizer.step()
            times[which].append(time.perf_counter() - start)
    skip = max(5, steps // 10)
    pairs = [a - b for a, b in zip(times[0][skip:], times[1][skip:], strict=True)]
    return {
        "plain": statistics.median(times[1][skip:]),
        "watched": statistics.median(times[0][skip:]),
        "plain_quick": statistics.quantiles(times[1][skip:], n=10)[0],
        "watched_quick": statistics.quantiles(times[0][skip:], n=10)[0],
        "low": statistics.quantiles(pairs)[0],
        "middle": statistics.median(pairs),
        "high": statistics.quantiles(pairs)[2],
        "mean": by_blocks(pairs),
    }


def by_blocks(values: list[float]) -> float:
    """The median of the means of blocks of 64: what comes every so many steps counts, a machine's hiccup does not."""
    whole = max(1, len(values) // BLOCK)
    return statistics.median(
        statistics.fmean(values[i * len(values) // whole : (i + 1) * len(values) // whole]) for i in range(whole)
    )


def bandwidth(threads: int) -> None:
    """Print the C kernel's speed over 256 MiB of float32, and that of the fastest read known here."""
    import numpy as np

    from auditor_agent.capture import kernels, native

    if not native.available():
        print("the C kernel was not built here")
        return
    for count in sorted({1, threads}):
        torch.set_num_threads(count)
        tensor = torch.randn(64 << 20)
        array, other = tensor.numpy(), torch.empty_like(tensor)
        size = tensor.numel() * 4
        reads = {
            "torch.sum": (lambda t=tensor: t.sum(), size),
            "torch.amax": (lambda t=tensor: t.amax(), size),
            "torch.dot": (lambda t=tensor: torch.dot(t, t), size),
            "numpy.max": (lambda a=array: np.max(a), size),
            "torch.copy_, both ways": (lambda t=tensor, o=other: o.copy_(t), 2 * size),
            "memmove, both ways": (
                lambda t=tensor, o=other, n=size: ctypes.memmove(o.data_ptr(), t.data_ptr(), n),
                2 * size,
            ),
        }
        speeds = {name: moved / _best(call) / 1e9 for name, (call, moved) in reads.items()}
        fastest = max(speeds, key=lambda name: speeds[name])
        kernel = size / _best(lambda t=tensor: kernels.words([t])) / 1e9
        print(
            f"C kernel, {count} thread(s): {kernel:.1f} GB/s; fastest read, {fastest}: {speeds[fastest]:.1f} GB/s:"
            f" {100 * kernel / speeds[fastest]:.0f} %"
        )


def _best(call: Callable[[], object]) -> float:
    took = []
    for _ in range(9):
        start = time.perf_counter()
        call()
        took.append(time.perf_counter() - start)
    return min(took)


def child(kind: str, name: str, threads: int, steps: int) -> dict[str, Any] | str:
    """One way in a process of its own; what went wrong, as text, if it could not be done."""
    with tempfile.TemporaryDirectory() as home:
        env = {**os.environ, "AUDITOR_MODE": "offline", "AUDITOR_HOME": home, "WANDB_SILENT": "true"}
        command = [sys.executable, __file__, "--child", f"{kind},{name}", "--threads", str(threads)]
        done = subprocess.run(
            [*command, "--steps", str(steps)], env=env, capture_output=True, text=True, check=False, timeout=900
        )
    if done.returncode:
        return (done.stderr.strip().splitlines() or ["failed"])[-1]
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


def main() -> None:
    """Print a table for each model."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default=",".join(MODELS))
    parser.add_argument("--only", default=",".join([*WAYS, "nothing"]))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--steps", type=int, default=0, help="pairs of steps; default: by model")
    parser.add_argument("--child", default="", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        torch.set_num_threads(chosen.threads)
        kind, name = chosen.child.split(",")
        print(json.dumps(compare(kind, WAYS[name], chosen.steps)))
        return
    for kind in chosen.models.split(","):
        parameters = sum(p.numel() for p in make(kind)[0].parameters())
        print(f"{kind}: {parameters / 1e6:.2f} M parameters, {chosen.threads} threads, AdamW")
        for name in chosen.only.split(","):
            result = child(kind, name, chosen.threads, chosen.steps or MODELS[kind])
            if isinstance(result, str):
                print(f"  {name:12} not here: {result}")
                continue
            plain, middle = result["plain"], result["middle"]
            print(
                f"  {name:12} {1e3 * plain:8.2f} ms plain {1e3 * result['watched']:8.2f} ms watched"
                f"  {100 * middle / plain:+7.2f} %, mean {100 * result['mean'] / plain:+.2f} % ({1e6 * middle:+.0f} us;"
                f" quartiles {100 * result['low'] / plain:+.1f} to {100 * result['high'] / plain:+.1f} %;"
                f" quickest tenth {100 * (result['watched_quick'] / result['plain_quick'] - 1):+.2f} %)",
                flush=True,
            )
    bandwidth(chosen.threads)


if __name__ == "__main__":
    main()
