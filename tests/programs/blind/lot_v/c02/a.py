"""Estimate the frequency of a noisy oscillation with a small 1-D conv net."""
import math

import numpy as np
import torch
from torch import nn

torch.manual_seed(5)

N_TRAIN, N_TEST, LENGTH = 1100, 300, 48
BATCH, EPOCHS, LR, FLOOR = 40, 14, 0.08, 0.05


def make_data():
    rng = np.random.default_rng(2024)
    n = N_TRAIN + N_TEST
    freq = rng.uniform(0.5, 5.0, size=n)
    phase = rng.uniform(0, 2 * np.pi, size=n)
    t = np.linspace(0, 1, LENGTH)
    x = np.sin(2 * np.pi * freq[:, None] * t + phase[:, None])
    x += 0.2 * rng.normal(size=x.shape)
    y = (freq - 2.75) / 1.3
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:N_TRAIN], y[:N_TRAIN], x[N_TRAIN:], y[N_TRAIN:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv1d(1, 12, 5)
        self.conv2 = nn.Conv1d(12, 16, 5)
        self.pool = nn.MaxPool1d(2)
        self.head = nn.Linear(16, 1)
        for conv in (self.conv1, self.conv2):
            nn.init.kaiming_uniform_(conv.weight, nonlinearity="relu")
            nn.init.zeros_(conv.bias)
        nn.init.xavier_uniform_(self.head.weight)
        nn.init.zeros_(self.head.bias)

    def forward(self, x):                      # x: (B, L)
        h = self.pool(torch.relu(self.conv1(x.unsqueeze(1))))
        h = torch.relu(self.conv2(h)).mean(dim=2)
        return self.head(h).squeeze(1)


def main():
    xtr, ytr, xte, yte = (torch.from_numpy(v) for v in make_data())
    net = Net()
    huber = nn.HuberLoss(delta=1.0)
    steps = EPOCHS * math.ceil(N_TRAIN / BATCH)
    opt = torch.optim.SGD(net.parameters(), lr=LR, momentum=0.0)
    sched = torch.optim.lr_scheduler.LambdaLR(
        opt, lambda s: (1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * min(s, steps) / steps)) + FLOOR)
    for epoch in range(EPOCHS):
        perm = torch.randperm(N_TRAIN)
        total = 0.0
        for idx in perm.split(BATCH):
            opt.zero_grad()
            loss = huber(net(xtr[idx]), ytr[idx])
            loss.backward()
            opt.step()
            sched.step()
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1:2d} train huber {total / N_TRAIN:.4f}")
    net.eval()
    with torch.no_grad():
        pred = net(xte)
        print(f"test huber {huber(pred, yte).item():.4f}  mae {(pred - yte).abs().mean().item():.4f}")


if __name__ == "__main__":
    main()
