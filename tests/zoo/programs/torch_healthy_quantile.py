"""Pinball loss for three quantiles, heavy-tailed noise."""

import torch
from torch import nn
from zoo_data import arguments

seed, _ = arguments()
torch.manual_seed(seed)
x = torch.randn(1500, 4)
y = x[:, :1] + (0.2 + x[:, 1:2].abs()) * torch.distributions.StudentT(3.0).sample((1500, 1))
levels = torch.tensor([0.1, 0.5, 0.9])
model = nn.Sequential(nn.Linear(4, 32), nn.ReLU(), nn.Linear(32, 3))
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
for epoch in range(10):
    for batch in torch.randperm(1500).split(32):
        error = y[batch] - model(x[batch])
        loss = torch.maximum(levels * error, (levels - 1) * error).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(epoch, loss.item())
