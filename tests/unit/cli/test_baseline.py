from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from auditor.cli.client import Client
from auditor.cli.embedded import embedded
from support.frames import Sender
from tests.unit.cli.conftest import Call, send

STEPS = 400
MODEL = {"tensors": {"fc1.weight": {"shape": [4, 3], "dtype": "float32"}}}


def train(client: Client, run: str, seed: int, *, off: Callable[[int], float] = lambda _: 1.0, **start: Any) -> None:
    """A run of 400 steps whose loss falls; from some step on one gradient is ``off`` times what it was."""
    rng, sender = np.random.default_rng(seed), Sender(run)
    level = np.exp(rng.normal(0, 0.05))
    send(client, sender.start(**start) + sender.manifest({"model": MODEL, "seed": seed}))
    for first in range(0, STEPS, 20):
        steps = np.arange(first, first + 20)
        loss = level * np.exp(-steps / 200 + rng.normal(0, 0.1, 20))
        norms = (3.0 * level * off(first), 4.0 * level, 1.0)
        send(client, sender.steps(steps.tolist(), loss.tolist(), norms=norms, tensors=first == 0))
    send(client, sender.finish(step=STEPS - 1))


@pytest.fixture
def good(auditor_home: Path, call: Call) -> Path:
    """Five good runs and a baseline ``b`` of them."""
    with embedded() as client:
        for seed in range(5):
            train(client, f"good{seed}", seed)
    call("baseline", "create", "b", *(f"good{seed}" for seed in range(5)))
    return auditor_home


def deviation(call: Call, run: str) -> dict[str, Any] | None:
    """The alert of the rule, None if there is none."""
    shown = json.loads(call("show", run, "--json").stdout)
    return next((alert for alert in shown["alerts"] if alert["rule"] == "baseline_deviation"), None)


def test_a_run_that_leaves_its_baseline_is_told_the_step_and_the_tensor(call: Call, good: Path) -> None:
    """It finds its baseline by project and model; what left first is named, with the bound."""
    assert good.exists()
    with embedded() as client:
        train(client, "alike", 11)
        train(client, "leaves", 12, off=lambda step: 8.0 if step >= 200 else 1.0)
    assert deviation(call, "alike") is None
    alert = deviation(call, "leaves")
    assert alert is not None
    assert alert["subject"]["name"] in {"fc1.weight", "gradient_norm"}
    assert 180 <= alert["first_step"] <= 300
    assert alert["evidence"]["bound"] < abs(alert["evidence"]["deviation"])
    assert alert["evidence"]["alpha"] == 0.01
    assert {item["series"] for item in alert["evidence"]["left"]} <= {"gradient fc1.weight", "gradient_norm"}


def test_runs_of_another_kind_are_not_held_against_it(call: Call, good: Path) -> None:
    """Another project has no baseline, unless it names one; the runs that made it are not judged by it."""
    assert good.exists()
    with embedded() as client:
        train(client, "elsewhere", 13, off=lambda _: 8.0, project="q")
        train(client, "named", 14, off=lambda _: 8.0, project="q", baseline="b")
    assert deviation(call, "elsewhere") is None
    assert "baseline_deviation" in json.loads(call("show", "elsewhere", "--json").stdout)["unjudged"]
    assert "no baseline of this project" in call("show", "elsewhere").stdout
    assert deviation(call, "named") is not None


def test_baselines_are_listed_and_shown(call: Call, good: Path) -> None:
    """Runs, bound and the first and last value of each series; one of the same name is replaced."""
    assert good.exists()
    call("baseline", "create", "b", "good0", "good1", "good2")
    listed = json.loads(call("baseline", "list", "--json").stdout)["baselines"]
    assert [(one["name"], one["runs"]) for one in listed] == [("b", ["good0", "good1", "good2"])]
    told = json.loads(call("baseline", "show", "b", "--json").stdout)
    assert told["bound"] > max(told["peaks"])
    assert "gradient fc1.weight" in call("baseline", "show", "b").stdout
    assert "no baseline c" in call("baseline", "show", "c", code=2).output


def test_too_few_runs_or_runs_of_several_kinds_make_no_baseline(call: Call, good: Path) -> None:
    """The message says why."""
    assert good.exists()
    with embedded() as client:
        train(client, "other", 3, project="q")
    assert "needs 3 runs" in call("baseline", "create", "c", "good0", "good0", "good1", code=2).output
    assert "several projects" in call("baseline", "create", "c", "good0", "good1", "other", code=2).output
    assert "no run nothing" in call("baseline", "create", "c", "good0", "good1", "nothing", code=2).output
