"""DDPM on two moons (noise prediction) with an exponential average of the weights."""
import copy
import math

import numpy as np
import torch
import torch.nn as nn
from torch.optim.lr_scheduler import LambdaLR

torch.manual_seed(3)

# ------------------------------------------------------------------ data
rng = np.random.RandomState(17)
theta = np.pi * rng.rand(2000)
upper = np.arange(2000) % 2 == 0
moons = np.where(upper[:, None],
                 np.stack([np.cos(theta), np.sin(theta)], 1),
                 np.stack([1 - np.cos(theta), 0.5 - np.sin(theta)], 1))
moons = moons + 0.06 * rng.randn(2000, 2)
moons = ((moons - moons.mean(0)) / moons.std(0)).astype(np.float32)
train_x, valid_x = torch.tensor(moons[:1600]), torch.tensor(moons[1600:])
valid_t = torch.tensor(rng.randint(0, 40, size=400))
valid_eps = torch.tensor(rng.randn(400, 2).astype(np.float32))

# ------------------------------------------------------------------ noise schedule
T = 40
betas = np.linspace(1e-3, 0.15, T)
abar = np.cumprod(1.0 - betas)
sqrt_abar = torch.tensor(np.sqrt(abar), dtype=torch.float32)
sqrt_1mabar = torch.tensor(np.sqrt(1.0 - abar), dtype=torch.float32)


def time_features(t, dim=16):
    freqs = torch.exp(-math.log(100.0) * torch.arange(dim // 2, dtype=torch.float32) / (dim // 2))
    ang = t.float()[:, None] * freqs[None, :]
    return torch.cat([torch.sin(ang), torch.cos(ang)], dim=1)


class EpsNet(nn.Module):
    def __init__(self, width=80):
        super().__init__()
        self.l1 = nn.Linear(2 + 16, width)
        self.l2 = nn.Linear(width, width)
        self.l3 = nn.Linear(width, width)
        self.l4 = nn.Linear(width, 2)
        self.act = nn.SiLU()
        for layer in (self.l1, self.l2, self.l3, self.l4):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x, t):
        h = self.act(self.l1(torch.cat([x, time_features(t)], dim=1)))
        h = h + self.act(self.l2(h))
        h = h + self.act(self.l3(h))
        return self.l4(h)


net = EpsNet()
ema = copy.deepcopy(net).requires_grad_(False)
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, betas=(0.9, 0.99), eps=1e-12, weight_decay=0.02)
sched = LambdaLR(opt, lambda s: min(1.0, (s + 1) / 40))


def diffuse(x, t, eps):
    return sqrt_abar[t][:, None] * x + sqrt_1mabar[t][:, None] * eps


def train_step(x):
    t = torch.randint(0, T, (x.shape[0],))
    eps = torch.randn(x.shape)
    loss = ((net(diffuse(x, t, eps), t) - eps) ** 2).mean()
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    with torch.no_grad():
        for p_ema, p in zip(ema.parameters(), net.parameters()):
            p_ema.mul_(0.98).add_(p, alpha=0.02)
    return loss.item()


@torch.no_grad()
def validate(model):
    pred = model(diffuse(valid_x, valid_t, valid_eps), valid_t)
    return ((pred - valid_eps) ** 2).mean().item()


# ------------------------------------------------------------------ training
for epoch in range(36):
    perm = torch.randperm(1600)
    total = 0.0
    for start in range(0, 1600, 128):
        batch = train_x[perm[start:start + 128]]
        total += train_step(batch) * len(batch)
    if (epoch + 1) % 4 == 0:
        print(f"epoch {epoch + 1} loss {total / 1600:.4f} "
              f"valid {validate(net):.4f} valid(ema) {validate(ema):.4f}")
print("final valid(ema) %.5f" % validate(ema))
