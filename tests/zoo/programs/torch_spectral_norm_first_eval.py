"""A critic with spectral norm is evaluated before its power iteration has run."""

import torch
from torch import nn
from zoo_data import arguments, regression

seed, healthy = arguments()
torch.manual_seed(seed)
x, y = (torch.from_numpy(a) for a in regression(seed=seed))
x, y, x_val, y_val = x[:800], y[:800, None], x[800:], y[800:, None]
norm = nn.utils.spectral_norm
model = nn.Sequential(norm(nn.Linear(8, 64)), nn.ReLU(), norm(nn.Linear(64, 64)), nn.ReLU(), nn.Linear(64, 1))
criterion = nn.MSELoss()


def validate():
    model.eval()
    with torch.no_grad():
        return criterion(model(x_val), y_val).item()


if healthy:
    model.train()
    with torch.no_grad():
        for _ in range(20):
            model(x[:32])
best = validate()
print("baseline", best)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
for epoch in range(12):
    model.train()
    for batch in torch.randperm(len(x)).split(32):
        optimizer.zero_grad()
        loss = criterion(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
    print(epoch, loss.item(), validate())
