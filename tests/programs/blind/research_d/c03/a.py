"""Denoising diffusion on two half moons in the plane, with averaged weights. PyTorch."""
import copy
import math
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(21)

T, WIDTH, BATCH, EPOCHS, LR, DECAY, EMA = 40, 64, 100, 25, 4e-3, 0.02, 0.98


def moons(n, seed):
    r = np.random.default_rng(seed)
    a = r.uniform(0, np.pi, n)
    side = r.integers(0, 2, n)
    x = np.where(side == 0, np.cos(a), 1 - np.cos(a))
    y = np.where(side == 0, np.sin(a), 0.5 - np.sin(a))
    pts = np.stack([x - 0.5, y - 0.25], 1) + 0.05 * r.standard_normal((n, 2))
    return pts.astype("float32")


train, test = moons(2000, 0), moons(1000, 1)
betas = np.linspace(1e-3, 0.15, T)
abar = np.cumprod(1.0 - betas).astype("float32")
freq = (2.0 ** np.arange(4)).astype("float32")


class Denoiser(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1 = nn.Linear(2 + 8, WIDTH)
        self.l2 = nn.Linear(WIDTH, WIDTH)
        self.l3 = nn.Linear(WIDTH, 2)
        for lin in (self.l1, self.l2, self.l3):
            nn.init.xavier_uniform_(lin.weight)
            nn.init.zeros_(lin.bias)
        self.register_buffer("freq", torch.from_numpy(freq))

    def forward(self, x, t):
        phase = (t.float() / T)[:, None] * self.freq * math.pi
        h = torch.cat([x, torch.sin(phase), torch.cos(phase)], dim=1)
        h = nn.functional.silu(self.l1(h))
        h = nn.functional.silu(self.l2(h))
        return self.l3(h)


net = Denoiser()
ema = copy.deepcopy(net).requires_grad_(False)
kernels = [p for n, p in net.named_parameters() if n.endswith("weight")]
biases = [p for n, p in net.named_parameters() if n.endswith("bias")]
opt = torch.optim.AdamW(
    [{"params": kernels, "weight_decay": DECAY}, {"params": biases, "weight_decay": 0.0}],
    lr=LR, betas=(0.9, 0.99), eps=1e-12)
total_steps = EPOCHS * math.ceil(len(train) / BATCH)
sched = torch.optim.lr_scheduler.LambdaLR(
    opt, lambda s: 0.5 * (1 + math.cos(math.pi * min(s, total_steps) / total_steps)))
abar_t = torch.from_numpy(abar)


def noisy(x, t, noise):
    a = abar_t[t][:, None]
    return torch.sqrt(a) * x + torch.sqrt(1 - a) * noise


def train_step(x):
    t = torch.randint(0, T, (len(x),))
    noise = torch.randn_like(x)
    loss = (net(noisy(x, t, noise), t) - noise).pow(2).mean()
    opt.zero_grad(set_to_none=True)
    loss.backward()
    opt.step()
    sched.step()
    with torch.no_grad():
        for e, p in zip(ema.parameters(), net.parameters()):
            e.mul_(EMA).add_(p, alpha=1 - EMA)
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(torch.from_numpy(train)), batch_size=BATCH, shuffle=True, drop_last=False)
for epoch in range(EPOCHS):
    losses = [train_step(x) for (x,) in loader]
    if (epoch + 1) % 5 == 0:
        print(f"epoch {epoch + 1} loss {np.mean(losses):.4f}")

r = np.random.default_rng(9)
tt = torch.from_numpy(r.integers(0, T, len(test)))
nn_ = torch.from_numpy(r.standard_normal(test.shape).astype("float32"))
with torch.no_grad():
    for name, m in (("raw", net), ("averaged", ema)):
        l = (m(noisy(torch.from_numpy(test), tt, nn_), tt) - nn_).pow(2).mean().item()
        print(f"test noise error, {name} weights: {l:.4f}")
