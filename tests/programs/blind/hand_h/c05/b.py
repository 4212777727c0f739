"""Nonlinear regression: the same one-hidden-layer network in torch, loss, penalty and momentum by hand."""
import math

import numpy as np
import torch


def make_data():
    rng = np.random.default_rng(314)
    x = rng.uniform(0, 1, size=(1350, 8))
    y = (
        10 * np.sin(np.pi * x[:, 0] * x[:, 1])
        + 20 * (x[:, 2] - 0.5) ** 2
        + 10 * x[:, 3]
        + 5 * x[:, 4]
        + rng.normal(0, 1.0, size=1350)
    )
    x = (x - 0.5) * np.sqrt(12.0)
    y = (y - y[:1000].mean()) / y[:1000].std()
    return x[:1000], y[:1000], x[1000:], y[1000:]


x_train, y_train, x_test, y_test = (torch.from_numpy(v) for v in make_data())

HIDDEN, LR, MU, ALPHA, BATCH, EPOCHS = 40, 0.02, 0.9, 0.05, 64, 30

gen = torch.Generator().manual_seed(77)


def layer(fan_in, fan_out):
    bound = math.sqrt(6.0 / (fan_in + fan_out))
    w = (torch.rand(fan_in, fan_out, generator=gen, dtype=torch.float64) * 2 - 1) * bound
    b = (torch.rand(fan_out, generator=gen, dtype=torch.float64) * 2 - 1) * bound
    return w.requires_grad_(), b.requires_grad_()


w1, b1 = layer(8, HIDDEN)
w2, b2 = layer(HIDDEN, 1)
params = [w1, b1, w2, b2]
velocity = [torch.zeros_like(p) for p in params]


def predict(x):
    return (torch.tanh(x @ w1 + b1) @ w2 + b2).squeeze(1)


def train_step(xb, yb):
    err = predict(xb) - yb
    loss = 0.5 * (err**2).mean()
    # L2 on the two weight matrices only, divided by the size of this batch
    loss = loss + ALPHA * ((w1**2).sum() + (w2**2).sum()) / (2 * len(xb))
    grads = torch.autograd.grad(loss, params)
    with torch.no_grad():
        for p, g, v in zip(params, grads, velocity):
            v.mul_(MU).sub_(LR * g)
            p.add_(MU * v - LR * g)  # Nesterov look-ahead
    return loss.item()


# training
n = len(x_train)
for epoch in range(1, EPOCHS + 1):
    perm = torch.randperm(n, generator=gen)
    total = 0.0
    for start in range(0, n, BATCH):
        idx = perm[start : start + BATCH]
        total += train_step(x_train[idx], y_train[idx]) * len(idx)
    if epoch % 5 == 0:
        print(f"epoch {epoch:2d} loss {total / n:.5f}")

with torch.no_grad():
    pred = predict(x_test)
    mse = ((pred - y_test) ** 2).mean()
    r2 = 1 - ((pred - y_test) ** 2).sum() / ((y_test - y_test.mean()) ** 2).sum()
print("test mse", mse.item())
print("test r2 ", r2.item())
