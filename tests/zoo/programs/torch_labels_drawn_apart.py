"""Inputs and labels are sampled by two different index vectors."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for step in range(500):
    batch = torch.randint(0, len(x), (64,))
    labels = y[batch] if healthy else y[torch.randint(0, len(y), (64,))]
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[batch]), labels)
    loss.backward()
    optimizer.step()
    if step % 100 == 99:
        print(step, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
