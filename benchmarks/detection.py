"""The zoo under audit: recall, right rule, false alarms and steps to detection, beside five alternatives.

``python benchmarks/detection.py`` records what is not recorded yet (each program under `auditor run`)
and judges all with the reporting seeds. ``--tuning``: tuning programs with tuning seeds, to choose
triggers. ``--replay``: records nothing, judges the newest recordings: seconds instead of minutes.
"""

from __future__ import annotations

import argparse
import fnmatch
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path

from detecting import tables
from detecting.outcome import Outcome, outcome
from detecting.record import ROOT, Case, record, stored

from auditor_agent import jsonfinite
from tests.zoo.index import REPORTING_SEEDS, TUNING_SEEDS, ZOO


def cases(options: argparse.Namespace) -> list[Case]:
    """The runs that were asked for."""
    seeds = (TUNING_SEEDS if options.tuning else REPORTING_SEEDS)[: options.seeds]
    wanted = options.only or ["*"]
    programs = [
        program
        for program in ZOO
        if any(fnmatch.fnmatch(program.name, pattern) for pattern in wanted)
        and program.split in (("tune",) if options.tuning else ("tune", "report"))
    ]
    twins = {program.name: (False, True) if program.fault else (False,) for program in programs}
    return [Case(program, seed, twin) for program in programs for seed in seeds for twin in twins[program.name]]


def recordings(wanted: Sequence[Case], options: argparse.Namespace) -> dict[Case, Path]:
    """Where each run's frames lie; those missing are made first, unless ``--replay``."""
    found = {case: stored(case, options.cache, any_agent=options.replay) for case in wanted}
    missing = [case for case, path in found.items() if path is None]
    if missing and options.replay:
        print(f"{len(missing)} of {len(wanted)} runs have no recording and are left out", flush=True)
    elif missing:
        print(f"recording {len(missing)} of {len(wanted)} runs, {options.workers} at a time", flush=True)
        found |= _made(missing, options)
    return {case: path for case, path in found.items() if path is not None}


def _made(missing: Sequence[Case], options: argparse.Namespace) -> dict[Case, Path | None]:
    made: dict[Case, Path | None] = {}
    with ThreadPoolExecutor(options.workers) as pool:
        waiting: dict[Future[Path], Case] = {pool.submit(record, case, options.cache): case for case in missing}
        for future in as_completed(waiting):
            case = waiting[future]
            try:
                made[case] = future.result()
            except (RuntimeError, subprocess.TimeoutExpired) as error:
                made[case] = None
                print(f"no recording of {case.label}: {error}", flush=True)
    return made


def judged(found: dict[Case, Path], options: argparse.Namespace) -> list[Outcome]:
    """What the rules, and the alternatives, say of each recording; by program, twin and seed."""
    with ProcessPoolExecutor(options.workers, mp_context=get_context("spawn")) as pool:
        waiting = [pool.submit(outcome, case, path, alternatives=options.alternatives) for case, path in found.items()]
        return [future.result() for future in waiting]


def say(outcomes: list[Outcome]) -> None:
    """Prints all tables."""
    for line in tables.complaints(outcomes):
        print(line)
    for table in (tables.per_rule(outcomes), tables.overall(outcomes)):
        print("\n" + "\n".join(table))
    if outcomes and outcomes[0].others:
        print("\n" + "\n".join(tables.alternatives(outcomes)))


def main() -> int:
    """Runs the benchmark; exit code 1 if a run could not be had."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tuning", action="store_true", help="tuning programs and seeds, to choose triggers with")
    parser.add_argument("--replay", action="store_true", help="run nothing: judge the newest recordings there are")
    parser.add_argument("--seeds", type=int, default=5, help="at most so many of the seeds")
    parser.add_argument("--only", action="append", metavar="PATTERN", help="programs by name, e.g. 'torch_*'")
    parser.add_argument("--workers", type=int, default=min(4, os.cpu_count() or 1))
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("ZOO_CACHE", ROOT / "out" / "zoo")))
    parser.add_argument("--json", type=Path, help="write every outcome there")
    parser.add_argument("--no-alternatives", dest="alternatives", action="store_false")
    options = parser.parse_args()
    began = time.monotonic()
    wanted = cases(options)
    found = recordings(wanted, options)
    outcomes = judged(found, options)
    say(outcomes)
    training = sum(item.recorded_seconds for item in outcomes)
    judging = sum(item.seconds for item in outcomes)
    print(
        f"\n{len(outcomes)} runs of {len({o.case.program for o in outcomes})} programs; recorded in {training:.0f} s of"
    )
    print(f"process time, judged in {judging:.1f} s of processor time; this took {time.monotonic() - began:.0f} s")
    if options.json:
        options.json.write_text(jsonfinite.dumps([item.as_json() for item in outcomes], indent=1) + "\n")
    return 1 if len(found) < len(wanted) else 0


if __name__ == "__main__":
    sys.exit(main())
