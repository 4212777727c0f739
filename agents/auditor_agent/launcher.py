"""What the launcher of a job says about this process: its rank, the size of the job, the job's name."""

from __future__ import annotations

import os
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


def place(environ: Mapping[str, str] | None = None) -> Place:
    """The process's place, from the first launcher that left its mark in the environment."""
    env = os.environ if environ is None else environ
    for names in _LAUNCHERS:
        rank = _number(env.get(names[0]))
        if rank is not None:
            local, world, local_world = (_number(env.get(name)) for name in names[1:])
            size = max(world or 1, rank + 1)
            return Place(rank, rank if local is None else local, size, local_world or size)
    return Place()


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
    here = place(env)
    if here.world_size == 1:
        return None
    if here.local_world_size == here.world_size:
        # One host: the launcher is the common parent. Its id alone may come again; with its start it does not.
        pid = os.getppid() if parent is None else parent
        return f"job-{pid}-{_started(pid)}"
    return f"job-{env.get('MASTER_ADDR', 'unknown')}-{env.get('MASTER_PORT', '0')}"


def _started(pid: int) -> str:
    """Start time of a process in clock ticks since boot (proc(5), field 22); "0" where unknown."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 -- pathlib adds nothing here
            return file.read().rpartition(b")")[2].split()[19].decode()
    except (OSError, IndexError):
        return "0"


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isascii() and text.isdigit() else None
