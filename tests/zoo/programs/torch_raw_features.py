"""Breast cancer features in their own units, up to 4000."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in bundled("breast_cancer", scaled=healthy, seed=seed))
model = nn.Sequential(nn.Linear(30, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 2))
optimizer = torch.optim.SGD(model.parameters(), lr=0.05)
criterion = nn.CrossEntropyLoss()
for epoch in range(25):
    for batch in torch.randperm(len(x)).split(16):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    if epoch % 5 == 4:
        print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
