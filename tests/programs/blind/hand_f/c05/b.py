"""Friedman's function in PyTorch with the momentum update written by hand."""
import math

import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(100)
X = rng.uniform(0, 1, (1200, 10))
f = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4]
y = f + rng.normal(0, 0.5, 1200)
X = (2 * X - 1).astype(np.float32)
y = ((y - y[:1000].mean()) / y[:1000].std()).astype(np.float32)
X_train, y_train = torch.from_numpy(X[:1000]), torch.from_numpy(y[:1000])
X_test, y_test = torch.from_numpy(X[1000:]), torch.from_numpy(y[1000:])

torch.manual_seed(2024)
ALPHA, LR, MOMENTUM, BATCH, EPOCHS = 0.02, 0.02, 0.9, 50, 20

model = nn.Sequential(
    nn.Linear(10, 32), nn.Tanh(), nn.Linear(32, 16), nn.Tanh(), nn.Linear(16, 1)
)
for layer in model:
    if isinstance(layer, nn.Linear):
        bound = math.sqrt(6.0 / (layer.in_features + layer.out_features))
        nn.init.uniform_(layer.weight, -bound, bound)
        nn.init.uniform_(layer.bias, -bound, bound)

weights = [layer.weight for layer in model if isinstance(layer, nn.Linear)]
params = list(model.parameters())
velocity = [torch.zeros_like(p) for p in params]


def objective(xb, yb):
    residual = model(xb).squeeze(1) - yb
    data_term = 0.5 * (residual**2).mean()
    penalty = 0.5 * ALPHA / len(xb) * sum((w**2).sum() for w in weights)
    return data_term + penalty


def train_step(xb, yb):
    loss = objective(xb, yb)
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g, v in zip(params, grads, velocity):
            v.mul_(MOMENTUM).sub_(LR * g)
            p.add_(MOMENTUM * v - LR * g)  # Nesterov's look-ahead
    return loss.item()


# ---- training
for epoch in range(EPOCHS):
    order = torch.randperm(len(X_train))
    total = 0.0
    for start in range(0, len(X_train), BATCH):
        idx = order[start : start + BATCH]
        total += train_step(X_train[idx], y_train[idx]) * len(idx)
    if epoch % 4 == 0:
        print(f"epoch {epoch + 1:2d} objective {total / len(X_train):.4f}")

with torch.no_grad():
    print(f"test mse {((model(X_test).squeeze(1) - y_test) ** 2).mean().item():.4f}")
