"""Pairs of programs that differ in one thing, under audit and compared: is the true cause named, and first?

``python benchmarks/mismatch.py`` records what is not recorded yet and prints each pair and the shares.
``--tuning`` leaves the held-out pairs out, ``--held`` the others; ``--only PATTERN`` chooses by name.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from mismatching.record import ROOT, place, record, run_of

from auditor.compare.verdict import compare_runs
from auditor.store.store import Store
from auditor_agent import jsonfinite

sys.path.insert(0, str(ROOT))
from tests.programs.pairs.index import CONTROLS, PAIRS, Pair


class Both:
    """Two stores as one, each run in its own."""

    def __init__(self, stores: dict[str, Store]) -> None:
        self._stores = stores

    def runs(self, **_: Any) -> list[Any]:
        """Earlier runs of the project: none, so that each pair is judged by itself."""
        return []

    def __getattr__(self, name: str) -> Any:
        def ask(run: str, *given: Any, **more: Any) -> Any:
            method = getattr(self._stores[run], name)
            return method(run, *given, **more) if given else method(run=run, **more)

        return ask


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a comparison said of a pair."""

    pair: Pair
    said: dict[str, Any]

    @property
    def told(self) -> list[str]:
        """Ids of its causes, the first first."""
        return [cause["id"] for cause in self.said["causes"]]

    @property
    def stage(self) -> str | None:
        """Where it says that the two part."""
        return self.said["causes"][0]["stage"] if self.said["causes"] else None

    def within(self, most: int) -> bool:
        """Whether the true cause is among the first."""
        return any(name in self.pair.ids for name in self.told[:most])

    @property
    def silent(self) -> bool:
        """Whether no mismatch is claimed."""
        return self.said["verdict"] != "mismatch"


def judged(pair: Pair, folders: tuple[Path, Path]) -> Outcome:
    """Compares the two stores of a pair."""
    runs = [run_of(folder) for folder in folders]
    with ExitStack() as stack:
        stores = {}
        for run, folder in zip(runs, folders, strict=True):
            stores[run] = Store.open(f"sqlite:///{folder / 'auditor.db'}")
            stack.callback(stores[run].close)
        return Outcome(pair, compare_runs(Both(stores), *runs))  # type: ignore[arg-type]


def recorded(pairs: Sequence[Pair], cache: Path, workers: int, *, replay: bool) -> dict[str, tuple[Path, Path]]:
    """The folders of every pair whose two sides ran; the seeds of the sides differ."""
    sides = sorted({(side, seed) for pair in pairs for seed, side in enumerate((pair.a, pair.b), 1)})

    def one(side: tuple[str, int]) -> Path | None:
        if replay:
            there = place(*side, cache)
            return there if (there / "run.json").exists() else None
        try:
            return record(*side, cache)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            print(f"no recording: {error}", flush=True)
            return None

    with ThreadPoolExecutor(workers) as pool:
        found = dict(zip(sides, pool.map(one, sides), strict=True))
    both = {pair.name: (found[pair.a, 1], found[pair.b, 2]) for pair in pairs}
    return {name: (a, b) for name, (a, b) in both.items() if a is not None and b is not None}


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """A line for each pair, then the shares."""
    table = []
    for one in outcomes:
        if one.pair.ids:
            mark = "ok " if one.within(1) else "in3" if one.within(3) else "MISS"
            right = " " if one.stage == one.pair.stage else f" stage {one.stage} for {one.pair.stage}"
        else:
            mark, right = ("ok " if one.silent else "FALSE"), ""
        held = "held" if one.pair.held else "    "
        causes = ", ".join(
            f"{cause['id']} {cause['parameter']} {cause['weight']:.2g}" for cause in one.said["causes"][:4]
        )
        table.append(
            f"{mark:5} {held} {one.pair.name:40} {'/'.join(one.pair.ids):24} {one.said['verdict']:12} {causes}{right}"
        )
    for name, chosen in (
        ("tuned on", [o for o in outcomes if not o.pair.held]),
        ("held out", [o for o in outcomes if o.pair.held]),
    ):
        pairs, controls = [o for o in chosen if o.pair.ids], [o for o in chosen if not o.pair.ids]
        if pairs:
            shares = [
                sum(hits) / len(pairs)
                for hits in (
                    [o.within(1) for o in pairs],
                    [o.within(3) for o in pairs],
                    [o.stage == o.pair.stage for o in pairs],
                )
            ]
            first, three, stage = shares
            table.append(f"{name}: {len(pairs)} pairs: first {first:.0%}, in three {three:.0%}, stage {stage:.0%}")
        if controls:
            table.append(f"{name}: {sum(o.silent for o in controls)} of {len(controls)} controls silent")
    return table


def main() -> int:
    """Runs the benchmark; exit code 1 if a run could not be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="only pairs to choose weights with")
    parser.add_argument("--replay", action="store_true", help="run nothing: compare what is recorded")
    parser.add_argument("--held", action="store_true", help="only pairs that are held out")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="pairs by name")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--cache", type=Path, default=ROOT / "out" / "pairs")
    parser.add_argument("--json", type=Path, help="write every comparison there")
    options = parser.parse_args()
    pairs = [
        pair
        for pair in (*PAIRS, *CONTROLS)
        if any(fnmatch.fnmatch(pair.name, pattern) for pattern in options.only or ["*"])
        and not (options.tuning and pair.held)
        and not (options.held and not pair.held)
    ]
    folders = recorded(pairs, options.cache, options.workers, replay=options.replay)
    chosen = [pair for pair in pairs if pair.name in folders]
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        outcomes = list(pool.map(judged, chosen, [folders[pair.name] for pair in chosen]))
    print("\n".join(lines(outcomes)))
    if options.json:
        told = [{"pair": one.pair.name, "held": one.pair.held, "said": one.said} for one in outcomes]
        options.json.write_text(jsonfinite.dumps(told, indent=1) + "\n")
    return 1 if len(folders) < len(pairs) else 0


if __name__ == "__main__":
    sys.exit(main())
