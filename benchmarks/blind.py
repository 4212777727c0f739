"""Pairs of programs by authors who saw neither this code nor each other's: is the true cause named, who is silent?

``python benchmarks/blind.py`` runs both sides of each pair of ``tests/programs/blind`` under ``auditor run``, keeps
their stores in ``out/blind`` and prints each pair and the shares. ``--replay`` compares what is recorded again;
``--only PATTERN`` chooses by name, such as ``team/*``.
"""

from __future__ import annotations

import argparse
import fnmatch
import json
import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path

from mismatch import Outcome, judged, lines
from mismatching.record import ROOT, run_into

from tests.programs.pairs.index import Pair

PROGRAMS = ROOT / "tests" / "programs" / "blind"


def pairs() -> list[Pair]:
    """All of them, as their authors wrote down what differs; of a slip the side that it is not in is its base's."""
    told = json.loads((PROGRAMS / "index.json").read_text(encoding="utf-8"))
    found = []
    for name, one in told.items():
        a, b = (f"{name if (PROGRAMS / name / f'{side}.py').exists() else one['base']}/{side}" for side in ("a", "b"))
        ids = one.get("id", [])
        found.append(Pair(name, a, b, (ids,) if isinstance(ids, str) else tuple(ids), one.get("stage", ""), held=True))
    return found


def recorded(side: str, cache: Path, *, replay: bool) -> Path | None:
    """The folder of a side's store; None if there is none."""
    folder = cache / side
    try:
        there = replay or run_into(folder, PROGRAMS / f"{side}.py")
    except (RuntimeError, subprocess.TimeoutExpired) as error:
        print(f"no recording: {error}", flush=True)
        return None
    return folder if there and (folder / "run.json").exists() else None


def compared(pair: Pair, folders: tuple[Path, Path]) -> Outcome:
    """What a comparison says; of a run of which nothing was recorded, why there is none."""
    try:
        return judged(pair, folders)
    except LookupError as error:
        return Outcome(pair, {"verdict": f"none: {error}", "causes": []})


def main() -> int:
    """Runs the benchmark; exit code 1 if a run could not be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--replay", action="store_true", help="run nothing: compare what is recorded")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="pairs by name")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--cache", type=Path, default=ROOT / "out" / "blind")
    options = parser.parse_args()
    chosen = [one for one in pairs() if any(fnmatch.fnmatch(one.name, each) for each in options.only or ["*"])]
    sides = list(dict.fromkeys(side for pair in chosen for side in (pair.a, pair.b)))  # a base is recorded once
    had = partial(recorded, cache=options.cache, replay=options.replay)
    with ThreadPoolExecutor(options.workers) as threads:
        folders = dict(zip(sides, threads.map(had, sides), strict=True))
    found = {side: folder for side, folder in folders.items() if folder is not None}
    whole = [pair for pair in chosen if pair.a in found and pair.b in found]
    both = [(found[pair.a], found[pair.b]) for pair in whole]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(compared, whole, both))
    print("\n".join(lines(outcomes)))
    return 1 if len(whole) < len(chosen) else 0


if __name__ == "__main__":
    sys.exit(main())
