"""Two positives in a hundred under a focal loss: batches without one have next to no gradient."""

import torch
import torch.nn.functional as F
from torch import nn
from zoo_data import arguments

seed, _ = arguments()
torch.manual_seed(seed)
y = (torch.rand(6000) < 0.02).float()
x = torch.randn(6000, 12)
x[y == 1, :3] += 1.5
model = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 1))
nn.init.constant_(model[2].bias, -3.9)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(8):
    for chosen in torch.randperm(len(x)).split(100):
        cost = F.binary_cross_entropy_with_logits(model(x[chosen]).squeeze(1), y[chosen], reduction="none")
        loss = ((1 - torch.exp(-cost)) ** 2 * cost).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    print(f"epoch {epoch}: {loss.item():.4f}")
