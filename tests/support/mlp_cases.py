"""Data, fits and what tests of the scikit-learn audit expect of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor_agent import guard
from auditor_agent.run import live_run
from auditor_agent.sklearn import audit
from support.spooled import Row, SpooledRun, spooled

RNG = np.random.default_rng(0)
X = RNG.standard_normal((130, 6))
Y = np.tanh(X @ RNG.standard_normal(6)) + 0.1 * RNG.standard_normal(130)
CLASSES = (Y > -0.3).astype(int) + (Y > 0.3)
SMALL: dict[str, Any] = {"hidden_layer_sizes": (8, 5), "random_state": 3, "max_iter": 3, "batch_size": 40}
PER_EPOCH = 4  # 130 samples in batches of 40, the last of 10


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Runs go to the spool alone, and none outlives its test."""
    monkeypatch.setenv("AUDITOR_MODE", "offline")
    guard.TALLY.reset()
    yield
    left = live_run()
    if left is not None:
        left.finish(timeout=0.0)


def fitted(home: Path, mlp: Any, x: Any = X, y: Any = Y, **more: Any) -> SpooledRun:
    """``mlp`` fitted in an audit; what the run holds."""
    with audit(mlp):
        mlp.fit(x, y, **more)
    (run,) = spooled(home)
    return run


def moments(array: Any) -> Row:
    """The statistics of an array by their definitions, in float64."""
    x = np.asarray(array, np.float64)
    low, high = float(x.min()), float(x.max())
    row = {"count": x.size, "nan": 0, "inf": 0, "zeros": int((x == 0).sum())}
    row |= {"mean": x.mean(), "std": x.std(), "min": low, "max": high, "absmax": max(-low, high)}
    return row | {"l2": float(np.sqrt((x * x).sum())), "sum": x.sum(), "sumsq": (x * x).sum()}


def assert_row(row: Row, array: Any, context: object) -> None:
    """``row`` describes ``array`` to 1e-6 of its largest magnitude."""
    expected = moments(array)
    for name, value in expected.items():
        scale = abs(value) + expected["absmax"] * (1 if name in {"mean", "std"} else np.sqrt(expected["count"]))
        assert abs(row[name] - value) <= 1e-6 * max(scale, 1e-30), (context, name, row[name], value)


def columns(y: Any) -> Any:
    """Targets as the loss sees them: one column per output."""
    if y.dtype.kind == "f" or y.max() == 1:
        return y.reshape(len(y), -1).astype(float)
    return np.eye(y.max() + 1)[y]
