"""Only differences of outputs count, so the last bias has no gradient by construction."""

import torch
from torch import nn
from zoo_data import arguments

seed, _ = arguments()
torch.manual_seed(seed)
kinds = torch.randn(5, 12) * 2
net = nn.Sequential(nn.Linear(12, 32), nn.ReLU(), nn.Linear(32, 8))
optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
for step in range(400):
    one = torch.randint(0, 5, (32,))
    other = torch.where(torch.rand(32) < 0.5, one, torch.randint(0, 5, (32,)))
    left, right = (net(kinds[which] + 0.3 * torch.randn(32, 12)) for which in (one, other))
    distance = torch.sqrt(((left - right) ** 2).sum(1) + 1e-9)
    same = (one == other).float()
    loss = (same * distance**2 + (1 - same) * torch.clamp(1 - distance, min=0) ** 2).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if step % 100 == 0:
        print(f"step {step}: {loss.item():.4f}")
