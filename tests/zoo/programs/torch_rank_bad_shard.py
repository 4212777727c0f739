"""Data-parallel: the shard of one rank has its labels rolled by one."""

import os
import socket

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn.parallel import DistributedDataParallel
from zoo_data import arguments, digits


def worker(rank, port, seed, healthy):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE="3")
    dist.init_process_group("gloo", rank=rank, world_size=3)
    torch.manual_seed(seed)
    x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
    x, y = x[rank::3], y[rank::3]
    if rank == 2 and not healthy:
        y = (y + 1) % 10
    model = DistributedDataParallel(nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10)))
    optimizer = torch.optim.Adam(model.parameters(), lr=2e-3)
    noise = torch.Generator().manual_seed(seed + rank)
    for step in range(300):
        batch = torch.randint(0, len(x), (32,), generator=noise)
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(rank, loss.item(), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    seed, healthy = arguments()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    mp.spawn(worker, (port, seed, healthy), nprocs=3)
