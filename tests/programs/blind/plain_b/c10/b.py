"""Diabetes progression: the scikit-learn MLPRegressor rewritten in PyTorch (float64)."""
import math

import numpy as np
import torch
import torch.nn as nn
from sklearn.datasets import load_diabetes

torch.set_default_dtype(torch.float64)
torch.manual_seed(8)

ALPHA = 0.2
BATCH = 32
EPOCHS = 30

X, y = load_diabetes(return_X_y=True)
order = np.random.default_rng(12).permutation(len(X))
X, y = X[order], y[order]
X_train, X_test, y_train, y_test = X[:342], X[342:], y[:342], y[342:]
X_mean, X_std = X_train.mean(axis=0), X_train.std(axis=0)
y_mean, y_std = y_train.mean(), y_train.std()
X_train, X_test = (X_train - X_mean) / X_std, (X_test - X_mean) / X_std
y_train, y_test = (y_train - y_mean) / y_std, (y_test - y_mean) / y_std

X_train, X_test = torch.from_numpy(X_train), torch.from_numpy(X_test)
y_train, y_test = torch.from_numpy(y_train)[:, None], torch.from_numpy(y_test)[:, None]


def sk_linear(fan_in, fan_out):
    """Weights and bias from U(-b, b), b = sqrt(6 / (fan_in + fan_out))."""
    layer = nn.Linear(fan_in, fan_out)
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    nn.init.uniform_(layer.weight, -bound, bound)
    nn.init.uniform_(layer.bias, -bound, bound)
    return layer


net = nn.Sequential(sk_linear(10, 24), nn.Tanh(), sk_linear(24, 1))
optimizer = torch.optim.SGD(net.parameters(), lr=0.01, momentum=0.9, nesterov=True)


def objective(xb, yb):
    half_mse = 0.5 * torch.mean((net(xb) - yb) ** 2)
    penalty = sum((layer.weight ** 2).sum() for layer in (net[0], net[2]))
    return half_mse + ALPHA / (2 * len(xb)) * penalty


for epoch in range(1, EPOCHS + 1):
    accumulated = 0.0
    for idx in torch.randperm(len(X_train)).split(BATCH):
        loss = objective(X_train[idx], y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        accumulated += loss.item() * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch:3d}  objective {accumulated / len(X_train):.5f}")

with torch.no_grad():
    mse_train = torch.mean((net(X_train) - y_train) ** 2).item()
    mse_test = torch.mean((net(X_test) - y_test) ** 2).item()
print(f"mse train {mse_train:.5f}  test {mse_test:.5f}")
