"""DDPM on a 2-D spiral in PyTorch; the averaged copy of the network is evaluated."""
import copy

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader

torch.manual_seed(77)

rng = np.random.default_rng(7)
phi = 1.5 * np.pi * (1 + 2 * rng.random(1800))
xy = np.stack([phi * np.cos(phi), phi * np.sin(phi)], 1) / 8.0 + 0.05 * rng.normal(size=(1800, 2))
xy = torch.tensor(xy, dtype=torch.float32)
x_train, x_test = xy[:1500], xy[1500:]

T = 50
alpha_bar = torch.tensor(np.cumprod(1.0 - np.linspace(1e-3, 0.12, T)), dtype=torch.float32)
t_test = torch.from_numpy(rng.integers(0, T, 300))
e_test = torch.tensor(rng.normal(size=(300, 2)), dtype=torch.float32)

EPOCHS, BATCH, DECAY = 30, 100, 0.98


class NoiseNet(nn.Module):
    def __init__(self, width=64):
        super().__init__()
        self.register_buffer("freq", 2.0 ** torch.arange(6, dtype=torch.float32))
        self.body = nn.Sequential(
            nn.Linear(14, width),
            nn.SiLU(),
            nn.LayerNorm(width, eps=1e-5),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.LayerNorm(width, eps=1e-5),
        )
        self.head = nn.Linear(width, 2)
        for m in self.body:
            if isinstance(m, nn.Linear):
                nn.init.kaiming_uniform_(m.weight, a=0, nonlinearity="relu")
                nn.init.zeros_(m.bias)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x, t):
        a = t.float()[:, None] / T * self.freq
        return self.head(self.body(torch.cat([x, a.sin(), a.cos()], 1)))


def noisy(x, t, e):
    a = alpha_bar[t][:, None]
    return a.sqrt() * x + (1 - a).sqrt() * e


net = NoiseNet()
ema = copy.deepcopy(net).requires_grad_(False)
loader = DataLoader(x_train, batch_size=BATCH, shuffle=True)
opt = torch.optim.AdamW(net.parameters(), lr=4e-3, betas=(0.9, 0.99), eps=1e-12, weight_decay=0.02)
sched = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=EPOCHS * len(loader), eta_min=0.0)

for epoch in range(EPOCHS):
    running = 0.0
    for x in loader:
        t = torch.randint(0, T, (len(x),))
        e = torch.randn_like(x)
        loss = nn.functional.mse_loss(net(noisy(x, t, e), t), e)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        with torch.no_grad():
            for s, w in zip(ema.parameters(), net.parameters()):
                s.mul_(DECAY).add_(w, alpha=1 - DECAY)
        running += loss.item() * len(x)
    if epoch % 10 == 9:
        print(f"epoch {epoch + 1}: loss {running / len(x_train):.4f}")

ema.eval()
with torch.no_grad():
    err = nn.functional.mse_loss(ema(noisy(x_test, t_test, e_test), t_test), e_test)
print(f"test noise error, averaged weights: {err.item():.4f}")
