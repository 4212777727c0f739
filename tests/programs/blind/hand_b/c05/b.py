"""Friedman regression with bare tensors: normalisation, robust loss and optimizer spelled out."""
import numpy as np
import torch
from sklearn.datasets import make_friedman1

EPOCHS, BATCH = 24, 64
BASE_LR, RHO, EPS = 4e-3, 0.95, 1e-6
BN_EPS, BN_MOMENTUM, DELTA = 1e-5, 0.1, 0.8

X, Y = make_friedman1(n_samples=1400, n_features=8, noise=0.5, random_state=9)
X = (X - 0.5).astype("float32") * 3.0
Y = ((Y - Y[:1000].mean()) / Y[:1000].std()).astype("float32")[:, None]
X, Y = torch.from_numpy(X), torch.from_numpy(Y)
x_train, y_train, x_test, y_test = X[:1000], Y[:1000], X[1000:], Y[1000:]

torch.manual_seed(55)


def he(fan_in, fan_out):
    return (torch.randn(fan_in, fan_out) * (2.0 / fan_in) ** 0.5).requires_grad_()


p = {
    "W1": he(8, 32), "g1": torch.ones(32, requires_grad=True), "b1": torch.zeros(32, requires_grad=True),
    "W2": he(32, 32), "g2": torch.ones(32, requires_grad=True), "b2": torch.zeros(32, requires_grad=True),
    "W3": he(32, 1), "b3": torch.zeros(1, requires_grad=True),
}
running = {k: [torch.zeros(32), torch.ones(32)] for k in ("1", "2")}


def batch_norm(z, key, training):
    if training:
        n = z.shape[0]
        mean = z.mean(0)
        var = ((z - mean) ** 2).mean(0)
        with torch.no_grad():
            mu_run, var_run = running[key]
            mu_run += BN_MOMENTUM * (mean - mu_run)
            var_run += BN_MOMENTUM * (var * n / (n - 1) - var_run)
    else:
        mean, var = running[key]
    return p["g" + key] * (z - mean) / torch.sqrt(var + BN_EPS) + p["b" + key]


def forward(x, training):
    h = batch_norm(x @ p["W1"], "1", training).clamp(min=0)
    h = batch_norm(h @ p["W2"], "2", training).clamp(min=0)
    return h @ p["W3"] + p["b3"]


def huber(pred, y):
    assert pred.shape == y.shape
    r = (pred - y).abs()
    return torch.where(r <= DELTA, 0.5 * r ** 2, DELTA * (r - 0.5 * DELTA)).mean()


square_avg = {k: torch.zeros_like(v) for k, v in p.items()}

# training
for epoch in range(1, EPOCHS + 1):
    lr = BASE_LR * 0.4 ** ((epoch - 1) // 8)
    order = torch.randperm(len(x_train))
    total = 0.0
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        loss = huber(forward(x_train[idx], True), y_train[idx])
        grads = torch.autograd.grad(loss, list(p.values()))
        with torch.no_grad():
            for (name, w), g in zip(p.items(), grads):
                v = square_avg[name]
                v.mul_(RHO).add_((1 - RHO) * g * g)
                w.sub_(lr * g / (v.sqrt() + EPS))
        total += loss.item() * len(idx)
    if epoch % 4 == 0:
        print(f"epoch {epoch:2d}  train loss {total / 1000:.4f}")

with torch.no_grad():
    pred = forward(x_test, False)
    test_loss = huber(pred, y_test).item()
    mae = (pred - y_test).abs().mean().item()
print(f"test huber {test_loss:.4f}  test mae {mae:.4f}")
