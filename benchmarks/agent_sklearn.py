"""What an audit of a scikit-learn MLP costs: medians of interleaved epochs with it, without it, and an A/A control.

Run: ``python benchmarks/agent_sklearn.py [--rounds 15] [--json FILE]`` with ``agents`` on the path.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import statistics
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("AUDITOR_MODE", "offline")
os.environ.setdefault("AUDITOR_HOME", tempfile.mkdtemp())

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from auditor_agent.capture import native
from auditor_agent.sklearn import audit

STEPS = 60
#: Name: estimator, features, batch, dtype.
CASES: dict[str, tuple[Any, int, int, Any]] = {
    "default regressor, 20-100-1": (MLPRegressor(), 20, 200, np.float64),
    "digits-like, 64-100-50-10": (MLPClassifier(hidden_layer_sizes=(100, 50)), 64, 200, np.float64),
    "wide, 784-512-512-10": (MLPClassifier(hidden_layer_sizes=(512, 512)), 784, 128, np.float64),
    "wide float32": (MLPClassifier(hidden_layer_sizes=(512, 512)), 784, 128, np.float32),
    "wide sgd": (MLPClassifier(hidden_layer_sizes=(512, 512), solver="sgd"), 784, 128, np.float64),
}


def measure(estimator: Any, features: int, batch: int, dtype: Any, rounds: int) -> dict[str, float]:
    """Median step of each arm in milliseconds, arms taking turns: one epoch of ``partial_fit`` each."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((batch * STEPS, features)).astype(dtype)
    y = rng.integers(0, 10, batch * STEPS)
    arms = {name: type(estimator)(**estimator.get_params()) for name in ("plain", "control", "audited")}
    for arm in arms.values():
        arm.set_params(batch_size=batch, random_state=0, shuffle=False)
    more = {"classes": range(10)} if isinstance(estimator, MLPClassifier) else {}
    ratios: dict[str, list[float]] = {"plain": [], "control": [], "audited": []}
    with audit(arms["audited"]):
        for turn in range(rounds + 1):
            took = {}
            for name in list(arms) if turn % 2 else list(reversed(arms)):
                began = time.perf_counter()
                arms[name].partial_fit(x, y, **more)
                took[name] = (time.perf_counter() - began) / STEPS
            if turn:
                ratios["plain"].append(took["plain"])
                for name in ("control", "audited"):
                    ratios[name].append(took[name] / took["plain"])
    return {
        "plain_ms": 1e3 * statistics.median(ratios["plain"]),
        "control_percent": 100 * (statistics.median(ratios["control"]) - 1),
        "audited_percent": 100 * (statistics.median(ratios["audited"]) - 1),
    }


def main() -> None:
    """Measure and print, with the C kernel and with NumPy alone."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    results = {}
    kernel = native.available
    for way in ["native", "numpy"] if kernel() else ["numpy"]:
        with contextlib.ExitStack() as stack:
            if way == "numpy":
                native.available = lambda: False  # type: ignore[assignment]
                stack.callback(setattr, native, "available", kernel)
            for name, case in CASES.items():
                found = results[f"{name}, {way}"] = measure(*case, rounds=options.rounds)
                print(f"{name + ', ' + way:38s}", *(f"{key} {value:8.3f}" for key, value in found.items()), flush=True)
    if options.json:
        options.json.write_text(json.dumps(results, indent=1))


if __name__ == "__main__":
    main()
