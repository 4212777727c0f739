from __future__ import annotations

import re
import sys
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from auditor_agent import config, launcher
from auditor_agent.config import Config
from auditor_agent.identity import claim, clean, drawn, establish, retire
from auditor_agent.launcher import Place

LAUNCHED = [
    ({}, Place()),
    ({"RANK": "3", "LOCAL_RANK": "1", "WORLD_SIZE": "8", "LOCAL_WORLD_SIZE": "4"}, Place(3, 1, 8, 4)),
    ({"OMPI_COMM_WORLD_RANK": "2", "OMPI_COMM_WORLD_SIZE": "4", "OMPI_COMM_WORLD_LOCAL_RANK": "0"}, Place(2, 0, 4, 4)),
    ({"SLURM_PROCID": "5", "SLURM_NTASKS": "16", "SLURM_LOCALID": "1"}, Place(5, 1, 16, 16)),
    ({"RANK": "x", "SLURM_PROCID": "1"}, Place(1, 1, 2, 2)),
    ({"RANK": "-1"}, Place()),
    ({"RANK": "0", "SLURM_PROCID": "7"}, Place(0, 0, 1, 1)),
]


@pytest.mark.parametrize(("env", "place"), LAUNCHED)
def test_the_place_comes_from_the_launcher(env: dict[str, str], place: Place) -> None:
    """torchrun, Open MPI, Slurm; nonsense is no launcher."""
    assert launcher.place(env) == place


def test_all_ranks_of_a_job_find_the_same_name_and_a_lone_process_none() -> None:
    """The name of the job is the launcher's, or that of the common parent."""
    torchrun = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2"}
    ranks = [{**torchrun, "RANK": str(rank)} for rank in range(2)]
    assert len({launcher.job(env, parent=1) for env in ranks}) == 1
    assert launcher.job(ranks[0], parent=1) != launcher.job(ranks[0], parent=2)
    assert launcher.job({**ranks[0], "TORCHELASTIC_RUN_ID": "abc"}) == "torchrun-abc"
    assert launcher.job({"SLURM_JOB_ID": "9", "SLURM_PROCID": "0"}) == "slurm-9-0"
    assert launcher.job({"RANK": "0", "WORLD_SIZE": "1"}) is None
    assert launcher.job({}) is None


@pytest.mark.parametrize("hostile", ["../../etc", "..", ".", "", "a/b\0c", "x" * 500, "ä ö", "\n", "-", ":"])
def test_run_ids_are_clean_and_no_path(hostile: str, tmp_path: Path) -> None:
    """Whatever AUDITOR_RUN says, the id is as the wire wants it and stays within the spool."""
    run = clean(hostile)
    assert re.fullmatch(r"[A-Za-z0-9._:-]{1,131}", run)
    assert (tmp_path / run).resolve().parent == tmp_path.resolve()


def test_g5_drawn_ids_differ_and_leave_random_state_alone() -> None:
    """Two are never equal; Python's random numbers stay as they are."""
    import random

    before = random.getstate()
    assert len({drawn() for _ in range(200)}) == 200
    assert random.getstate() == before


def test_an_attempt_is_claimed_once(tmp_path: Path) -> None:
    """Of many that claim at the same time each gets its own."""
    with ThreadPoolExecutor(8) as pool:
        claims = list(pool.map(lambda _: claim(tmp_path / "run", 0, 0)[0], range(40)))
    assert sorted(claims) == list(range(40))


def test_attempts_follow_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """AUDITOR_ATTEMPT before torchrun's restart count before the first that is free."""
    monkeypatch.setenv("AUDITOR_RUN", "r")
    assert establish(Config.from_env()).attempt == 0
    assert establish(Config.from_env()).attempt == 1
    monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", "5")
    assert establish(Config.from_env()).attempt == 5
    monkeypatch.setenv("AUDITOR_ATTEMPT", "9")
    assert establish(Config.from_env()).attempt == 9
    assert establish(Config.from_env()).attempt == 10


def test_the_folder_of_a_named_run_stays_and_that_of_a_drawn_one_goes(tmp_path: Path) -> None:
    """A named run may come again: its folder is the claim of its attempt."""
    for run, stays in (("named", True), (drawn(), False)):
        folder = tmp_path / run / "0-0"
        folder.mkdir(parents=True)
        retire(folder)
        assert folder.exists() == stays


def test_the_environment_is_read_as_the_table_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """Values, defaults, and nonsense that becomes the default."""
    read = Config.from_env({"AUDITOR_URL": "http://x/", "AUDITOR_MODE": "OFFLINE", "AUDITOR_ATTEMPT": "2"})
    assert (read.url, read.mode, read.attempt, read.project) == ("http://x", "offline", 2, "default")
    bad = Config.from_env({"AUDITOR_MODE": "maybe", "AUDITOR_ATTEMPT": "-3", "AUDITOR_SPOOL_BYTES": "lots"})
    assert (bad.mode, bad.attempt, bad.spool_bytes) == ("online", None, 256 << 20)
    assert "secret" not in repr(Config.from_env({"AUDITOR_TOKEN": "secret"}))


def test_every_variable_that_the_agent_reads_is_in_the_table() -> None:
    """No AUDITOR_ name in the agent's code that the table does not explain."""
    folder = Path(config.__file__).parent
    used = {name for path in folder.rglob("*.py") for name in re.findall(r"\bAUDITOR_[A-Z_]+\b", path.read_text())}
    assert used <= {variable.name for variable in config.VARIABLES}
    assert all(variable.meaning.endswith(".") for variable in config.VARIABLES)


def test_jobs_of_ray_are_named_after_ray_and_their_rendezvous() -> None:
    """The parent of every worker on a host is the one raylet: it tells jobs apart no more."""
    ranks = {"RANK": "1", "WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "10.0.0.1"}
    ray = {**ranks, "RAY_JOB_ID": "01000000"}
    names = {launcher.job({**ray, "MASTER_PORT": port}, parent=7) for port in ("4001", "4002")}
    assert names == {"ray-01000000-10.0.0.1-4001", "ray-01000000-10.0.0.1-4002"}
    assert launcher.place(ray).rank == 1


def test_a_process_group_says_the_rank_where_the_environment_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lightning's own launcher, ``torch.multiprocessing.spawn``."""
    group = types.SimpleNamespace(
        is_available=lambda: True, is_initialized=lambda: True, get_rank=lambda: 1, get_world_size=lambda: 2
    )
    for name in ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setitem(sys.modules, "torch.distributed", group)
    assert launcher.place() == launcher.Place(1, 1, 2, 0)
    assert (launcher.job(parent=1) or "").startswith("job-1-")
    monkeypatch.setenv("MASTER_ADDR", "10.0.0.1")
    monkeypatch.setenv("MASTER_PORT", "4001")
    assert launcher.job(parent=1) == launcher.job(parent=2) == "job-10.0.0.1-4001"
    group.is_initialized = lambda: False
    assert launcher.place() == launcher.Place()
