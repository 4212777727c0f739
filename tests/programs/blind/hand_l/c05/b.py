"""Shapes on 12x12 images: the optimizer, its schedule and the loss are spelled out, no torch.optim."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

EPOCHS, BATCH, WARMUP = 15, 70, 40
BASE_LR, MU, WD, START = 0.04, 0.9, 5e-4, 0.05


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


class ShapeNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 12, 3, padding=1)
        self.conv2 = nn.Conv2d(12, 20, 3, padding=1)
        self.fc = nn.Linear(20 * 9, 5)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        return self.fc(x.flatten(1))


def nll(logits, y):
    return (torch.logsumexp(logits, dim=1) - logits[torch.arange(len(y)), y]).mean()


def learning_rate(step, total):
    if step < WARMUP:
        return BASE_LR * (START + (1 - START) * step / WARMUP)
    return 0.5 * BASE_LR * (1 + math.cos(math.pi * (step - WARMUP) / (total - WARMUP)))


def main():
    torch.manual_seed(53)
    x_train, y_train = shapes(1400, 100)
    x_test, y_test = shapes(500, 101)
    n = len(x_train)
    net = ShapeNet()
    velocity = {name: torch.zeros_like(p) for name, p in net.named_parameters()}
    total = EPOCHS * math.ceil(n / BATCH)
    step = 0
    for epoch in range(EPOCHS):
        perm = torch.randperm(n)
        running = 0.0
        for s in range(0, n, BATCH):
            idx = perm[s:s + BATCH]
            loss = nll(net(x_train[idx]), y_train[idx])
            net.zero_grad()
            loss.backward()
            lr = learning_rate(step, total)
            with torch.no_grad():
                for name, p in net.named_parameters():
                    g = p.grad + WD * p
                    v = velocity[name]
                    v.mul_(MU).add_(g)
                    p -= lr * (g + MU * v)
            step += 1
            running += loss.item() * len(idx)
        print(f"epoch {epoch + 1} loss {running / n:.4f}")
    net.eval()
    with torch.no_grad():
        out = net(x_test)
        acc = (out.argmax(1) == y_test).float().mean().item()
        print(f"test loss {nll(out, y_test).item():.4f} acc {acc:.4f}")


main()
