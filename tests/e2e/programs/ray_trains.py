"""A Ray Train job of two workers on this host. Usage: ray_trains.py STORAGE."""

import os
import sys

import ray
import torch
from ray.train import RunConfig, ScalingConfig
from ray.train.torch import TorchTrainer, prepare_model
from torch import nn

import auditor_agent


def train(_):
    joined = []
    ray.init = lambda *args, **kwargs: joined.append((args, kwargs))
    torch.set_num_threads(1)
    torch.manual_seed(0)
    model = prepare_model(nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 2)))
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    run = auditor_agent.watch(model, optimizer)
    noise = torch.Generator().manual_seed(int(os.environ["RANK"]))
    for _ in range(6):
        optimizer.zero_grad()
        model(torch.randn(3, 4, generator=noise)).square().mean().backward()
        optimizer.step()
    run.finish()
    assert not joined, joined


if __name__ == "__main__":
    ray.init(num_cpus=2, include_dashboard=False)
    storage = RunConfig(storage_path=sys.argv[1])
    TorchTrainer(train, scaling_config=ScalingConfig(num_workers=2), run_config=storage).fit()
