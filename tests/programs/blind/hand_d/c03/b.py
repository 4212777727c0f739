"""One-step-ahead forecasting, multi-head causal attention spelled out (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(0)

T, E, HEADS = 24, 32, 4


def make_series(n, seed):
    rng = np.random.default_rng(seed)
    t = np.arange(T + 1)
    period = rng.uniform(5, 12, size=(n, 1))
    phase = rng.uniform(0, 2 * np.pi, size=(n, 1))
    slope = rng.normal(scale=0.03, size=(n, 1))
    s = np.sin(2 * np.pi * t / period + phase) + slope * t + 0.05 * rng.normal(size=(n, T + 1))
    s[rng.random(s.shape) < 0.01] += 2.0
    s = s.astype("float32")
    return torch.tensor(s[:, :-1, None]), torch.tensor(s[:, 1:, None])


def positions():
    pe = torch.zeros(T, E)
    for p in range(T):
        for i in range(0, E, 2):
            angle = p / 10000.0 ** (i / E)
            pe[p, i] = math.sin(angle)
            pe[p, i + 1] = math.cos(angle)
    return pe


class CausalSelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q = nn.Linear(E, E, bias=False)
        self.k = nn.Linear(E, E, bias=False)
        self.v = nn.Linear(E, E, bias=False)
        self.o = nn.Linear(E, E, bias=False)
        self.register_buffer("future", torch.triu(torch.ones(T, T, dtype=torch.bool), diagonal=1))

    def split(self, z):
        return z.view(z.shape[0], T, HEADS, E // HEADS).transpose(1, 2)

    def forward(self, h):
        q, k, v = self.split(self.q(h)), self.split(self.k(h)), self.split(self.v(h))
        scores = q @ k.transpose(-2, -1) / math.sqrt(E // HEADS)
        scores = scores.masked_fill(self.future, float("-inf"))
        mixed = torch.softmax(scores, dim=-1) @ v
        return self.o(mixed.transpose(1, 2).reshape(h.shape[0], T, E))


class Forecaster(nn.Module):
    def __init__(self):
        super().__init__()
        self.embed = nn.Linear(1, E)
        self.register_buffer("pe", positions())
        self.attention = CausalSelfAttention()
        self.ff1 = nn.Linear(E, 64)
        self.ff2 = nn.Linear(64, E)
        self.head = nn.Linear(E, 1)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                if m.bias is not None:
                    nn.init.zeros_(m.bias)

    def forward(self, x):
        h = self.embed(x) + self.pe
        h = h + self.attention(h)
        h = h + self.ff2(torch.relu(self.ff1(h)))
        return self.head(h)


def huber(pred, target, delta=0.5):
    err = (pred - target).abs()
    return torch.where(err <= delta, 0.5 * err ** 2, delta * err - 0.5 * delta ** 2).mean()


x_train, y_train = make_series(640, 1)
x_test, y_test = make_series(200, 2)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=32, shuffle=True, drop_last=False)

model = Forecaster()
opt = torch.optim.Adam(model.parameters(), lr=2e-3, betas=(0.9, 0.98), eps=1e-12)

# ---- training
for epoch in range(12):
    model.train()
    for xb, yb in loader:
        opt.zero_grad()
        loss = huber(model(xb), yb)
        loss.backward()
        opt.step()

model.eval()
with torch.no_grad():
    print("train huber", round(huber(model(x_train), y_train).item(), 5))
    print("test huber ", round(huber(model(x_test), y_test).item(), 5))
