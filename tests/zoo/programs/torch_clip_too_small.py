"""max_norm=1e-3, taken for a learning rate."""

import torch
from torch import nn
from zoo_data import arguments, digits

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in digits(seed))
model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
for epoch in range(10):
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0 if healthy else 1e-3)
        optimizer.step()
    print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
