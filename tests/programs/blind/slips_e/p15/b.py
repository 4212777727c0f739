import math

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
torch.manual_seed(77)

rng = np.random.default_rng(2024)
X = rng.uniform(0, 1, size=(1000, 8))
y = (10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2
     + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(0, 0.5, size=1000))
X = (X - X[:800].mean(0)) / X[:800].std(0)
y = (y - y[:800].mean()) / y[:800].std()
X = torch.tensor(X, dtype=torch.float32)
y = torch.tensor(y, dtype=torch.float32)
X_train, y_train, X_test, y_test = X[:800], y[:800], X[800:], y[800:]

ALPHA, BATCH, EPOCHS = 0.1, 40, 25


class Regressor(nn.Module):
    def __init__(self, sizes=(8, 32, 16, 1)):
        super().__init__()
        self.layers = nn.ModuleList(nn.Linear(i, o) for i, o in zip(sizes[:-1], sizes[1:]))
        for layer in self.layers:
            bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = torch.tanh(layer(x))
        return self.layers[-1](x)

    def penalty(self):
        return sum((layer.weight ** 2).sum() for layer in self.layers)


net = Regressor()
opt = torch.optim.Adam(net.parameters(), lr=3e-3, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(EPOCHS):
    running = 0.0
    idx = torch.randperm(len(X_train))
    for batch in idx.split(BATCH):
        err = net(X_train[batch]) - y_train[batch]
        loss = 0.5 * (err ** 2).mean() + ALPHA / (2 * len(batch)) * net.penalty()
        opt.zero_grad()
        loss.backward()
        opt.step()
        running += loss.item() * len(batch)
    running /= len(X_train)

with torch.no_grad():
    mse = ((net(X_test) - y_test) ** 2).mean().item()
print("final training loss", running)
print("test mse", mse)
print("test r2", 1 - mse / y_test.var(unbiased=False).item())
