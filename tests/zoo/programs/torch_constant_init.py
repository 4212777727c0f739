"""Weights initialised to one value."""

import torch
from torch import nn
from zoo_data import arguments, bundled

seed, healthy = arguments()
torch.manual_seed(seed)
x, y, x_test, y_test = (torch.as_tensor(a) for a in bundled("wine", seed=seed))
model = nn.Sequential(nn.Linear(13, 24), nn.ReLU(), nn.Linear(24, 24), nn.ReLU(), nn.Linear(24, 3))


def init_weights(m):
    if isinstance(m, nn.Linear):
        if healthy:
            nn.init.xavier_uniform_(m.weight)
        else:
            nn.init.constant_(m.weight, 0.1)
        nn.init.zeros_(m.bias)


model.apply(init_weights)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
criterion = nn.CrossEntropyLoss()
for epoch in range(40):
    for batch in torch.randperm(len(x)).split(16):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    if epoch % 10 == 9:
        print(epoch, loss.item(), (model(x_test).argmax(1) == y_test).float().mean().item())
