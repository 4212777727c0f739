"""DDPM on two moons (PyTorch): noise prediction, AdamW with cosine decay, averaged weights."""
import copy
import math

import numpy as np
import torch
from sklearn.datasets import make_moons
from torch import nn

torch.manual_seed(11)

STEPS = 50          # diffusion steps
EPOCHS, BATCH = 50, 128
DECAY = 0.98

pts = make_moons(1024, noise=0.05, random_state=0)[0]
pts = ((pts - pts.mean(0)) / pts.std(0)).astype(np.float32)
x0 = torch.from_numpy(pts)

betas = np.linspace(1e-3, 0.15, STEPS)
alphas = 1.0 - betas
abar = np.cumprod(alphas)
sqrt_ab = torch.tensor(np.sqrt(abar), dtype=torch.float32)
sqrt_1mab = torch.tensor(np.sqrt(1 - abar), dtype=torch.float32)
freqs = torch.tensor(0.5 ** np.arange(8), dtype=torch.float32)


def embed(t):
    ang = t.float()[:, None] * freqs[None, :]
    return torch.cat([ang.sin(), ang.cos()], dim=1)


class Denoiser(nn.Module):
    def __init__(self, width=96):
        super().__init__()
        self.l1 = nn.Linear(2 + 16, width)
        self.l2 = nn.Linear(width, width)
        self.l3 = nn.Linear(width, width)
        self.l4 = nn.Linear(width, 2)
        for l in (self.l1, self.l2, self.l3, self.l4):
            nn.init.xavier_uniform_(l.weight)
            nn.init.zeros_(l.bias)

    def forward(self, x, t):
        h = nn.functional.silu(self.l1(torch.cat([x, embed(t)], 1)))
        h = nn.functional.silu(self.l2(h))
        h = h + nn.functional.silu(self.l3(h))
        return self.l4(h)


net = Denoiser()
ema = copy.deepcopy(net)
n_batches = math.ceil(len(x0) / BATCH)
opt = torch.optim.AdamW(net.parameters(), lr=3e-3, betas=(0.9, 0.99), eps=1e-12, weight_decay=1e-2)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS * n_batches, eta_min=0.0)

for epoch in range(EPOCHS):
    running = 0.0
    for idx in torch.randperm(len(x0)).split(BATCH):
        x = x0[idx]
        t = torch.randint(0, STEPS, (len(x),))
        noise = torch.randn_like(x)
        noisy = sqrt_ab[t, None] * x + sqrt_1mab[t, None] * noise
        loss = (net(noisy, t) - noise).square().mean()
        opt.zero_grad(set_to_none=True)
        loss.backward()
        opt.step()
        sched.step()
        with torch.no_grad():
            for pe, p in zip(ema.parameters(), net.parameters()):
                pe.mul_(DECAY).add_(p, alpha=1 - DECAY)
        running += loss.item() * len(x)
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1} loss {running / len(x0):.4f}")

# denoising error of the averaged network on fixed noise
r = np.random.RandomState(123)
t_eval = torch.from_numpy(r.randint(0, STEPS, 1024))
n_eval = torch.from_numpy(r.randn(1024, 2).astype(np.float32))
with torch.no_grad():
    noisy = sqrt_ab[t_eval, None] * x0 + sqrt_1mab[t_eval, None] * n_eval
    err = (ema(noisy, t_eval) - n_eval).square().mean().item()
    # ancestral sampling
    s = torch.from_numpy(r.randn(400, 2).astype(np.float32))
    for k in reversed(range(STEPS)):
        e = ema(s, torch.full((len(s),), k))
        s = (s - betas[k] / math.sqrt(1 - abar[k]) * e) / math.sqrt(alphas[k])
        if k > 0:
            s = s + math.sqrt(betas[k]) * torch.from_numpy(r.randn(400, 2).astype(np.float32))
near = np.linalg.norm(s.numpy()[:, None] - pts[None], axis=2).min(1).mean()
print(f"ema denoising mse {err:.4f}   sample-to-data distance {near:.4f}")
