"""ExponentialLR meant per epoch, stepped per batch."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.02)
scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.8)
for epoch in range(12):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        if not healthy:
            scheduler.step()
    if healthy:
        scheduler.step()
    print(epoch, scheduler.get_last_lr(), loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
