"""A hand-written L2 penalty that is subtracted."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
strength = 1e-4 if healthy else -0.05
for step in range(500):
    batch = torch.randint(0, len(x), (64,))
    optimizer.zero_grad()
    penalty = sum((p**2).sum() for p in model.parameters())
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch]) + strength * penalty
    loss.backward()
    optimizer.step()
    if step % 50 == 49:
        print(step, loss.item(), penalty.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
