"""How long ``auditor compare`` takes on two recorded runs, end to end, the embedded store included.

    python -m benchmarks.compare [--steps 100000] [--times 5] [--tensors 8]

Two runs of so many steps are written into an embedded store, as the daemon would: at every step loss, its
parts, learning rate (which decays), samples (with a smaller last batch), gradient norm, step time and batch
digest, and the twelve statistics of some tensors; twenty recorded steps; a manifest; an epoch every hundred
steps with its validation loss. Then the command is started anew each time, from bytecode as an installed package
has it. The best wall and processor times count: the machine's other work is not ours. ``yardstick_s`` is the best
processor time of five million turns of a plain loop, taken between them: figures of different machines, and of one
whose cores a neighbour shares, are read against it. ``comparing_s``: processor time of the comparison alone, the
first and the best of a process in which the application is up. Exits with 1 if the whole command's processor
time is above two seconds.
"""

from __future__ import annotations

import argparse
import compileall
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np

from auditor.store import Store
from auditor.store.records import Chunk, Finish, Manifest, ScalarRows, TableRecord, WriteBatch
from auditor_agent import jsonfinite
from auditor_agent.stream.recording import Array, Recording
from tests.support.chunks import SESSION, TABLE, scalar_rows, start_batch, steps_chunk, tensors, words

ROOT: Final = Path(__file__).resolve().parent.parent
LIMIT: Final = 2.0
FRAME: Final = 200
EPOCH: Final = 100


def scalars(steps: Sequence[int], seed: int, total: int) -> dict[str, Any]:
    """What a run tells at each of these steps."""
    rng, at = np.random.default_rng([seed, steps[0]]), np.array(steps, np.float64)
    data = (0.1 + 2 * np.exp(-at / total * 5)) * np.exp(rng.normal(0, 0.2, len(at)))
    return {
        "loss": data + 0.01,
        "loss/data": data,
        "loss/penalty": np.full(len(at), 0.01),
        "lr": 1e-2 * (1 - at / (total + 1)),
        "samples": np.where(at % EPOCH == 0, 17.0, 32.0),
        "grad_norm": data * np.exp(rng.normal(0, 0.3, len(at))),
        "step_time": np.exp(rng.normal(-5, 0.1, len(at))),
        "batch_digest": rng.integers(0, 2**53, len(at)).astype(np.float64),
    }


def recorded(run: str, seed: int) -> list[Chunk]:
    """Twenty steps of a linear model under Adam, whole."""
    rng = np.random.default_rng(seed)
    weight, mean, square, found = rng.normal(0, 0.3, (32, 16)), 0.0, 0.0, []
    for step in range(1, 21):
        x, y = rng.normal(size=(32, 32)), rng.normal(size=(32, 16))
        output = x @ weight
        gradient = 2 * x.T @ (output - y) / y.size
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        moved = 1e-2 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
        told = {"weight": weight, "gradient": gradient, "updated": weight - moved}
        arrays = [_array(role, "net.weight", values) for role, values in told.items()]
        arrays += [_array("batch", "input0", x), _array("target", "target0", y), _array("output", "output0", output)]
        found.append(Recording(step, arrays, {"loss": float(np.mean((output - y) ** 2)), "lr": 1e-2}))
        weight = weight - moved
    parts = [part for one in found for part in one.parts()]
    return [
        Chunk(run, 0, 0, 1_000_000 + at, "record", SESSION, jsonfinite.dumps(header), block)
        for at, (header, block) in enumerate(parts)
    ]


def _array(role: str, name: str, values: Any) -> Array:
    kept = np.ascontiguousarray(values, np.float32)
    return Array(role, name, kept.dtype.name, kept.shape, kept.size, kept.tobytes())


def write(store: Store, run: str, seed: int, steps: int, count: int) -> None:
    """One run into the store."""
    store.write(start_batch(run, project="benchmark", framework="torch"))
    manifest = {"framework": "torch", "optimizer": {"class": "Adam", "lr": 1e-2, "betas": [0.9, 0.999], "eps": 1e-8}}
    store.write(
        WriteBatch(
            chunks=[Chunk(run, 0, 0, 999_999, "manifest", SESSION, "{}"), *recorded(run, seed)],
            manifests=[Manifest(run, 0, 0, 999_999, manifest)],
            tables=[TableRecord(run, TABLE, tensors(count))],
        )
    )
    for seq, first in enumerate(range(1, steps + 1, FRAME), 1):
        at = range(first, min(first + FRAME, steps + 1))
        values = scalars(at, seed, steps)
        chunk = steps_chunk(run, seq, at, words(at, count, seed), scalars=values)
        ends = np.array([step for step in at if step % EPOCH == 0], np.int64)
        epochs = {"epoch": ends / EPOCH, "val_loss": 0.2 + np.exp(-ends / steps * 5.0)}
        extra = [ScalarRows(run, 0, 0, seq, name, ends, column) for name, column in epochs.items() if len(ends)]
        store.write(WriteBatch(chunks=[chunk], scalars=[*scalar_rows(chunk, at, **values), *extra]))
    end = Chunk(run, 0, 0, 2_000_000, "finish", SESSION, "{}")
    store.write(WriteBatch(chunks=[end], finishes=[Finish(run, 0, 0, 2_000_000, SESSION, "finished", step=steps)]))
    while store.pack(run):  # as the daemon does once a run has ended
        pass


#: Asks an application in the process several times; prints the processor seconds of each answer.
ASKED: Final = """
import time
from auditor.cli.embedded import reading
with reading() as client:
    for _ in range(5):
        began = time.process_time()
        client.get("/v1/compare", a="a", b="b")
        print(time.process_time() - began)
"""


def environment(home: Path) -> dict[str, str]:
    """Of a command over the store in ``home``."""
    env = {name: value for name, value in os.environ.items() if name not in {"AUDITOR_URL", "AUDITOR_DB"}}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "agents"), env.get("PYTHONPATH", "")])
    return env | {"AUDITOR_HOME": str(home), "OMP_NUM_THREADS": "1", "PYTHONPATH": paths}


def comparing(home: Path) -> list[float]:
    """Processor seconds of the first comparison of a process, and of its quickest."""
    command = [sys.executable, "-c", ASKED]
    done = subprocess.run(command, env=environment(home), capture_output=True, text=True, check=True)
    found = [float(line) for line in done.stdout.split()]
    return [round(found[0], 3), round(min(found), 3)]


def timed(home: Path) -> tuple[float, float, dict[str, Any]]:
    """Wall and processor seconds of one command, and what it printed."""
    env = environment(home)
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-m", "auditor", "compare", "a", "b", "--json"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, json.loads(done.stdout)


def yardstick() -> float:
    """Processor seconds of five million turns of a loop, here and now."""
    began, total = time.process_time(), 0
    for turn in range(5_000_000):
        total += turn * turn % 7
    return time.process_time() - began


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes the runs, times the command, prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--tensors", type=int, default=8)
    parser.add_argument("--home", type=Path, help="an earlier benchmark's store; default: a new one, thrown away")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        home = options.home or Path(folder)
        home.mkdir(parents=True, exist_ok=True)
        store = Store.open(f"sqlite:///{home / 'auditor.db'}")
        for seed, run in enumerate("ab"):
            if store.run(run) is None:
                write(store, run, seed, options.steps, options.tensors)
        store.close()
        for package in ("auditor", "agents"):
            compileall.compile_dir(ROOT / package, quiet=2)
        measured = [(*timed(home), yardstick()) for _ in range(options.times)]
        alone = comparing(home)
    wall, processor, loop = (min(one[place] for one in measured) for place in (0, 1, 3))
    found = measured[0][2]
    common = found["trajectories"]["loss"]["common_steps"]
    times = {"wall_s": wall, "processor_s": processor, "yardstick_s": loop}
    result = {"steps": options.steps, **{name: round(seconds, 3) for name, seconds in times.items()}}
    result["comparing_s"] = alone
    print(json.dumps(result | {"verdict": found["verdict"], "common_steps": common}))
    return int(processor > LIMIT)


if __name__ == "__main__":
    sys.exit(main())
