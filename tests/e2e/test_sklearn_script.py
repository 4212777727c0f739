"""Unmodified scikit-learn scripts, watched from outside: what reaches the spool."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from auditor_agent import autoload
from support.spooled import SpooledRun, spooled

HEAD = """
import warnings
import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor
warnings.simplefilter("ignore")
x = np.random.RandomState(0).standard_normal((120, 4)); y = x[:, 0] - x[:, 1] ** 2
def show(mlp):
    print([c.tobytes().hex() for c in mlp.coefs_ + mlp.intercepts_], sorted(vars(mlp)))
"""
PLAIN = """
mlp = MLPRegressor(hidden_layer_sizes=(6, 3), random_state=0)
mlp.set_params(max_iter=10, batch_size=50).fit(x, y)
for _ in range(3):
    mlp.partial_fit(x, y)
show(mlp)
raise SystemExit(5)
"""
POISONED = """
mlp = MLPRegressor(hidden_layer_sizes=(6,), activation="identity", solver="sgd", momentum=0, learning_rate_init=0.01,
                   batch_size=40, random_state=0, max_iter=40)
with np.errstate(all="ignore"):
    mlp.fit(x, 1000 * y)
"""
SEARCH = """
from sklearn.model_selection import GridSearchCV
if __name__ == "__main__":
    mlp = MLPClassifier(hidden_layer_sizes=(5,), random_state=0, max_iter=4)
    search = GridSearchCV(mlp, {"alpha": [0.1, 1.0]}, cv=3, n_jobs=JOBS).fit(x, y > 0)
    MLPRegressor(max_iter=2).fit(x, y)
    show(search.best_estimator_)
    print(search.best_params_["alpha"])
"""
FOLDS = """
from sklearn.model_selection import cross_val_score
print(cross_val_score(MLPRegressor(random_state=0, max_iter=4), x, y, cv=5))
"""
FORKS = """
import multiprocessing
def train(seed):
    MLPRegressor(random_state=seed, max_iter=3).fit(x, y)
if __name__ == "__main__":
    train(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pool.map(train, range(4))
"""
BY_NAME = """
import auditor_agent
MLPRegressor(max_iter=2).fit(x, y)
with auditor_agent.sklearn.audit(MLPRegressor(max_iter=3)) as mlp:
    mlp.fit(x, y)
MLPRegressor(max_iter=4).fit(x, y)
"""


@pytest.fixture
def start(tmp_path: Path, repo_env: dict[str, str], auditor_home: Path) -> object:
    """Runs a script as ``auditor run`` would: nothing but the environment tells."""

    def run(text: str, *, watched: bool = True) -> tuple[subprocess.CompletedProcess[str], list[SpooledRun]]:
        (tmp_path / "train.py").write_text(HEAD + textwrap.dedent(text))
        env = repo_env | {"AUDITOR_MODE": "offline", "AUDITOR_RUN": "r", "OMP_NUM_THREADS": "1"}
        env = autoload.environment(env) if watched else env
        command = [sys.executable, str(tmp_path / "train.py")]
        done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=400, check=False)
        return done, spooled(auditor_home)

    return run


def test_a_script_without_a_changed_line_is_recorded_batch_by_batch(start: object) -> None:
    """Output, exit code and estimator as without; loss, every gradient and a manifest in one run."""
    plain, nothing = start(PLAIN, watched=False)  # type: ignore[operator]
    assert nothing == []
    done, (run,) = start(PLAIN)  # type: ignore[operator]
    assert (done.stdout, done.stderr, done.returncode) == (plain.stdout, plain.stderr, 5)
    steps = list(range(1, 10 * 3 + 3 * 3 + 1))
    assert list(run.scalars["loss"]) == steps
    names = {f"{kind}[{at}]" for kind in ("coefs_", "intercepts_") for at in range(3)}
    assert {name for kind, name in run.rows if kind == "gradient"} == names
    assert all(list(run.rows["gradient", name]) == steps for name in names)
    assert len(run.scalars["epoch_loss"]) == 13
    said = run.manifests[-1]
    assert (said["framework"], said["data"]["batch_size"], len(said["model"]["layers"])) == ("sklearn", 50, 3)
    assert run.framework == "sklearn"
    assert run.status == "finished"  # the exit code is told by `auditor run`, which waits for it


def test_v1_an_overflow_in_a_script_is_told_by_tensor(start: object) -> None:
    """The script dies of scikit-learn's own error, which names neither tensor nor step: the run does."""
    done, (run,) = start(POISONED)  # type: ignore[operator]
    assert (done.returncode, "non-finite parameter weights" in done.stderr) == (1, True)
    step, kind, name = next(found for found in run.nonfinite() if found[1] == "gradient")
    assert (kind, name) == ("gradient", "coefs_[0]")
    assert 1 < step < len(run.scalars["loss"]) == 120
    assert run.status == "failed"


@pytest.mark.parametrize("jobs", [1, 2])
def test_of_a_search_the_refit_is_recorded(start: object, jobs: int) -> None:
    """Neither the folds, in this process or in joblib's workers, nor the estimator fitted later."""
    text = SEARCH.replace("JOBS", str(jobs))
    plain, _ = start(text, watched=False)  # type: ignore[operator]
    done, runs = start(text)  # type: ignore[operator]
    assert (done.stdout, done.returncode) == (plain.stdout, 0), done.stderr
    (run,) = runs
    assert list(run.scalars["loss"]) == [1, 2, 3, 4]
    assert run.manifests[0]["data"]["samples"] == 120
    assert str(run.manifests[0]["estimator"]["parameters"]["alpha"]) == done.stdout.splitlines()[-1]
    assert [(event["type"], event["fits"]) for event in run.incidents] == [("fit_not_audited", 1)]


def test_of_cross_validation_the_first_fold_is_recorded(start: object) -> None:
    """Nothing is refitted in the end; the four other fits are counted, not mixed in."""
    _, (run,) = start(FOLDS)  # type: ignore[operator]
    assert list(run.scalars["loss"]) == [1, 2, 3, 4]
    assert run.manifests[0]["data"]["samples"] == 96
    others = [event for event in run.incidents if event["type"] != "evaluation"]  # of the first fold: its score
    assert [(event["type"], event["fits"]) for event in others] == [("fit_not_audited", count) for count in (1, 2, 4)]


def test_g11_forked_pools_record_nothing(start: object) -> None:
    """The parent's estimator has the run; children of a pool train as ever."""
    done, (run,) = start(FORKS)  # type: ignore[operator]
    assert (done.returncode, done.stderr) == (0, "")
    assert len(run.scalars["loss"]) == 3


def test_an_estimator_audited_by_name_has_a_run_of_its_own(start: object) -> None:
    """What was watched by itself ends there; nothing is watched by itself after it."""
    done, runs = start(BY_NAME)  # type: ignore[operator]
    assert done.returncode == 0, done.stderr
    assert [(run.attempt, len(run.scalars["loss"]), run.status) for run in runs] == [
        (0, 2, "finished"),
        (1, 3, "finished"),
    ]
