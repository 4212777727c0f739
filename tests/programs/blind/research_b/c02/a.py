"""DDPM on a 2-D spiral with an exponential average of the weights (PyTorch)."""
import copy
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.utils.data import DataLoader, TensorDataset

SEED = 3
T = 60
EMB = 16
BATCH, EPOCHS = 100, 45
LR, DECAY, EMA = 2e-3, 0.01, 0.98


def spiral(n=1050):
    rng = np.random.default_rng(0)
    u = np.sqrt(rng.random(n)) * 3 * np.pi
    pts = np.stack([u * np.cos(u), u * np.sin(u)], axis=1)
    pts += rng.normal(scale=0.25, size=pts.shape)
    return ((pts - pts.mean(0)) / pts.std(0)).astype(np.float32)


betas = np.linspace(1e-3, 0.12, T)
abar_np = np.cumprod(1.0 - betas).astype(np.float32)
abar = torch.from_numpy(abar_np)


def time_embedding(t):
    freqs = torch.exp(-math.log(1000.0) * torch.arange(EMB // 2, dtype=torch.float32) / (EMB // 2))
    ang = t.float()[:, None] * freqs[None, :]
    return torch.cat([torch.sin(ang), torch.cos(ang)], dim=1)


class Denoiser(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.inp = nn.Linear(2, width)
        self.time = nn.Linear(EMB, width)
        self.mid = nn.Linear(width, width)
        self.mid2 = nn.Linear(width, width)
        self.out = nn.Linear(width, 2)
        for m in self.modules():
            if isinstance(m, nn.Linear):
                nn.init.xavier_uniform_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x, t):
        h = F.silu(self.inp(x) + self.time(time_embedding(t)))
        h = h + F.silu(self.mid(h))
        h = h + F.silu(self.mid2(h))
        return self.out(h)


def add_noise(x0, t, noise):
    a = abar[t][:, None]
    return torch.sqrt(a) * x0 + torch.sqrt(1.0 - a) * noise


torch.manual_seed(SEED)
data = spiral()
train, valid = data[:850], data[850:]
loader = DataLoader(TensorDataset(torch.from_numpy(train)), batch_size=BATCH, shuffle=True, drop_last=False)

model = Denoiser()
ema_model = copy.deepcopy(model)
for p in ema_model.parameters():
    p.requires_grad_(False)
optimizer = torch.optim.AdamW(model.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12, weight_decay=DECAY)

for epoch in range(EPOCHS):
    total = 0.0
    for (x0,) in loader:
        t = torch.randint(0, T, (len(x0),))
        noise = torch.randn_like(x0)
        loss = F.mse_loss(model(add_noise(x0, t, noise), t), noise)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        with torch.no_grad():
            for pe, p in zip(ema_model.parameters(), model.parameters()):
                pe.mul_(EMA).add_(p, alpha=1.0 - EMA)
        total += loss.item() * len(x0)
    if epoch % 9 == 8:
        print(f"epoch {epoch + 1}  loss {total / len(train):.4f}")

rng = np.random.default_rng(1)
vt = torch.from_numpy(rng.integers(0, T, size=len(valid) * 10))
vn = torch.from_numpy(rng.normal(size=(len(valid) * 10, 2)).astype(np.float32))
vx = torch.from_numpy(np.repeat(valid, 10, axis=0))
with torch.no_grad():
    noisy = add_noise(vx, vt, vn)
    print(f"valid  raw {F.mse_loss(model(noisy, vt), vn).item():.4f}"
          f"  averaged {F.mse_loss(ema_model(noisy, vt), vn).item():.4f}")
