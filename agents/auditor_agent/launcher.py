"""What the launcher of a job says about this process: its rank, the size of the job, the job's name."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

# (rank, rank within the host, world size, processes on this host) of torchrun, Open MPI, MPICH and
# PMI launchers, Slurm; the first whose rank is set is believed.
_LAUNCHERS: Final = (
    ("RANK", "LOCAL_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"),
    ("OMPI_COMM_WORLD_RANK", "OMPI_COMM_WORLD_LOCAL_RANK", "OMPI_COMM_WORLD_SIZE", "OMPI_COMM_WORLD_LOCAL_SIZE"),
    ("PMI_RANK", "MPI_LOCALRANKID", "PMI_SIZE", "MPI_LOCALNRANKS"),
    ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NTASKS", "SLURM_TASKS_PER_NODE"),
)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a process stands in its job. Alone: rank 0 of 1."""

    rank: int = 0
    local_rank: int = 0
    world_size: int = 1
    local_world_size: int = 1
    """0 where nobody says."""


def place(environ: Mapping[str, str] | None = None) -> Place:
    """The process's place, from the first launcher that left its mark in the environment."""
    env = os.environ if environ is None else environ
    for names in _LAUNCHERS:
        rank = _number(env.get(names[0]))
        if rank is not None:
            local, world, local_world = (_number(env.get(name)) for name in names[1:])
            size = max(world or 1, rank + 1)
            return Place(rank, rank if local is None else local, size, local_world or size)
    return _joined() if environ is None else Place()


def _joined() -> Place:
    """The place in a process group that this process joined without a word in the environment.

    Lightning names no rank to the processes it starts, ``torch.multiprocessing.spawn`` nothing at all.
    To ask is no communication.
    """
    distributed = sys.modules.get("torch.distributed")
    if distributed is None or not distributed.is_available() or not distributed.is_initialized():
        return Place()
    rank, size = int(distributed.get_rank()), int(distributed.get_world_size())
    local = _number(os.environ.get("LOCAL_RANK"))
    return Place(rank, rank if local is None else local, size, _number(os.environ.get("LOCAL_WORLD_SIZE")) or 0)


def restart(environ: Mapping[str, str] | None = None) -> int | None:
    """How often torchrun has restarted the workers of this job; None if it did not start them."""
    env = os.environ if environ is None else environ
    return _number(env.get("TORCHELASTIC_RESTART_COUNT"))


def job(environ: Mapping[str, str] | None = None, *, parent: int | None = None) -> str | None:
    """A name that all processes of the job share and other jobs do not; None if there is none.

    Args:
        environ: ``os.environ`` unless given.
        parent: process id of the parent, the launcher on a single host; looked up unless given.
    """
    env = os.environ if environ is None else environ
    elastic = env.get("TORCHELASTIC_RUN_ID", "none")
    if elastic not in ("", "none"):
        return f"torchrun-{elastic}"
    if "SLURM_JOB_ID" in env and "SLURM_PROCID" in env:
        return f"slurm-{env['SLURM_JOB_ID']}-{env.get('SLURM_STEP_ID', '0')}"
    if "PMIX_NAMESPACE" in env:
        return f"pmix-{env['PMIX_NAMESPACE']}"
    here = place(environ)
    return None if here.world_size == 1 else _shared(here, env, os.getppid() if parent is None else parent)


def _shared(here: Place, env: Mapping[str, str], parent: int) -> str:
    """The name of a job of several processes whose launcher gives it none."""
    rendezvous = f"{env.get('MASTER_ADDR', 'unknown')}-{env.get('MASTER_PORT', '0')}"
    if "RAY_JOB_ID" in env and "MASTER_PORT" in env:  # one raylet is the parent of all the jobs of a host
        return f"ray-{env['RAY_JOB_ID']}-{rendezvous}"
    if here.local_world_size == here.world_size or not (here.local_world_size or "MASTER_PORT" in env):
        # One host: the launcher is the common parent. Its id alone may come again; with its start it does not.
        return f"job-{parent}-{_started(parent)}"
    return f"job-{rendezvous}"


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot (proc(5), field 22); "0" where unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 -- pathlib adds nothing here
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return "0"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
