"""Friedman-like regression in PyTorch, Adam written out in its 'epsilon hat' form, weights drawn as in Glorot & Bengio."""
import math

import numpy as np
import torch

EPOCHS, BATCH = 30, 60
ALPHA = 0.05
LR, B1, B2, EPS = 4e-3, 0.9, 0.999, 1e-8


def make_data():
    rng = np.random.default_rng(77)
    x = rng.uniform(size=(1100, 8))
    y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
         + 0.5 * rng.normal(size=1100))
    x = (x - 0.5) / 0.2887
    y = (y - 14.4) / 4.9
    return x.astype(np.float32), y.astype(np.float32)


torch.manual_seed(29)
x, y = map(torch.from_numpy, make_data())
x_train, y_train, x_test, y_test = x[:800], y[:800], x[800:], y[800:]

sizes = [8, 40, 20, 1]
weights, biases = [], []
for n_in, n_out in zip(sizes[:-1], sizes[1:]):
    bound = math.sqrt(6.0 / (n_in + n_out))
    weights.append(torch.empty(n_in, n_out).uniform_(-bound, bound).requires_grad_())
    biases.append(torch.empty(n_out).uniform_(-bound, bound).requires_grad_())
params = weights + biases


def predict(h):
    for w, b in zip(weights[:-1], biases[:-1]):
        h = torch.tanh(h @ w + b)
    return (h @ weights[-1] + biases[-1]).squeeze(1)


class Adam:
    def __init__(self, params):
        self.params, self.t = params, 0
        self.m = [torch.zeros_like(p) for p in params]
        self.v = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self, grads):
        self.t += 1
        lr_t = LR * math.sqrt(1 - B2 ** self.t) / (1 - B1 ** self.t)
        for p, g, m, v in zip(self.params, grads, self.m, self.v):
            m.copy_(B1 * m + (1 - B1) * g)
            v.copy_(B2 * v + (1 - B2) * g ** 2)
            p -= lr_t * m / (v.sqrt() + EPS)


opt = Adam(params)
for epoch in range(1, EPOCHS + 1):
    total = 0.0
    for idx in torch.randperm(len(x_train)).split(BATCH):
        n_b = len(idx)
        data_loss = 0.5 * ((predict(x_train[idx]) - y_train[idx]) ** 2).mean()
        l2 = 0.5 * ALPHA * sum((w ** 2).sum() for w in weights) / n_b
        loss = data_loss + l2
        opt.step(torch.autograd.grad(loss, params))
        total += loss.item() * n_b
    print(f"epoch {epoch} loss {total / len(x_train):.5f}")

with torch.no_grad():
    print(f"test mse {((predict(x_test) - y_test) ** 2).mean().item():.5f}")
