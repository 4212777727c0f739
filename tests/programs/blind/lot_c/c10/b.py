import numpy as np
import torch
from torch import nn

rng = np.random.default_rng(606)
X = rng.normal(size=(900, 9)).astype(np.float32)
t = 2.0 * np.sin(X[:, 0] + X[:, 1]) + X[:, 2] * X[:, 3] + 0.5 * X[:, 4]
t = t + 0.1 * rng.standard_t(2, size=900)
T = t.astype(np.float32)[:, None]
xtr, ttr, xte, tte = (torch.from_numpy(a) for a in (X[:720], T[:720], X[720:], T[720:]))

torch.manual_seed(12)
net = nn.Sequential(
    nn.Linear(9, 32),
    nn.LayerNorm(32, eps=1e-5),
    nn.GELU(),
    nn.Linear(32, 32),
    nn.GELU(),
    nn.Linear(32, 1),
)
for m in net:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

huber = nn.HuberLoss(delta=1.0)
opt = torch.optim.RMSprop(net.parameters(), lr=0.003, alpha=0.95, eps=1e-8, momentum=0.0)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda step: 1.0 / (1.0 + 0.01 * step))

for epoch in range(12):
    order = torch.randperm(720)
    tot = 0.0
    for i in range(0, 720, 36):
        idx = order[i:i + 36]
        opt.zero_grad()
        loss = huber(net(xtr[idx]), ttr[idx])
        loss.backward()
        opt.step()
        sched.step()
        tot += loss.item() * len(idx)
    print(f"[{epoch}] huber {tot / 720:.4f}")

with torch.no_grad():
    p = net(xte)
    print(f"test huber {huber(p, tte).item():.4f}")
    print(f"test mae {(p - tte).abs().mean().item():.4f}")
