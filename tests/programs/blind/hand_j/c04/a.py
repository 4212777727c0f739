import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

K, BATCH, EPOCHS = 4, 64, 36
PEAK, WARMUP, TOTAL, SMOOTH = 4e-3, 40, 360, 0.1


def spirals(n, rng):
    y = rng.integers(0, K, size=n)
    r = rng.uniform(0.1, 1.0, size=n)
    a = 2 * np.pi * y / K + 3.0 * r + rng.normal(scale=0.15, size=n)
    x = np.stack([r * np.cos(a), r * np.sin(a)], axis=1)
    return (x * 2).astype("float32"), y.astype("int64")


rng = np.random.default_rng(77)
x, y = (torch.from_numpy(v) for v in spirals(600, rng))
xt, yt = (torch.from_numpy(v) for v in spirals(400, rng))

torch.manual_seed(2)
model = nn.Sequential(nn.Linear(2, 48), nn.Tanh(), nn.Linear(48, 32), nn.Tanh(), nn.Linear(32, K))
for m in model:
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)

opt = torch.optim.RMSprop(model.parameters(), lr=PEAK, alpha=0.9, eps=1e-8, momentum=0.0, centered=False)


def factor(step):
    if step < WARMUP:
        return (step + 1) / WARMUP
    return 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (TOTAL - WARMUP)))


sched = torch.optim.lr_scheduler.LambdaLR(opt, factor)

for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(len(x)).split(BATCH):
        loss = F.cross_entropy(model(x[idx]), y[idx], label_smoothing=SMOOTH)
        opt.zero_grad()
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(idx)
    if epoch % 6 == 5:
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")

with torch.no_grad():
    logits = model(xt)
    print(f"test loss {F.cross_entropy(logits, yt).item():.4f} "
          f"acc {(logits.argmax(1) == yt).float().mean().item():.4f}")
