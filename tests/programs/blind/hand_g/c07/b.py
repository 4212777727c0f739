"""Friedman's regression problem in PyTorch (double precision); Nesterov momentum and the L2 term by hand."""
import math

import numpy as np
import torch

torch.manual_seed(99)
torch.set_default_dtype(torch.float64)

rng = np.random.RandomState(12)
X = rng.uniform(size=(1300, 10))
y = 10 * np.sin(np.pi * X[:, 0] * X[:, 1]) + 20 * (X[:, 2] - 0.5) ** 2 + 10 * X[:, 3] + 5 * X[:, 4] + rng.normal(size=1300)
X = (X - 0.5) * np.sqrt(12.0)
y = (y - y[:1000].mean()) / y[:1000].std()
X_train, y_train = torch.from_numpy(X[:1000]), torch.from_numpy(y[:1000])
X_test, y_test = torch.from_numpy(X[1000:]), torch.from_numpy(y[1000:])

LR, MU, ALPHA, BATCH = 0.02, 0.9, 0.05, 50


def layer(n_in, n_out):
    lin = torch.nn.Linear(n_in, n_out)
    bound = math.sqrt(6.0 / (n_in + n_out))
    torch.nn.init.uniform_(lin.weight, -bound, bound)
    torch.nn.init.uniform_(lin.bias, -bound, bound)      # scikit-learn draws the biases too
    return lin


net = torch.nn.Sequential(layer(10, 30), torch.nn.Tanh(), layer(30, 15), torch.nn.Tanh(), layer(15, 1))
params = list(net.parameters())
kernels = [p for p in params if p.ndim == 2]
velocity = [torch.zeros_like(p) for p in params]


def objective(xb, yb):
    residual = net(xb).squeeze(1) - yb
    half_mse = 0.5 * (residual ** 2).mean()
    penalty = 0.5 * ALPHA / len(xb) * sum((w ** 2).sum() for w in kernels)
    return half_mse + penalty


# training
for epoch in range(25):
    perm = torch.randperm(len(X_train))
    total = 0.0
    for i in range(0, len(perm), BATCH):
        idx = perm[i:i + BATCH]
        loss = objective(X_train[idx], y_train[idx])
        grads = torch.autograd.grad(loss, params)
        with torch.no_grad():
            for p, v, g in zip(params, velocity, grads):
                v.mul_(MU).sub_(LR * g)
                p.add_(MU * v - LR * g)
        total += loss.item() * len(idx)
    print("epoch %2d  objective %.5f" % (epoch + 1, total / len(perm)))

with torch.no_grad():
    print("test mse %.4f" % ((net(X_test).squeeze(1) - y_test) ** 2).mean().item())
