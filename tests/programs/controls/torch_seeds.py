"""A regression from many beginnings, one run each, as ``keras_seeds.py`` trains it: SEEDS."""

import sys

import torch
from data import beginning, load
from torch import nn

import auditor_agent

x, y, x_val, y_val = (torch.from_numpy(part).float() for part in load("regression"))
for seed in range(int(sys.argv[1])):
    start, order = beginning(seed, len(x))
    net = nn.Sequential(nn.Linear(6, 16), nn.Tanh(), nn.Linear(16, 1))
    for module, weight in zip((net[0], net[2]), start, strict=True):
        module.weight.data = torch.from_numpy(weight.T.copy())
        nn.init.zeros_(module.bias)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-2, eps=1e-7)
    run = auditor_agent.watch(net, optimizer, name=f"torch-{seed}")
    for _ in range(30):
        net.train()
        for rows in torch.from_numpy(order).split(40):
            optimizer.zero_grad()
            nn.functional.mse_loss(net(x[rows]), y[rows, None]).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            predicted = net(x_val)
            nn.functional.mse_loss(predicted, y_val[:, None])
    run.finish()
    print(run.id)
