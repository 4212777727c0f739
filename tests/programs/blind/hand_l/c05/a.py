"""Shapes on 12x12 images: small CNN, SGD with Nesterov momentum, warm-up then cosine (torch.optim)."""
import math

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

EPOCHS, BATCH, WARMUP = 15, 70, 40
LR, MU, WD = 0.04, 0.9, 5e-4


def shapes(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 5, size=n)
    x = np.zeros((n, 12, 12))
    for i, k in enumerate(y):
        r, c = rng.integers(3, 9, size=2)
        if k == 0:
            x[i, r, c - 3:c + 4] = 1
        elif k == 1:
            x[i, r - 3:r + 4, c] = 1
        elif k == 2:
            x[i, r, c - 2:c + 3] = 1
            x[i, r - 2:r + 3, c] = 1
        elif k == 3:
            x[i, r - 2:r + 3, c - 2:c + 3] = 1
            x[i, r - 1:r + 2, c - 1:c + 2] = 0
        else:
            for d in range(-2, 3):
                x[i, r + d, c + d] = 1
    x += 0.35 * rng.normal(size=x.shape)
    return torch.tensor(x[:, None], dtype=torch.float32), torch.tensor(y)


torch.manual_seed(14)
x_train, y_train = shapes(1400, 100)
x_test, y_test = shapes(500, 101)
loader = DataLoader(TensorDataset(x_train, y_train), batch_size=BATCH, shuffle=True)

net = nn.Sequential(
    nn.Conv2d(1, 12, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Conv2d(12, 20, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
    nn.Flatten(), nn.Linear(20 * 9, 5),
)
steps = EPOCHS * math.ceil(len(x_train) / BATCH)
opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=MU, nesterov=True, weight_decay=WD)
warm = torch.optim.lr_scheduler.LinearLR(opt, start_factor=0.05, end_factor=1.0, total_iters=WARMUP)
cos = torch.optim.lr_scheduler.CosineAnnealingLR(opt, T_max=steps - WARMUP, eta_min=0.0)
sched = torch.optim.lr_scheduler.SequentialLR(opt, [warm, cos], milestones=[WARMUP])
criterion = nn.CrossEntropyLoss()

for epoch in range(EPOCHS):
    total = 0.0
    for xb, yb in loader:
        opt.zero_grad()
        loss = criterion(net(xb), yb)
        loss.backward()
        opt.step()
        sched.step()
        total += loss.item() * len(xb)
    print(f"epoch {epoch + 1} loss {total / len(x_train):.4f}")

net.eval()
with torch.no_grad():
    out = net(x_test)
    print(f"test loss {criterion(out, y_test).item():.4f} acc {(out.argmax(1) == y_test).float().mean().item():.4f}")
