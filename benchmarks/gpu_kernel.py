"""The Triton kernel on a GPU: right, at the memory's speed, without waiting, and what share of a step it is.

Prints one JSON object. Run from anywhere: ``python benchmarks/gpu_kernel.py [--parameters N] [--steps N]``.
Needs a CUDA GPU (about 30 GiB of its memory with the defaults) and Triton, which comes with PyTorch's
CUDA builds; says so and ends well where they are missing.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "agents"))

try:
    import torch
    import triton
    import triton.language as tl
except ImportError as missing:
    print(f"gpu_kernel: skipped: {missing}")
    raise SystemExit(0) from None

from torch import Tensor, nn

DEVICE = torch.device("cuda")


@triton.jit
def read(data: tl.tensor, out: tl.tensor, block: tl.constexpr, rounds: tl.constexpr) -> None:
    """Nothing but read: what the memory gives to a kernel that does next to no arithmetic."""
    start = data + tl.program_id(0).to(tl.int64) * block * rounds
    lanes = tl.arange(0, block)
    bits = tl.zeros([block], tl.int32)
    for i in tl.range(0, rounds, loop_unroll_factor=4):
        bits |= tl.load(start + i * block + lanes)
    tl.store(out + tl.program_id(0), tl.max(bits))


def seconds(work: Callable[[], Any], repeats: int = 30) -> float:
    """Median time of ``work`` on the device."""
    for _ in range(3):
        work()
    times = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        work()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return statistics.median(times)


def host_seconds(work: Callable[[], Any], repeats: int = 30) -> float:
    """Median time until ``work`` gives the host its thread back, the device idle before."""
    times = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def troublesome() -> list[Tensor]:
    """Tensors of every dtype, size and fault that the kernel has a way for."""
    torch.manual_seed(0)
    made: list[Tensor] = []
    for dtype in (torch.float32, torch.float64, torch.bfloat16, torch.float16):
        for size in (0, 1, 7, 1024, 32_768, 32_769, 1_000_003):
            values = torch.randn(size, dtype=torch.float64, device=DEVICE)
            faulty = values.clone()
            faulty[::97], faulty[::101], faulty[::103], faulty[::89] = float("nan"), float("inf"), float("-inf"), 0
            kinds = (values, 5 + values * 1e-2, values * 1e-30, values * 1e38, faulty, torch.full_like(values, 0.1))
            made += [kind.to(dtype) for kind in kinds]
        made += [torch.randn(70_000, device=DEVICE).to(dtype)[skipped:] for skipped in range(9)]
    return made


def reference(tensor: Tensor) -> list[float]:
    """The twelve statistics by PyTorch in float64; NaN where float64 itself is at its end."""
    wide = tensor.double().flatten()
    good = wide[torch.isfinite(wide)]
    counts = [wide.numel(), wide.isnan().sum(), wide.isinf().sum(), (wide == 0).sum()]
    if not good.numel():
        return [float(value) for value in counts] + [0.0] * 8
    square = good.square().sum()
    moments = [good.mean(), good.std(correction=0), good.min(), good.max(), good.abs().max()]
    huge = torch.finfo(torch.float32).max
    rest = [square.sqrt(), good.sum(), square]
    return [float(value) for value in counts] + [min(max(float(value), -huge), huge) for value in moments + rest]


def correctness() -> dict[str, Any]:
    """Each statistic of each troublesome tensor; sums are measured against the sum of magnitudes."""
    from auditor_agent.capture import kernels
    from auditor_agent.statistics import COUNTS, STATISTICS

    tensors = troublesome()
    matrix = kernels.words(tensors).cpu()
    counts = (matrix[: len(COUNTS)].long() & 0xFFFFFFFF).double()
    got = torch.cat((counts, matrix[len(COUNTS) :].contiguous().view(torch.float32).double()))
    worst = dict.fromkeys(STATISTICS, 0.0)
    for index, tensor in enumerate(tensors):
        wide = tensor.double()
        scale = float(wide[wide.isfinite()].abs().sum())
        for row, (name, wanted) in enumerate(zip(STATISTICS, reference(tensor), strict=True)):
            magnitude = {"sum": scale, "mean": scale / max(1, tensor.numel())}.get(name, 0.0)
            if name == "std":  # a constant's spread is a rounding of its mean
                magnitude = 1e-3 * scale / max(1, tensor.numel())
            error = abs(float(got[row, index]) - wanted) / max(abs(wanted), magnitude, 1e-38)
            worst[name] = max(worst[name], error)
    exact = all(worst[name] == 0 for name in COUNTS)
    extremes = max(worst[name] for name in ("min", "max", "absmax")) < 6e-8  # float64 is rounded to float32
    sums = max(worst[name] for name in ("mean", "std", "l2", "sum", "sumsq")) < 2e-5
    return {"tensors": len(tensors), "right": exact and extremes and sums, "largest_error": worst}


def layers(parameters: int, width: int = 2048) -> list[Tensor]:
    """bfloat16 tensors of a transformer's shapes, about ``parameters`` elements in all."""
    made: list[Tensor] = [torch.randn(width * 50_304, device=DEVICE, dtype=torch.bfloat16)]
    while sum(tensor.numel() for tensor in made) < parameters:
        sizes = (3 * width**2, 3 * width, width**2, width, 4 * width**2, 4 * width, 4 * width**2, width)
        made += [torch.randn(size, device=DEVICE, dtype=torch.bfloat16) * 1e-3 for size in sizes]
    return made


def plain_read(size: int) -> float:
    """Bytes a second of a kernel that reads about ``size`` of them and little else."""
    data = torch.ones(size // 4 // 32_768 * 32_768, dtype=torch.int32, device=DEVICE)
    out = torch.empty(data.numel() // 32_768, dtype=torch.int32, device=DEVICE)
    return data.numel() * 4 / seconds(lambda: read[(out.numel(),)](data, out, 1024, 32))


def bandwidth(parameters: int) -> dict[str, Any]:
    """Bytes a second of the kernel, against a plain read of as many."""
    from auditor_agent.capture import kernels
    from auditor_agent.capture.triton_plan import Plan

    tensors = layers(parameters)
    size = sum(tensor.numel() * tensor.element_size() for tensor in tensors)
    plain = plain_read(size)
    plan = Plan([t.numel() for t in tensors], [t.dtype for t in tensors], DEVICE)
    table = plan.table([t.data_ptr() for t in tensors])
    bins = torch.zeros((len(tensors), 64), dtype=torch.int32, device=DEVICE)
    kernel, with_bins = seconds(lambda: plan.launch(table)), seconds(lambda: plan.launch(table, bins))
    whole, host = seconds(lambda: kernels.words(tensors)), host_seconds(lambda: kernels.words(tensors))
    tensors[0].fill_(float("nan"))
    return {
        "elements": size // 2,
        "tensors": len(tensors),
        "plain_read_gb_s": plain / 1e9,
        "kernel_gb_s": size / kernel / 1e9,
        "ratio": size / kernel / plain,
        "kernel_ms": kernel * 1e3,
        "words_ms": whole * 1e3,
        "host_ms": host * 1e3,
        "with_histogram_ms": with_bins * 1e3,
        "with_a_nan_tensor_ms": seconds(lambda: plan.launch(table)) * 1e3,
    }


def synchronisations() -> dict[str, Any]:
    """Twenty steps from gradients to delivered words, every wait for the device an error."""
    from auditor_agent.capture import kernels
    from auditor_agent.capture.transfer import Arrived, Step, Transfer

    arrived: list[Arrived] = []
    transfer = Transfer(arrived.append)
    tensors = [torch.randn(size, device=DEVICE) for size in (10, 100_000, 3_000_000)]
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for number in range(20):
            loss = tensors[0].mean()
            transfer.put(Step(number, 0.0, {"loss": loss}, 0, kernels.words([tensor * 2 for tensor in tensors])))
            time.sleep(0.002)
        early = len(arrived)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    transfer.drain()
    equal = len({step.words for step in arrived}) == 1
    return {"steps": 20, "waits": 0, "arrived_on_the_way": early, "arrived": len(arrived), "words_equal": equal}


def graph() -> dict[str, Any]:
    """A captured launch, replayed on other tensors through the refreshed table."""
    from auditor_agent.capture import kernels
    from auditor_agent.capture.triton_plan import Plan

    first, second = ([torch.randn(size, device=DEVICE) for size in (5, 70_000)] for _ in range(2))
    plan = Plan([5, 70_000], [torch.float32] * 2, DEVICE)
    table = plan.table([t.data_ptr() for t in first])
    plan.launch(table)
    torch.cuda.synchronize()
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        words = plan.launch(table)
    table.copy_(plan.table([t.data_ptr() for t in second]))
    captured.replay()
    return {"captured": True, "right": bool(torch.equal(words, kernels.words(second)))}


class Block(nn.Module):
    """A transformer's layer: causal attention and a feed-forward part."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mix, self.join = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.widen, self.narrow = nn.Linear(width, 4 * width), nn.Linear(4 * width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Shapes (batch, time, width) in and out."""
        batch, length, width = x.shape
        parts = self.mix(self.before(x)).view(batch, length, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        mixed = nn.functional.scaled_dot_product_attention(*parts, is_causal=True)
        x = x + self.join(mixed.transpose(1, 2).reshape(batch, length, width))
        return x + self.narrow(nn.functional.gelu(self.widen(self.between(x))))


def share(steps: int, batch: int, *, pure: bool) -> dict[str, Any]:
    """Step times of a transformer with and without the capture of every gradient, in turn.

    Args:
        steps: of each kind.
        batch: sequences of 1,024 tokens.
        pure: weights and gradients in bfloat16; else float32 under autocast.
    """
    from auditor_agent.capture import kernels
    from auditor_agent.capture.transfer import Arrived, Step, Transfer

    torch.manual_seed(0)
    words, width = 32_768, 1024
    model = nn.Sequential(nn.Embedding(words, width), *(Block(width, 16) for _ in range(24)), nn.Linear(width, words))
    model.to(DEVICE, torch.bfloat16 if pure else torch.float32)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4, fused=True)
    tokens = torch.randint(words, (batch, 1024), device=DEVICE)
    arrived: list[Arrived] = []
    transfer = Transfer(arrived.append)
    alone: list[tuple[Any, Any]] = []

    def step(number: int, *, watched: bool) -> float:
        torch.cuda.synchronize()
        start = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cuda", torch.bfloat16, enabled=not pure):
            loss = nn.functional.cross_entropy(model(tokens).flatten(0, 1), tokens.flatten())
        loss.backward()
        if watched:
            begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
            begin.record()
            gradients = [p.grad for p in model.parameters() if p.grad is not None]
            transfer.put(Step(number, 0.0, {"loss": loss.detach()}, 0, kernels.words(gradients)))
            end.record()
            alone.append((begin, end))
        optimizer.step()
        torch.cuda.synchronize()
        return time.perf_counter() - start

    times: dict[bool, list[float]] = {False: [], True: []}
    for number in range(steps + 3):
        for watched in (False, True) if number % 2 else (True, False):
            took = step(number, watched=watched)
            if number >= 3:
                times[watched].append(took)
    transfer.drain()
    plain, watched_time = statistics.median(times[False]), statistics.median(times[True])
    inside = statistics.median(begin.elapsed_time(end) / 1e3 for begin, end in alone[3:])
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "tensors": len(list(model.parameters())),
        "tokens": tokens.numel(),
        "step_ms": plain * 1e3,
        "watched_step_ms": watched_time * 1e3,
        "added_percent": 100 * (watched_time / plain - 1),
        "capture_ms": inside * 1e3,
        "capture_percent": 100 * inside / plain,
    }


def main() -> None:
    """Measure everything; print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("parameters", 1_000_000_000), ("steps", 20), ("batch", 16)):
        parser.add_argument(f"--{name}", type=int, default=default)
    chosen = parser.parse_args()
    if not torch.cuda.is_available():
        print("gpu_kernel: skipped: no CUDA GPU here")
        return
    result: dict[str, Any] = {
        "device": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "correctness": correctness(),
        "synchronisations": synchronisations(),
        "cuda_graph": graph(),
        "bandwidth": bandwidth(chosen.parameters),
    }
    torch.cuda.empty_cache()
    for name, pure in (("bfloat16", True), ("autocast", False)):
        result[f"transformer_{name}"] = share(chosen.steps, chosen.batch, pure=pure)
        torch.cuda.empty_cache()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
