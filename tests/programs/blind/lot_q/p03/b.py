"""Hourly counts from weather-like covariates: a Poisson regression network in PyTorch."""
import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(2024)
N, D = 1500, 6
X = rng.normal(size=(N, D))
rate = np.exp(0.5 + 0.5 * np.sin(2 * X[:, 0]) + 0.4 * X[:, 1] - 0.3 * X[:, 2] * X[:, 3])
rate = np.minimum(rate, 12.0)
counts = rng.poisson(rate)
X = X.astype(np.float32)
y = counts.astype(np.float32).reshape(-1, 1)
X_train, X_test = torch.from_numpy(X[:1200]), torch.from_numpy(X[1200:])
y_train, y_test = torch.from_numpy(y[:1200]), torch.from_numpy(y[1200:])

torch.manual_seed(3)


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


model = nn.Sequential(
    linear(D, 32), nn.Tanh(),
    linear(32, 16), nn.Tanh(),
    linear(16, 1), nn.Softplus(),
)
criterion = nn.PoissonNLLLoss(eps=1e-7)
optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, eps=1e-10)

curve = []
for epoch in range(20):
    order = torch.randperm(len(X_train))
    total = 0.0
    for start in range(0, len(order), 60):
        idx = order[start:start + 60]
        optimizer.zero_grad()
        loss = criterion(model(X_train[idx]), y_train[idx])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    curve.append(total / len(order))
print("loss by epoch:", " ".join(f"{v:.3f}" for v in curve))

with torch.no_grad():
    pred = model(X_test)
    print("test loss %.4f" % criterion(pred, y_test).item())
    print("test mean absolute error %.4f" % (pred - y_test).abs().mean().item())
    print("correlation %.4f" % np.corrcoef(pred[:, 0].numpy(), y_test[:, 0].numpy())[0, 1])
