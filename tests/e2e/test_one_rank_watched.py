"""G2: an agent on one rank only neither waits for the others nor makes them wait."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.agent import child_env

RUNS, STEPS = 100, 5
RANK = """
import hashlib, json, os, sys, datetime, warnings
warnings.simplefilter("ignore")
import torch, torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel as DDP
torch.set_num_threads(1)
runs, steps, watched = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "watched"
rank = int(os.environ["RANK"])
limit = datetime.timedelta(seconds=30)  # a collective that one rank alone has started ends so, as an error
dist.init_process_group("gloo", store=dist.FileStore(sys.argv[4], 2), rank=rank, world_size=2, timeout=limit)
digest, recorded = hashlib.sha256(), 0
for n in range(runs):
    torch.manual_seed(n)
    model = DDP(torch.nn.Sequential(torch.nn.Linear(8, 8), torch.nn.Tanh(), torch.nn.Linear(8, 1)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    if watched and rank == 0:
        import auditor_agent
        run = auditor_agent.watch(model, optimizer)
    data = torch.Generator().manual_seed(1000 * n + rank)
    for _ in range(steps):
        optimizer.zero_grad()
        model(torch.randn(4, 8, generator=data)).square().mean().backward()
        optimizer.step()
    for parameter in model.parameters():
        digest.update(parameter.detach().numpy().tobytes())
    if watched and rank == 0:
        run.finish(timeout=0.0)
        recorded += run.counts()["produced"]
dist.barrier()
print(json.dumps({"weights": digest.hexdigest(), "recorded": recorded}), flush=True)
os._exit(0)  # gloo's own threads now and then abort an interpreter that ends, watched or not
"""


def trained(env: dict[str, str], store: Path, mode: str) -> list[dict[str, object]]:
    """What two ranks say after training together."""
    command = [sys.executable, "-c", RANK, str(RUNS), str(STEPS), mode, str(store)]
    launched = [
        subprocess.Popen(
            command,
            env={**env, "RANK": str(rank), "WORLD_SIZE": "2", "LOCAL_RANK": str(rank)},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        said = [process.communicate(timeout=80) for process in launched]
    finally:
        for process in launched:
            process.kill()
    assert [process.returncode for process in launched] == [0, 0], said
    return [json.loads(out) for out, _ in said]


@pytest.mark.slow
def test_g2_g5_an_agent_on_rank_0_alone_hangs_nobody_and_changes_nothing(
    repo_env: dict[str, str], tmp_path: Path
) -> None:
    """A hundred runs of two gloo ranks under DDP, one watched: they end, with the weights of unwatched ranks."""
    env = child_env(repo_env, AUDITOR_MODE="offline", OMP_NUM_THREADS="1")
    plain = trained(env, tmp_path / "plain", "plain")
    watched = trained(env, tmp_path / "watched", "watched")
    assert [said["weights"] for said in watched] == [said["weights"] for said in plain]
    assert watched[0]["weights"] == watched[1]["weights"]
    assert [said["recorded"] for said in watched] == [RUNS * STEPS, 0]
