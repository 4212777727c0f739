"""Small denoising diffusion model on two moons, sampled from an EMA of the weights (PyTorch)."""
import copy
import math

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_moons

torch.manual_seed(1)
torch.set_num_threads(1)
order = np.random.default_rng(17)

T, WIDTH, FREQS = 50, 64, 4
STEPS, WARM, BATCH = 500, 40, 128
LR, DECAY, EMA = 4e-3, 0.01, 0.99

points = make_moons(1500, noise=0.05, random_state=0)[0]
points = ((points - points.mean(0)) / points.std(0)).astype("float32")
train, test = points[:1200], points[1200:]

betas = np.linspace(1e-3, 0.15, T)
alphas = 1.0 - betas
abar = np.cumprod(alphas)
sqrt_ab = torch.tensor(np.sqrt(abar), dtype=torch.float32)
sqrt_1mab = torch.tensor(np.sqrt(1 - abar), dtype=torch.float32)


class EpsNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(2 + 2 * FREQS, WIDTH)
        self.l2 = nn.Linear(WIDTH, WIDTH)
        self.l3 = nn.Linear(WIDTH, 2)
        for lin in (self.l1, self.l2):
            nn.init.normal_(lin.weight, std=1.0 / math.sqrt(lin.in_features))
        nn.init.zeros_(self.l3.weight)
        for lin in (self.l1, self.l2, self.l3):
            nn.init.zeros_(lin.bias)

    def forward(self, x, t):
        ang = (t.float() / T)[:, None] * math.pi * 2.0 ** torch.arange(FREQS).float()
        h = torch.cat([x, torch.sin(ang), torch.cos(ang)], 1)
        return self.l3(F.silu(self.l2(F.silu(self.l1(h)))))


def diffusion_loss(net, x0, t, eps):
    xt = sqrt_ab[t][:, None] * x0 + sqrt_1mab[t][:, None] * eps
    return F.mse_loss(net(xt, t), eps)


def lr_at(s):
    """Linear warm-up, then half a cosine."""
    if s < WARM:
        return (s + 1) / WARM
    return 0.5 * (1 + math.cos(math.pi * (s - WARM) / (STEPS - WARM)))


net = EpsNet()
ema = copy.deepcopy(net).requires_grad_(False)
opt = torch.optim.AdamW([
    {"params": [p for n, p in net.named_parameters() if n.endswith("weight")], "weight_decay": DECAY},
    {"params": [p for n, p in net.named_parameters() if n.endswith("bias")], "weight_decay": 0.0},
], lr=LR, betas=(0.9, 0.99), eps=1e-8)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lr_at)


@torch.no_grad()
def sample(net, n):
    x = torch.randn(n, 2)
    for k in reversed(range(T)):
        t = torch.full((n,), k)
        x = (x - betas[k] / math.sqrt(1 - abar[k]) * net(x, t)) / math.sqrt(alphas[k])
        if k > 0:
            x = x + math.sqrt(betas[k]) * torch.randn(n, 2)
    return x.numpy()


@torch.no_grad()
def validate(net):
    rng = np.random.default_rng(99)
    t = torch.from_numpy(rng.integers(0, T, (20, len(test))))
    eps = torch.from_numpy(rng.normal(size=(20, len(test), 2)).astype("float32"))
    x = torch.from_numpy(test)
    return float(np.mean([diffusion_loss(net, x, t[i], eps[i]).item() for i in range(20)]))


# ---- training
data = torch.from_numpy(train)
for step in range(STEPS):
    x0 = data[torch.from_numpy(order.integers(0, len(train), BATCH))]
    t = torch.randint(0, T, (BATCH,))
    loss = diffusion_loss(net, x0, t, torch.randn(BATCH, 2))
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    with torch.no_grad():
        for pe, p in zip(ema.parameters(), net.parameters()):
            pe.mul_(EMA).add_(p, alpha=1 - EMA)
    if step % 100 == 0 or step == STEPS - 1:
        print(f"step {step} loss {loss.item():.4f} val (ema) {validate(ema):.4f}")

s = sample(ema, 400)
near = np.sqrt(((s[:, None] - test[None]) ** 2).sum(-1)).min(1)
print("mean distance of a sample to the nearest held-out point", near.mean())
