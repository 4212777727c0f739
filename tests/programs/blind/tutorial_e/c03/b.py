"""One-step-ahead forecast of a noisy seasonal series from a sliding window (PyTorch)."""
import math
import numpy as np
import torch
from torch import nn

WINDOW = 24
ALPHA = 0.05
BATCH = 64


def make_series(n=1000):
    rng = np.random.default_rng(99)
    t = np.arange(n)
    s = np.sin(2 * np.pi * t / 24) + 0.5 * np.sin(2 * np.pi * t / 7 + 1.0)
    ar = np.zeros(n)
    for i in range(1, n):
        ar[i] = 0.8 * ar[i - 1] + 0.15 * rng.standard_normal()
    s = s + ar
    return ((s - s.mean()) / s.std()).astype("float32")


def windows(series):
    x = np.stack([series[i:i + WINDOW] for i in range(len(series) - WINDOW)])
    y = series[WINDOW:]
    return x[:768], y[:768], x[768:], y[768:]


torch.manual_seed(42)
xtr, ytr, xte, yte = (torch.from_numpy(np.ascontiguousarray(a)) for a in windows(make_series()))

model = nn.Sequential(
    nn.Linear(WINDOW, 32), nn.Tanh(),
    nn.Linear(32, 16), nn.Tanh(),
    nn.Linear(16, 1),
)
linears = [m for m in model if isinstance(m, nn.Linear)]
for m in linears:
    # Glorot bound for the weights, and the same bound for the biases
    bound = math.sqrt(6.0 / (m.in_features + m.out_features))
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)

optimizer = torch.optim.Adam(model.parameters(), lr=0.003, betas=(0.9, 0.999), eps=1e-12)

for epoch in range(30):
    order = torch.randperm(len(xtr))
    total = 0.0
    for idx in order.split(BATCH):
        pred = model(xtr[idx]).squeeze(1)
        half_mse = 0.5 * ((pred - ytr[idx]) ** 2).mean()
        penalty = ALPHA / (2 * len(idx)) * sum((m.weight ** 2).sum() for m in linears)
        loss = half_mse + penalty
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        total += loss.item() * len(idx)
    if epoch in (0, 29):
        print(f"epoch {epoch}: objective {total / len(xtr):.4f}")

with torch.no_grad():
    pred = model(xte).squeeze(1)
print("test MSE:", ((pred - yte) ** 2).mean().item())
print("naive (last value) MSE:", ((xte[:, -1] - yte) ** 2).mean().item())
