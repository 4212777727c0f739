"""Cyclical learning rate over two orders of magnitude."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, _ = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.005, momentum=0.9)
scheduler = torch.optim.lr_scheduler.CyclicLR(optimizer, 0.005, 0.5, step_size_up=50)
for step in range(500):
    batch = torch.randint(0, len(x), (32,))
    optimizer.zero_grad()
    loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
    loss.backward()
    optimizer.step()
    scheduler.step()
print(loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
