"""Friedman-type regression in PyTorch; loss, penalty and the Adam recursion written down by hand."""
import math

import numpy as np
import torch
import torch.nn.functional as F

torch.manual_seed(17)
torch.set_num_threads(1)


def friedman(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(size=(n, 10))
    y = 10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2 + 10 * x[:, 3] + 5 * x[:, 4]
    y = (y + rng.normal(size=n) - 14.4) / 5.0
    return (2 * x - 1).astype(np.float32), y.astype(np.float32)


x_train, y_train = map(torch.from_numpy, friedman(730, 0))
x_test, y_test = map(torch.from_numpy, friedman(500, 1))

weights, biases = [], []
for n_in, n_out in ((10, 48), (48, 24), (24, 1)):
    bound = math.sqrt(6.0 / (n_in + n_out))
    weights.append(torch.empty(n_in, n_out).uniform_(-bound, bound).requires_grad_())
    biases.append(torch.empty(n_out).uniform_(-bound, bound).requires_grad_())
params = weights + biases


def predict(x):
    h = F.relu(x @ weights[0] + biases[0])
    h = F.relu(h @ weights[1] + biases[1])
    return (h @ weights[2] + biases[2]).squeeze(1)


LR, B1, B2, EPS, ALPHA, BATCH = 4e-3, 0.9, 0.999, 1e-8, 0.3, 50
first = [torch.zeros_like(p) for p in params]
second = [torch.zeros_like(p) for p in params]
t = 0
for epoch in range(30):
    order = torch.randperm(len(x_train))
    for start in range(0, len(order), BATCH):
        idx = order[start:start + BATCH]
        n = len(idx)
        loss = ((predict(x_train[idx]) - y_train[idx]) ** 2).sum() / n
        loss = loss + 0.5 * ALPHA / n * sum((w * w).sum() for w in weights)
        grads = torch.autograd.grad(loss, params)
        t += 1
        rate = LR * math.sqrt(1 - B2 ** t) / (1 - B1 ** t)
        with torch.no_grad():
            for p, g, m, v in zip(params, grads, first, second):
                m.copy_(B1 * m + (1 - B1) * g)
                v.copy_(B2 * v + (1 - B2) * g ** 2)
                p -= rate * m / (v.sqrt() + EPS)

with torch.no_grad():
    for name, x, y in (("train", x_train, y_train), ("test", x_test, y_test)):
        mse = ((predict(x) - y) ** 2).mean().item()
        print(f"{name} mse {mse:.4f} r2 {1 - mse / y.var(unbiased=False).item():.4f}")
