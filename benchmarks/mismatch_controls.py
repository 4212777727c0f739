"""Runs that agree, compared in pairs: how many are called a mismatch?

Real tiny trainings of four frameworks under ``auditor run``: the same configuration with several seeds and
one seed twice; ``fit()`` against an exact copy as a tape loop; PyTorch against an aligned Keras port; float64
scikit-learn against float64 Keras. Every pair is compared as a person would, and beside them groups of seeds.
Runs are kept in ``--home`` and made anew only where a program or the agent changed.

    python -m benchmarks.mismatch_controls [--seeds 4] [--jobs 2] [--home DIR]

Exits with 1 if more than one percent of the pairs are called a mismatch.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from auditor.compare import compare_groups
from auditor.store import Store

ROOT: Final = Path(__file__).resolve().parent.parent
PROGRAMS: Final = ROOT / "tests" / "programs" / "controls"
#: Part of the controls that may be called a mismatch.
WRONG_AT_MOST: Final = 0.01


@dataclass(frozen=True)
class Configuration:
    """A program and what it is told, but for the seed."""

    program: str
    task: str
    rest: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.program, self.task, *self.rest))


TASKS: Final = ("regression", "classes", "regularised")
FIT: Final = {task: Configuration("keras_port", task, ("fit",)) for task in TASKS}
TAPE: Final = {task: Configuration("keras_port", task, ("tape",)) for task in TASKS}
TORCH: Final = {task: Configuration("torch_port", task) for task in TASKS}
SKLEARN: Final = {task: Configuration("sklearn_double", task) for task in TASKS[:2]}
DOUBLE: Final = {task: Configuration("keras_double", task) for task in TASKS[:2]}
EVERY: Final = (*FIT.values(), *TAPE.values(), *TORCH.values(), *SKLEARN.values(), *DOUBLE.values())

ACROSS: Final = ((FIT, TAPE), (TORCH, FIT), (SKLEARN, DOUBLE))


@dataclass(frozen=True)
class Made:
    """A run to be made: its configuration, its seed, and which copy of it."""

    configuration: Configuration
    seed: int
    copy: int = 0

    def key(self) -> str:
        """The run's id: changes with the program and the agent."""
        text = "".join(path.read_text() for path in _sources(self.configuration))
        digest = hashlib.sha256(f"{self} {text}".encode()).hexdigest()[:12]
        which = "bcdef"[self.copy - 1] if self.copy else ""
        return f"{str(self.configuration).replace(' ', '-')}-{self.seed}{which}-{digest}"


def _sources(configuration: Configuration) -> Iterator[Path]:
    yield PROGRAMS / "data.py"
    yield PROGRAMS / f"{configuration.program}.py"
    yield from sorted((ROOT / "agents").rglob("*.py"))


def wanted(configurations: Iterable[Configuration], seeds: int) -> list[Made]:
    """Every configuration with every seed, and its first seed once more."""
    chosen = tuple(configurations)
    return [Made(c, seed) for seed in range(seeds) for c in chosen] + [Made(c, 0, 1) for c in chosen]


def make(made: Made, home: Path) -> None:
    """The run, if it is not in the home yet."""
    note = home / f"{made.key()}.json"
    if note.exists():
        return
    c = made.configuration
    command = [sys.executable, "-m", "auditor", "run", "--json", str(note), "--project", str(c).replace(" ", "-"), "--"]
    command += [sys.executable, str(PROGRAMS / f"{c.program}.py"), c.task, str(made.seed), *c.rest]
    env = {name: value for name, value in os.environ.items() if name not in {"AUDITOR_URL", "AUDITOR_DB"}}
    env |= {"AUDITOR_HOME": str(home), "AUDITOR_RUN": made.key(), "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    env["PYTHONPATH"] = os.pathsep.join([str(ROOT), str(ROOT / "agents"), env.get("PYTHONPATH", "")])
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode or json.loads(note.read_text())["status"] != "finished":
        note.unlink(missing_ok=True)
        raise RuntimeError(f"{made.key()}: {done.stderr[-2000:]}")


def pairs(seeds: int) -> dict[str, list[tuple[Made, Made]]]:
    """By kind of control, what is compared."""
    crossed = list(itertools.product(range(seeds), repeat=2))

    def across(left: dict[str, Configuration], right: dict[str, Configuration]) -> list[tuple[Made, Made]]:
        return [(Made(left[t], i), Made(right[t], j)) for t in left.keys() & right.keys() for i, j in crossed]

    return {
        "same script twice": [(Made(c, 0), Made(c, 0, 1)) for c in EVERY],
        "same configuration, other seed": [
            (Made(c, i), Made(c, j)) for c in EVERY for i, j in itertools.combinations(range(seeds), 2)
        ],
        "fit against its copy as a tape loop": across(FIT, TAPE),
        "torch against an aligned Keras port": across(TORCH, FIT),
        "float64 scikit-learn against float64 Keras": across(SKLEARN, DOUBLE),
    }


def groups(seeds: int) -> dict[str, list[tuple[list[Made], list[Made]]]]:
    """Several seeds a side, of the pairs that are comparable; of one configuration only where there are two seeds."""
    half = seeds // 2

    def some(c: Configuration, which: Sequence[int]) -> list[Made]:
        return [Made(c, seed) for seed in which]

    every = [(left[t], right[t]) for left, right in ACROSS for t in left.keys() & right.keys()]
    return {
        "groups of one configuration": [(some(c, range(half)), some(c, range(half, 2 * half))) for c in EVERY if half],
        "groups of aligned configurations": [(some(a, range(seeds)), some(b, range(seeds))) for a, b in every],
    }


def judged(store: Store, a: Sequence[Made], b: Sequence[Made]) -> dict[str, Any]:
    """The comparison of two groups."""
    return compare_groups(store, [made.key() for made in a], [made.key() for made in b])


def tally(store: Store, kind: str, compared: Iterable[tuple[Sequence[Made], Sequence[Made]]]) -> Counter[str]:
    """Compares, prints what is wrong, and counts the verdicts."""
    counted: Counter[str] = Counter()
    for a, b in compared:
        found = judged(store, a, b)
        counted[found["verdict"]] += 1
        if found["verdict"] == "mismatch":
            causes = [f"{c['id']} {c['a']} {c['b']} {c['weight']:.3g}" for c in found["causes"][:2]]
            print(f"  WRONG {a[0].key()} {b[0].key()}: {found['outcome']}: {found['reasons'][:2]} {causes}", flush=True)
    told = ", ".join(f"{count} {verdict}" for verdict, count in sorted(counted.items()))
    print(f"{kind:<45}{sum(counted.values()):>5}   {told}", flush=True)
    return counted


def main(arguments: Sequence[str] | None = None) -> int:
    """Makes the runs, prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--home", type=Path, default=Path(tempfile.gettempdir()) / "auditor-controls")
    options = parser.parse_args(arguments)
    options.home.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(options.jobs) as pool:
        list(pool.map(lambda made: make(made, options.home), wanted(EVERY, options.seeds)))
    store = Store.open(f"sqlite:///{options.home / 'auditor.db'}")
    total: Counter[str] = Counter()
    for kind, compared in pairs(options.seeds).items():
        total += tally(store, kind, [([a], [b]) for a, b in compared])
    for kind, several in groups(options.seeds).items():
        total += tally(store, kind, several)
    store.close()
    wrong, count = total["mismatch"], sum(total.values())
    print(f"{count} controls, {wrong} called a mismatch: {wrong / count:.2%} (at most {WRONG_AT_MOST:.0%})")
    return int(wrong > WRONG_AT_MOST * count)


if __name__ == "__main__":
    sys.exit(main())
