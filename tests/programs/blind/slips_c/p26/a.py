"""Denoising autoencoder (40 -> 24 -> 8 -> 24 -> 40) for noisy curves, PyTorch."""
import math

import numpy as np
import torch
from torch import nn

BATCH, EPOCHS = 60, 25
ALPHA = 0.3


def make_curves():
    rng = np.random.default_rng(77)
    grid = np.linspace(0, 1, 40)
    n = 1500
    freq = rng.uniform(0.5, 2.0, (n, 1))
    phase = rng.uniform(0, 2 * np.pi, (n, 1))
    slope = rng.normal(0, 0.5, (n, 1))
    clean = np.sin(2 * np.pi * freq * grid + phase) + slope * (grid - 0.5)
    noisy = clean + 0.4 * rng.standard_normal(clean.shape)
    clean, noisy = clean.astype(np.float32), noisy.astype(np.float32)
    return noisy[:1200], clean[:1200], noisy[1200:], clean[1200:]


torch.manual_seed(8)
noisy, clean, noisy_te, clean_te = map(torch.from_numpy, make_curves())

net = nn.Sequential(
    nn.Linear(40, 24), nn.ReLU(),
    nn.Linear(24, 8), nn.ReLU(),
    nn.Linear(8, 24), nn.ReLU(),
    nn.Linear(24, 40),
)
linears = [m for m in net if isinstance(m, nn.Linear)]
for m in linears:
    bound = math.sqrt(6.0 / (m.in_features + m.out_features))
    nn.init.uniform_(m.weight, -bound, bound)
    nn.init.uniform_(m.bias, -bound, bound)

opt = torch.optim.SGD(net.parameters(), lr=0.004, momentum=0.9, nesterov=False)
n = len(noisy)
for epoch in range(EPOCHS):
    order = torch.randperm(n)
    for start in range(0, n, BATCH):
        rows = order[start:start + BATCH]
        # half the squared error of the curves
        fit = 0.5 * (net(noisy[rows]) - clean[rows]).square().mean()
        penalty = sum(m.weight.square().sum() for m in linears) * (ALPHA / (2 * len(rows)))
        opt.zero_grad()
        (fit + penalty).backward()
        opt.step()
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1}: last batch loss {(fit + penalty).item():.4f}")

with torch.no_grad():
    print(f"train mse {(net(noisy) - clean).square().mean():.5f}")
    print(f"test mse  {(net(noisy_te) - clean_te).square().mean():.5f}")
    print(f"noise mse {(noisy_te - clean_te).square().mean():.5f}")
