"""What detection costs: many live runs, each with every rule, on a few cores.

Each run reports a loss, a learning rate and the statistics of its tensors' gradients (weights at sampled
steps) in frames of some steps, made beforehand: measured is ``RunAuditor.observe`` alone, on processes
that share the runs. A series-update is one number that the rules see at one step: a scalar, or one
tensor's statistics. Printed are the costs per frame, step and series-update, the total, and the memory
of a run's detectors.

Then whole runs as they were recorded: programs of the zoo under ``auditor run``, with what a run's first
steps bring (samples of weights and activations, the flight recorder's arrays, manifests, epochs). Printed
is the same for each program, and which rules cost most, at the steps and at the recordings.

    python -m benchmarks.detect [--runs 10000] [--frames 5] [--steps 20] [--tensors 10] [--processes 4]
                                [--programs torch_healthy_warmup keras_overfit_wide] [--recordings FOLDER]
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import tempfile
import textwrap
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from auditor.detect.engine import RunAuditor
from auditor.detect.registry import instances
from auditor.ingest.decode import Block, StepBatch, Tensor
from auditor_agent.statistics import STATISTICS, WORDS
from benchmarks.detecting.costs import costs
from benchmarks.detecting.record import Case, record, stored
from tests.zoo.index import TUNING_SEEDS, ZOO

GOAL: Final = 200_000
#: Different frames that the runs share: no run is like its neighbour, and making them costs little.
VARIETY: Final = 64


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be judged."""

    runs: int
    frames: int
    steps: int
    tensors: int


def table(tensors: int) -> tuple[Tensor, ...]:
    """Weights and biases of a perceptron, ``tensors`` of them."""
    shapes = [((32, 32), "weight"), ((32,), "bias")]
    return tuple(
        Tensor("gradient", f"fc{i // 2}.{shapes[i % 2][1]}", shapes[i % 2][0], "float32") for i in range(tensors)
    )


def frame(load: Load, seq: int, seed: int) -> StepBatch:
    """A healthy frame: a loss that falls, gradients with noise."""
    rng = np.random.default_rng([seed, seq])
    steps = np.arange(seq * load.steps, (seq + 1) * load.steps, dtype=np.uint64)
    words = np.zeros((load.steps, WORDS, load.tensors), np.uint32)
    words[:, 0] = 1024
    norms = rng.lognormal(0, 0.2, (load.steps, load.tensors)).astype(np.float32)
    for name, values in (("l2", norms), ("sumsq", norms**2), ("absmax", norms / 8), ("std", norms / 32)):
        words.view(np.float32)[:, STATISTICS.index(name)] = values
    at = np.arange(load.steps)
    loss = np.exp(-steps.astype(float) / 500) * rng.lognormal(0, 0.1, load.steps)
    scalars = {"loss": (at, loss), "lr": (at, np.full(load.steps, 0.01))}
    blocks = (Block(0, np.arange(load.tensors), words),)
    return StepBatch("r", 0, 0, seq, "t", steps, 1e9 + steps * 0.1, scalars, blocks)


def judge(load: Load) -> tuple[float, float, int]:
    """Seconds that the frames of all runs take, bytes per run, findings."""
    tensors = table(load.tensors)
    frames = [[frame(load, seq, seed) for seq in range(load.frames)] for seed in range(min(VARIETY, load.runs))]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    auditors = [RunAuditor(f"r{i}") for i in range(load.runs)]
    found, begun = 0, time.process_time()
    for seq in range(load.frames):
        for i, auditor in enumerate(auditors):
            found += len(auditor.observe(replace(frames[i % len(frames)][seq], run=auditor.run), tensors, 0))
    seconds = time.process_time() - begun
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024
    return seconds, grown / load.runs, found


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the costs; 1 if the rate of series-updates of live runs is below the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    for name, default in (("runs", 10_000), ("frames", 5), ("steps", 20), ("tensors", 10), ("processes", 4)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--programs", nargs="*", default=["torch_healthy_warmup", "keras_overfit_wide"])
    parser.add_argument("--recordings", type=Path, help="folder of recordings; default: one that goes again")
    options = parser.parse_args(arguments)
    late = synthetic(options)
    with tempfile.TemporaryDirectory(prefix="detect-") as folder:
        for name in options.programs:
            recorded(name, options.recordings or Path(folder))
    return int(late)


def recorded(name: str, folder: Path) -> None:
    """Print what the run of a program costs; the goal is for live runs, of which the start is the smallest part."""
    [program] = [program for program in ZOO if program.name == name]
    case = Case(program, TUNING_SEEDS[0], healthy=True)
    found = costs(stored(case, folder, any_agent=True) or record(case, folder))
    print(f"\n{name}: {found.steps} steps in {found.views} frames, {found.records} recordings")
    print(f"per step: {1e6 * found.seconds / found.steps:.0f} us of CPU, decoding and recordings included")
    print(f"series-updates: {found.updates / found.seconds:,.0f}/s on one core, the start of the run included")
    for method, times, what in (("observe", found.views, "frame"), ("observe_record", found.records, "recording")):
        rules = found.of(method)
        total = sum(seconds for _, seconds in rules)
        print(f"per {what}, all rules: {1e6 * total / max(times, 1):.0f} us; by rule:")
        lines = [f"{rule} {1e6 * seconds / max(times, 1):.0f}" for rule, seconds in rules]
        print(textwrap.fill(", ".join(lines), 118, initial_indent="  ", subsequent_indent="  "))


def synthetic(options: argparse.Namespace) -> bool:
    """Print what many live runs cost; whether the rate is below the goal."""
    share = Load(options.runs // options.processes, options.frames, options.steps, options.tensors)
    begun = time.perf_counter()
    with multiprocessing.get_context("spawn").Pool(options.processes) as pool:
        parts = pool.map(judge, [share] * options.processes, chunksize=1)
    wall = time.perf_counter() - begun
    slowest = max(seconds for seconds, _, _ in parts)
    batches = share.runs * options.processes * share.frames
    updates = batches * share.steps * (share.tensors + 2)
    cpu = sum(seconds for seconds, _, _ in parts)
    print(f"{share.runs * options.processes} live runs x {len(instances())} rules on {options.processes} processes")
    print(f"per step batch of {share.steps} steps, {share.tensors} tensors: {1e6 * cpu / batches:.0f} us")
    print(f"per step: {1e6 * cpu / batches / share.steps:.1f} us; per series-update: {1e9 * cpu / updates:.0f} ns")
    print(f"total: {cpu:.1f} CPU s, slowest process {slowest:.1f} CPU s, {wall:.1f} s with making the frames")
    print(f"series-updates: {updates / slowest:,.0f}/s (goal {GOAL:,}/s)")
    print(f"memory of a run's detectors: {max(grown for _, grown, _ in parts) / 1024:.0f} KiB")
    print(f"findings: {sum(found for _, _, found in parts)}")
    return updates / slowest < GOAL


if __name__ == "__main__":
    sys.exit(main())
