"""Two workers average gradients by hand; each made its own initial weights."""

import os
import socket

import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from zoo_data import arguments, digits


def worker(rank, port, seed, healthy):
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port), RANK=str(rank), WORLD_SIZE="2")
    dist.init_process_group("gloo", rank=rank, world_size=2)
    torch.manual_seed(seed + rank)
    x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
    x, y = x[rank::2], y[rank::2]
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    if healthy:
        for p in model.parameters():
            dist.broadcast(p.data, 0)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
    for step in range(300):
        batch = torch.randint(0, len(x), (32,))
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        for p in model.parameters():
            dist.all_reduce(p.grad)
            p.grad /= 2
        optimizer.step()
    print(rank, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item(), flush=True)
    dist.destroy_process_group()


if __name__ == "__main__":
    seed, healthy = arguments()
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port = s.getsockname()[1]
    mp.spawn(worker, (port, seed, healthy), nprocs=2)
