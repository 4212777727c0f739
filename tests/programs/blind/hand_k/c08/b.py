"""Count regression: residual MLP; norm, activation, loss, decay and learning rate all by hand."""
import math

import numpy as np
import torch
from torch import nn

WIDTH, BLOCKS, EPOCHS, BATCH = 32, 2, 16, 64
BASE_LR, DECAY, WARMUP = 3e-3, 0.05, 40


def make_data():
    rng = np.random.default_rng(55)
    x = rng.normal(size=(1640, 10))
    w = rng.normal(size=10) / 4
    log_rate = 0.6 + x @ w + 0.5 * np.sin(2 * x[:, 0]) - 0.3 * x[:, 1] * x[:, 2]
    y = rng.poisson(np.exp(np.clip(log_rate, -3, 2.5)))
    x, y = x.astype(np.float32), y.astype(np.float32)
    return x[:1400], y[:1400], x[1400:], y[1400:]


def gelu(x):
    return 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3)))


def layer_norm(x, gain, shift):
    centred = x - x.mean(dim=-1, keepdim=True)
    variance = centred.pow(2).mean(dim=-1, keepdim=True)
    return centred * torch.rsqrt(variance + 1e-5) * gain + shift


def poisson_nll(log_rate, y):
    return (torch.exp(log_rate) - y * log_rate).mean()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Linear(10, WIDTH)
        self.ups = nn.ModuleList([nn.Linear(WIDTH, 2 * WIDTH) for _ in range(BLOCKS)])
        self.downs = nn.ModuleList([nn.Linear(2 * WIDTH, WIDTH) for _ in range(BLOCKS)])
        self.gains = nn.ParameterList([torch.ones(WIDTH) for _ in range(BLOCKS + 1)])
        self.shifts = nn.ParameterList([torch.zeros(WIDTH) for _ in range(BLOCKS + 1)])
        self.head = nn.Linear(WIDTH, 1)

    def forward(self, x):
        x = self.stem(x)
        for i in range(BLOCKS):
            h = layer_norm(x, self.gains[i], self.shifts[i])
            x = x + self.downs[i](gelu(self.ups[i](h)))
        x = layer_norm(x, self.gains[-1], self.shifts[-1])
        return self.head(x)[:, 0]


torch.manual_seed(19)
x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())
n = len(x_train)
total_steps = EPOCHS * math.ceil(n / BATCH)

net = Net()
optimizer = torch.optim.Adam(net.parameters(), lr=BASE_LR, betas=(0.9, 0.98), eps=1e-8,
                             weight_decay=0.0)

step = 0
for epoch in range(EPOCHS):
    order = torch.randperm(n)
    running = 0.0
    for start in range(0, n, BATCH):
        idx = order[start:start + BATCH]
        if step < WARMUP:
            lr = BASE_LR * (step + 1) / WARMUP
        else:
            lr = BASE_LR * 0.5 * (1 + math.cos(math.pi * (step - WARMUP) / (total_steps - WARMUP)))
        for group in optimizer.param_groups:
            group["lr"] = lr
        loss = poisson_nll(net(x_train[idx]), y_train[idx])
        optimizer.zero_grad()
        loss.backward()
        with torch.no_grad():
            for p in net.parameters():
                if p.ndim > 1:                      # decoupled decay, matrices only
                    p.mul_(1 - lr * DECAY)
        optimizer.step()
        step += 1
        running += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d} loss {running / n:.4f}")

with torch.no_grad():
    print(f"test loss {poisson_nll(net(x_test), y_test).item():.4f}")
