"""One-step forecast of a noisy oscillation; LSTM cell and norm clipping by hand in PyTorch."""
import math

import numpy as np
import torch

torch.manual_seed(11)
torch.set_num_threads(1)

WINDOW, UNITS, BATCH, EPOCHS = 18, 20, 64, 12


def make_series(seed=3, n=1500):
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    s = np.sin(0.21 * t) + 0.6 * np.sin(0.057 * t + 1.0) * np.cos(0.4 * t)
    s = s + 0.08 * rng.normal(size=n)
    d = np.concatenate([[0.0], np.diff(s)])
    f = np.stack([s, d], axis=1)
    x = np.stack([f[i:i + WINDOW] for i in range(n - WINDOW)])
    y = s[WINDOW:, None]
    return x.astype("float32"), y.astype("float32")


x, y = (torch.from_numpy(a) for a in make_series())
x_train, y_train, x_test, y_test = x[:1152], y[:1152], x[1152:], y[1152:]


def glorot(rows, cols):
    limit = math.sqrt(6.0 / (rows + cols))
    return torch.empty(rows, cols).uniform_(-limit, limit)


# gates side by side: input, forget, candidate, output
W = glorot(2, 4 * UNITS)
U = torch.nn.init.orthogonal_(torch.empty(UNITS, 4 * UNITS))
b = torch.zeros(4 * UNITS)
b[UNITS:2 * UNITS] = 1.0
V = glorot(UNITS, 1)
c = torch.zeros(1)
params = [W, U, b, V, c]
for p in params:
    p.requires_grad_(True)


def forward(batch):
    h = torch.zeros(len(batch), UNITS)
    cell = torch.zeros(len(batch), UNITS)
    for step in range(WINDOW):
        z = batch[:, step] @ W + h @ U + b
        i, f, g, o = z.chunk(4, dim=1)
        cell = torch.sigmoid(f) * cell + torch.sigmoid(i) * torch.tanh(g)
        h = torch.sigmoid(o) * torch.tanh(cell)
    return h @ V + c


def clip_(tensors, limit):
    norm = torch.sqrt(sum((t.grad ** 2).sum() for t in tensors))
    if norm > limit:
        for t in tensors:
            t.grad.mul_(limit / norm)


optimizer = torch.optim.SGD(params, lr=0.05, momentum=0.9)
for epoch in range(EPOCHS):
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(x_train), BATCH):
        idx = order[start:start + BATCH]
        error = forward(x_train[idx]) - y_train[idx]
        loss = error.square().mean()
        optimizer.zero_grad()
        loss.backward()
        clip_(params, 0.5)
        optimizer.step()
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1} mse {total / len(x_train):.5f}")

with torch.no_grad():
    print(f"test mse {(forward(x_test) - y_test).square().mean().item():.5f}")
