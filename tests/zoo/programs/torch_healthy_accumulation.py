"""Gradients of four micro-batches are summed on purpose."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.2, momentum=0.9)
for step in range(250):
    for micro in range(4):
        batch = torch.randint(0, len(x), (16,))
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch]) / 4
        loss.backward()
    optimizer.step()
    optimizer.zero_grad()
print(4 * loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
