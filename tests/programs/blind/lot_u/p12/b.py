import math
import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)
STEPS_T, BATCH, EPOCHS, LR, DECAY = 30, 100, 40, 0.05, 0.05


def spiral(n, seed):
    rng = np.random.default_rng(seed)
    t = 1.5 * np.pi * (1 + 2 * rng.random(n))
    return (np.stack([t * np.cos(t), t * np.sin(t)], 1) / 8 + 0.03 * rng.standard_normal((n, 2))).astype("float32")


data, held = torch.from_numpy(spiral(1000, 18)), torch.from_numpy(spiral(2000, 19))
betas = np.linspace(1e-3, 0.2, STEPS_T)
abar = torch.from_numpy(np.cumprod(1 - betas).astype("float32"))
A, B = abar.sqrt(), (1 - abar).sqrt()

torch.manual_seed(20)
net = nn.Sequential(nn.Linear(6, 48), nn.Tanh(), nn.Linear(48, 48), nn.Tanh(), nn.Linear(48, 2))
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


def features(x, t):
    u = t.float()[:, None] / STEPS_T
    return torch.cat([x, u, torch.sin(2 * math.pi * u), torch.cos(2 * math.pi * u), torch.sin(4 * math.pi * u)], 1)


opt = torch.optim.Adam(net.parameters(), lr=LR, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: 1.0 / (1.0 + DECAY * k))

r = np.random.default_rng(21)
tv = torch.from_numpy(r.integers(0, STEPS_T, len(held)))
ev = torch.from_numpy(r.standard_normal(held.shape).astype("float32"))
xv = A[tv, None] * held + B[tv, None] * ev

for epoch in range(1, EPOCHS + 1):
    ls = []
    for idx in torch.randperm(len(data)).split(BATCH):
        x0 = data[idx]
        t = torch.randint(0, STEPS_T, (len(x0),))
        eps = torch.randn_like(x0)
        xt = A[t, None] * x0 + B[t, None] * eps
        loss = ((net(features(xt, t)) - eps) ** 2).mean()
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        ls.append(loss.item())
    if epoch % 4 == 0:
        with torch.no_grad():
            v = ((net(features(xv, tv)) - ev) ** 2).mean().item()
        print(f"epoch {epoch} train {np.mean(ls):.4f} held-out {v:.4f}")
