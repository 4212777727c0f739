"""Some ranks train one model, watched or not; says what each rank saw and what became of the weights.

Usage: torch_ranks.py MODE OUT RANK WORLD, MODE one of ddp, fsdp2; OUT a folder that the WORLD ranks share.
"""

import json
import os
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.fsdp import fully_shard
from torch.distributed.tensor.debug import CommDebugMode

from auditor_agent.integrations.torch import audit as integration
from tests.support.memory_run import MemoryRun

STEPS = 6


def build(mode):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(6, 33), nn.ReLU(), nn.Linear(33, 5))
    if mode == "ddp":
        return nn.parallel.DistributedDataParallel(model)
    for layer in (model[0], model[2]):
        fully_shard(layer)
    return fully_shard(model)


def local(tensor):
    return getattr(tensor, "_local_tensor", tensor).detach()


def train(mode, rank, run):
    model = build(mode)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    seen = []

    def keep(*_):
        seen.append({n.removeprefix("module."): local(p.grad).double().tolist() for n, p in model.named_parameters()})

    optimizer.register_step_pre_hook(keep)
    if run is not None:
        integration.open_run = lambda *_, **__: run
        integration.watch(model, optimizer)
    noise = torch.Generator().manual_seed(100 + rank)
    losses, collectives = [], []
    for _ in range(STEPS):
        x, y = torch.randn(4, 6, generator=noise), torch.randint(5, (4,), generator=noise)
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        with CommDebugMode() as communication:
            optimizer.step()
        collectives.append(communication.get_total_counts())
        losses.append(loss.item())
    if run is not None:
        run.finish()
    return {
        "losses": losses,
        "norm": float(local(norm)),
        "weights": [local(p).tolist() for p in model.parameters()],
        "random": torch.get_rng_state().tolist(),
        "collectives": collectives,
        "seen": seen,
    }


def main(mode, out, rank, world):
    torch.set_num_threads(1)
    store = dist.FileStore(str(Path(out) / "store"), world)
    dist.init_process_group("gloo", store=store, rank=rank, world_size=world)
    plain = train(mode, rank, None)
    run = MemoryRun()
    watched = train(mode, rank, run)
    # Where only one rank is watched a collective of the agent's would hang.
    train(mode, rank, MemoryRun() if rank == 0 else None)
    rows = [{f"{kind} {name}": values for (kind, name), values in row.items()} for row in run.rows]
    result = {"plain": plain, "watched": watched, "rows": rows, "steps": run.steps, "events": run.events}
    Path(out, f"{rank}.json").write_text(json.dumps(result))
    dist.destroy_process_group()


if __name__ == "__main__":
    os.environ["AUDITOR_RAISE"] = "1"
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
