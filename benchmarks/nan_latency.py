"""From a NaN in a training step to the alert in the store, on the embedded daemon.

Jobs of PyTorch, Keras and scikit-learn, each in a process of its own as under ``auditor run``, become NaN
at a step; the daemon is the application in this process, over an embedded database, without Ray. Each
event is a run. Measured in the job is the time from the end of the step until the agent has heard the
verdict, which the daemon sends after the commit: an upper bound of when the alert is stored. Its parts:
from the step to the daemon's receipt (capture, sender, HTTP), and from there to the answer (judgement,
commit, HTTP).

    python -m benchmarks.nan_latency [--events 40] [--step 12] [--frameworks torch keras sklearn]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np

from auditor.hosting.inprocess import hosted
from auditor.settings import load_settings

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


def parts(url: str, told: dict[str, Any], step: int) -> tuple[float, float, float]:
    """Seconds in all, until the daemon's receipt, and from there; infinite in all if missed or of another step."""
    shown = httpx.get(f"{url}/v1/runs/{told['run']}").json()
    alerts = [alert for alert in shown["alerts"] if alert["rule"] in _RULES]
    if not alerts or min(alert["first_step"] for alert in alerts) != step:
        return float("inf"), float("nan"), float("nan")
    received = min(alert["started_at"] for alert in alerts)
    return told["heard"] - told["taken"], received - told["taken"], told["heard"] - received


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 1 if a framework's 99th percentile is above the goal."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--events", type=int, default=40, help="per framework")
    parser.add_argument("--step", type=int, default=12)
    parser.add_argument("--frameworks", nargs="+", default=["torch", "keras", "sklearn"])
    options = parser.parse_args(arguments)
    heads = ("events", "least", "p50", "p99", "worst", "to daemon", "from there")
    print(f"{'milliseconds':<12}" + "".join(f"{head:>12}" for head in heads) + "   (the last two: p50)")
    every: list[float] = []
    with tempfile.TemporaryDirectory(prefix="nan-") as home, hosted(load_settings(home=Path(home), port=0)) as url:
        for framework in options.frameworks:
            told = events(framework, url, Path(home), options.events, options.step)
            rows = 1e3 * np.array([parts(url, one, options.step) for one in told])
            every += rows[:, 0].tolist()
            shown = [rows[:, 0].min(), *np.quantile(rows[:, 0], (0.5, 0.99, 1.0), method="higher")]
            shown += np.nanmedian(rows[:, 1:], axis=0).tolist()
            print(f"{framework:<12}{len(rows):>12}" + "".join(f"{one:>12.1f}" for one in shown), flush=True)
    worst = float(np.quantile(every, 0.99, method="higher"))
    print(f"all: {len(every)} events, p50 {np.median(every):.1f} ms, p99 {worst:.1f} ms (goal {1e3 * GOAL:.0f} ms)")
    return int(worst > 1e3 * GOAL)


if __name__ == "__main__":
    sys.exit(main())
