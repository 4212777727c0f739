"""Warm restarts: the loss rises at each."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, _ = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
model = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 1))
optimizer = torch.optim.SGD(model.parameters(), lr=0.15, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=100, T_mult=1)
for step in range(500):
    batch = torch.randint(0, len(x), (32,))
    optimizer.zero_grad()
    loss = ((model(x[batch]).squeeze(1) - y[batch]) ** 2).mean()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if step % 50 == 0:
        print(step, loss.item())
