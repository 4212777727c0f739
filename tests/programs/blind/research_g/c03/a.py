"""Denoising diffusion on two moons; weights averaged exponentially. PyTorch."""
import copy
import math
import numpy as np
import torch
from torch import nn
from sklearn.datasets import make_moons

torch.manual_seed(0)
torch.set_num_threads(1)

T, BATCH, EPOCHS, LR, DECAY, EMA, WARM = 40, 200, 40, 3e-3, 0.02, 0.98, 50

points, _ = make_moons(n_samples=2400, noise=0.06, random_state=3)
points = ((points - points.mean(0)) / points.std(0)).astype(np.float32)
train, test = torch.from_numpy(points[:2000]), torch.from_numpy(points[2000:])

betas = np.linspace(1e-3, 0.2, T)
abar = torch.from_numpy(np.cumprod(1.0 - betas).astype(np.float32))
freqs = torch.from_numpy((2.0 ** np.arange(4) * np.pi / 2).astype(np.float32))


class Denoiser(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.l1 = nn.Linear(2 + 8, width)
        self.l2 = nn.Linear(width, width)
        self.l3 = nn.Linear(width, 2)
        self.act = nn.SiLU()
        for lin in (self.l1, self.l2, self.l3):
            nn.init.normal_(lin.weight, 0.0, math.sqrt(1.0 / lin.in_features))
            nn.init.zeros_(lin.bias)

    def forward(self, x, t):
        phase = (t.float() / T)[:, None] * freqs[None]
        h = torch.cat([x, torch.sin(phase), torch.cos(phase)], dim=1)
        h = self.act(self.l1(h))
        h = h + self.act(self.l2(h))
        return self.l3(h)


def noised(x, t, eps):
    a = abar[t][:, None]
    return a.sqrt() * x + (1.0 - a).sqrt() * eps


net = Denoiser()
average = copy.deepcopy(net).requires_grad_(False)
groups = [
    {"params": [p for p in net.parameters() if p.ndim == 2], "weight_decay": DECAY},
    {"params": [p for p in net.parameters() if p.ndim == 1], "weight_decay": 0.0},
]
opt = torch.optim.AdamW(groups, lr=LR, betas=(0.9, 0.99), eps=1e-8)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda s: min(1.0, (s + 1) / WARM))

for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(train)).split(BATCH):
        x = train[idx]
        t = torch.randint(0, T, (len(x),))
        eps = torch.randn_like(x)
        loss = nn.functional.mse_loss(net(noised(x, t, eps), t), eps)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        with torch.no_grad():
            for q, p in zip(average.parameters(), net.parameters()):
                q.mul_(EMA).add_(p, alpha=1.0 - EMA)
        total += loss.item() * len(x)
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1:3d}  noise mse {total / len(train):.4f}")

rng = np.random.default_rng(99)
t = torch.from_numpy(np.arange(len(test)) % T)
eps = torch.from_numpy(rng.standard_normal((len(test), 2)).astype(np.float32))
with torch.no_grad():
    for name, m in (("live", net), ("averaged", average)):
        print(name, "test noise mse %.4f" % ((m(noised(test, t, eps), t) - eps) ** 2).mean().item())
