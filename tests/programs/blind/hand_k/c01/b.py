"""Friedman regression, a port of an MLPRegressor to PyTorch with the update written out."""
import math

import numpy as np
import torch
from torch import nn


def make_data():
    rng = np.random.default_rng(3)
    x = rng.uniform(0.0, 1.0, size=(1000, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
         + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(0, 0.5, 1000))
    x = (x - 0.5) / 0.29
    y = (y - y[:800].mean()) / y[:800].std()
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:800], y[:800], x[800:], y[800:]


torch.manual_seed(5)
x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())

LR, MOMENTUM, ALPHA, BATCH, EPOCHS = 0.02, 0.9, 0.05, 40, 25


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(8, 32)
        self.fc2 = nn.Linear(32, 16)
        self.out = nn.Linear(16, 1)
        for layer in (self.fc1, self.fc2, self.out):
            bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.uniform_(layer.bias, -bound, bound)   # scikit-learn draws the biases too

    def forward(self, x):
        x = torch.tanh(self.fc1(x))
        x = torch.tanh(self.fc2(x))
        return self.out(x).squeeze(1)


model = Net()
weights = [model.fc1.weight, model.fc2.weight, model.out.weight]
params = list(model.parameters())
velocity = [torch.zeros_like(p) for p in params]
n = len(x_train)

for epoch in range(EPOCHS):
    order = torch.randperm(n)
    total = 0.0
    for start in range(0, n, BATCH):
        idx = order[start:start + BATCH]
        err = model(x_train[idx]) - y_train[idx]
        loss = 0.5 * (err ** 2).mean()
        loss = loss + 0.5 * ALPHA / len(idx) * sum((w ** 2).sum() for w in weights)
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, v, g in zip(params, velocity, grads):
                v.mul_(MOMENTUM).sub_(LR * g)
                p.add_(MOMENTUM * v - LR * g)
        total += loss.item() * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch + 1:2d}  loss {total / n:.5f}")

with torch.no_grad():
    train_mse = ((model(x_train) - y_train) ** 2).mean().item()
    test_mse = ((model(x_test) - y_test) ** 2).mean().item()
print(f"train mse {train_mse:.5f}  test mse {test_mse:.5f}")
