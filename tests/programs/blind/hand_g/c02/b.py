"""Tabular regression in PyTorch: layer norm, dropout, Huber loss and the learning-rate schedule written by hand."""
import math

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)

rng = np.random.default_rng(42)
X = rng.normal(size=(1600, 12)).astype("float32")
target = (2.0 * np.sin(1.5 * X[:, 0]) + X[:, 1] * X[:, 2] - 0.7 * np.abs(X[:, 3]) + 0.5 * X[:, 4]
          + 0.2 * rng.standard_t(3, size=1600))
y = target.astype("float32").reshape(-1, 1)
mean, std = y[:1280].mean(), y[:1280].std()
y = (y - mean) / std
X_train, y_train, X_val, y_val = map(torch.from_numpy, (X[:1280], y[:1280], X[1280:], y[1280:]))

EPOCHS = 20
BATCH = 64
STEPS = EPOCHS * (len(X_train) // BATCH)   # 400
WARMUP = 40
PEAK, FLOOR = 4e-3, 0.05


class MyLayerNorm(nn.Module):
    def __init__(self, dim, eps=1e-5):
        super().__init__()
        self.gamma = nn.Parameter(torch.ones(dim))
        self.beta = nn.Parameter(torch.zeros(dim))
        self.eps = eps

    def forward(self, x):
        mu = x.mean(-1, keepdim=True)
        var = ((x - mu) ** 2).mean(-1, keepdim=True)
        return (x - mu) / torch.sqrt(var + self.eps) * self.gamma + self.beta


class MyDropout(nn.Module):
    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        if not self.training:
            return x
        keep = (torch.rand_like(x) >= self.rate).to(x.dtype)
        return x * keep / (1.0 - self.rate)


def linear(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def gelu(x):
    return 0.5 * x * (1.0 + torch.erf(x / math.sqrt(2.0)))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.n1, self.d1 = linear(12, 64), MyLayerNorm(64), MyDropout(0.1)
        self.l2, self.n2, self.d2 = linear(64, 64), MyLayerNorm(64), MyDropout(0.1)
        self.out = linear(64, 1)

    def forward(self, x):
        x = self.d1(gelu(self.n1(self.l1(x))))
        x = self.d2(gelu(self.n2(self.l2(x))))
        return self.out(x)


def huber(pred, y, delta=1.0):
    err = (pred - y).abs()
    return torch.where(err <= delta, 0.5 * err ** 2, delta * err - 0.5 * delta ** 2).mean()


def lr_at(step):
    if step < WARMUP:
        return PEAK * step / WARMUP
    f = min(step - WARMUP, STEPS - WARMUP) / (STEPS - WARMUP)
    return PEAK * ((1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * f)) + FLOOR)


net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=PEAK, betas=(0.9, 0.999), eps=1e-12)

# training
step = 0
for epoch in range(EPOCHS):
    net.train()
    perm = torch.randperm(len(X_train))
    running = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        for group in optimizer.param_groups:
            group["lr"] = lr_at(step)
        loss = huber(net(X_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        step += 1
        running += loss.item() * len(idx)
    print(f"epoch {epoch + 1} loss {running / len(perm):.4f}")

net.eval()
with torch.no_grad():
    pred = net(X_val)
    print("validation huber %.4f" % huber(pred, y_val).item())
    print("validation rmse %.4f" % ((pred - y_val) ** 2).mean().sqrt().item())
