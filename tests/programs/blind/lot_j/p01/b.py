import math

import numpy as np
import torch
from torch import nn


def friedman(n, rng):
    x = rng.uniform(size=(n, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(scale=0.5, size=n))
    return x, y


rng = np.random.default_rng(7)
x_train, y_train = friedman(960, rng)
x_test, y_test = friedman(400, rng)
mu, sd = x_train.mean(0), x_train.std(0)
ym, ys = y_train.mean(), y_train.std()
x_train = torch.from_numpy(((x_train - mu) / sd).astype(np.float32))
x_test = torch.from_numpy(((x_test - mu) / sd).astype(np.float32))
y_train = torch.from_numpy(((y_train - ym) / ys).astype(np.float32))
y_test = torch.from_numpy(((y_test - ym) / ys).astype(np.float32))

torch.manual_seed(11)
net = nn.Sequential(
    nn.Linear(8, 32), nn.Tanh(),
    nn.Linear(32, 16), nn.Tanh(),
    nn.Linear(16, 1),
)
for layer in net:
    if isinstance(layer, nn.Linear):
        bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)

optimizer = torch.optim.SGD(net.parameters(), lr=0.005, momentum=0.9, nesterov=True)
criterion = nn.MSELoss()
batch_size = 64

for epoch in range(20):
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(x_train), batch_size):
        idx = order[start:start + batch_size]
        loss = criterion(net(x_train[idx]).squeeze(1), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} loss {total / len(x_train):.4f}")

with torch.no_grad():
    mse = ((net(x_test).squeeze(1) - y_test) ** 2).mean().item()
print("test mse", mse)
print("test r2 ", 1 - mse / y_test.var(unbiased=False).item())
