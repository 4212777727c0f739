"""From a NaN in a training step to the alert in the store, on the embedded daemon.

Jobs of PyTorch, Keras and scikit-learn, each in a process of its own as under ``auditor run``, become NaN
at a step; the daemon is the application in this process, over an embedded database, without Ray. Each
event is a run. Measured is the time from the end of the step, by the job's clock, until the transaction that
holds the alert is committed, in this process on the same machine. Its parts: from the step to the daemon's
receipt (capture, sender, HTTP), and from there to the commit (decoding, all rules, the database). Beside it,
not part of the goal: when the job itself has heard the verdict, its training going on in the same process.

    python -m benchmarks.nan_latency [--events 40] [--step 12] [--frameworks torch keras sklearn]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from auditor.hosting.inprocess import hosted
from auditor.settings import load_settings
from auditor.store.records import Committed, WriteBatch
from auditor.store.store import Store

ROOT: Final = Path(__file__).resolve().parent.parent
#: Seconds from the step to the stored alert, 99 of 100.
GOAL: Final = 0.25
#: The rules that say it.
_RULES: Final = ("nonfinite_loss", "nonfinite_gradient", "nonfinite_weight")


def events(framework: str, url: str, home: Path, count: int, step: int) -> list[dict[str, Any]]:
    """What the job said of each event.

    Raises:
        RuntimeError: if it failed.
    """
    mine = {
        "AUDITOR_URL": url, "AUDITOR_HOME": str(home / framework), "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3",
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "agents")]), "CUDA_VISIBLE_DEVICES": "-1",
    }  # fmt: skip
    command = [sys.executable, "-m", "benchmarks.training.nan_jobs", framework, str(count), str(step)]
    done = subprocess.run(command, env=os.environ | mine, capture_output=True, text=True, cwd=ROOT, check=False)
    told = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    if done.returncode or len(told) != count:
        raise RuntimeError(f"{framework}: exit {done.returncode}, {len(told)} events\n{done.stderr[-2000:]}")
    return told


class Noting:
    """A store that notes when the first alert about a non-finite number of each run was committed."""

    def __init__(self, store: Store) -> None:
        self.stored: dict[str, float] = {}
        self._write = store.write_all
        store.write_all = self.write_all  # type: ignore[method-assign]  # to look at the clock after it

    def write_all(self, batches: Sequence[WriteBatch]) -> list[Committed]:
        """As the store does."""
        done = self._write(batches)
        now = time.time()
        for alert in (alert for batch in batches for alert in batch.alerts):
            if alert.rule in _RULES:
                self.stored.setdefault(alert.run, now)
        return done


def parts(url: str, told: dict[str, Any], step: int, stored: float) -> tuple[float, float, float, float]:
    """Seconds from the step to the commit, to the daemon's receipt, from there, and till the job has heard.

    Infinite in all if the alert is missing or is of another step.
    """
    shown = httpx.get(f"{url}/v1/runs/{told['run']}").json()
    alerts = [alert for alert in shown["alerts"] if alert["rule"] in _RULES]
    if not alerts or min(alert["first_step"] for alert in alerts) != step:
        return float("inf"), float("nan"), float("nan"), float("nan")
    received = min(alert["started_at"] for alert in alerts)
    taken = told["taken"]
    return stored - taken, received - taken, stored - received, told["heard"] - taken


def table(framework: str, url: str, home: Path, options: argparse.Namespace, noting: Noting) -> list[float]:
    """Prints a framework's line; its milliseconds from step to commit."""
    told = events(framework, url, home, options.events, options.step)
    known = noting.stored
    rows = 1e3 * np.array([parts(url, one, options.step, known.get(one["run"], float("inf"))) for one in told])
    shown = [rows[:, 0].min(), *np.quantile(rows[:, 0], (0.5, 0.99, 1.0), method="higher")]
    shown += np.nanmedian(rows[:, 1:], axis=0).tolist()
    print(f"{framework:<12}{len(rows):>12}" + "".join(f"{one:>12.1f}" for one in shown), flush=True)
    return [float(one) for one in rows[:, 0]]


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a framework's 99th percentile is above the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=40, help="per framework")
    parser.add_argument("--step", type=int, default=12)
    parser.add_argument("--frameworks", nargs="+", default=["torch", "keras", "sklearn"])
    options = parser.parse_args(arguments)
    heads = ("events", "least", "p50", "p99", "worst", "to daemon", "from there", "heard")
    print(f"{'milliseconds':<12}" + "".join(f"{head:>12}" for head in heads) + "   (the last three: p50)")
    every: list[float] = []
    with tempfile.TemporaryDirectory(prefix="nan-") as home:
        settings = load_settings(home=Path(home), port=0)
        store = Store.open(settings.db_url)
        noting = Noting(store)
        with hosted(settings, store=store) as url:
            for framework in options.frameworks:
                every += table(framework, url, Path(home), options, noting)
        store.close()
    worst = float(np.quantile(every, 0.99, method="higher"))
    print(f"all: {len(every)} events, p50 {np.median(every):.1f} ms, p99 {worst:.1f} ms (goal {1e3 * GOAL:.0f} ms)")
    return int(worst > 1e3 * GOAL)


if __name__ == "__main__":
    sys.exit(main())
