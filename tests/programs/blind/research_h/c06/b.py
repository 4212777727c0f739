"""Oscillator PINN in functional PyTorch: plain tensors as parameters, torch.func derivatives."""
import math

import numpy as np
import torch
from torch.func import grad, vmap

torch.manual_seed(17)

T_END = 3.0
col = torch.as_tensor(np.random.default_rng(0).uniform(0.0, T_END, size=(200, 1)).astype(np.float32)[:, 0])


def init(sizes):
    params = {}
    for i, (n, m) in enumerate(zip(sizes[:-1], sizes[1:])):
        params[f"W{i}"] = (torch.randn(n, m) * math.sqrt(2.0 / (n + m))).requires_grad_()
        params[f"b{i}"] = torch.zeros(m, requires_grad=True)
    return params


def u(params, t):
    """solution at one scalar time"""
    h = (2.0 * t - T_END).reshape(1)
    h = torch.tanh(h @ params["W0"] + params["b0"])
    h = torch.tanh(h @ params["W1"] + params["b1"])
    return (h @ params["W2"] + params["b2"])[0]


u_t = grad(u, argnums=1)
u_tt = grad(u_t, argnums=1)


def ode(params, t):
    return u_tt(params, t) + 0.6 * u_t(params, t) + 4.0 * u(params, t)


def objective(params, batch):
    r = vmap(ode, in_dims=(None, 0))(params, batch)
    zero = torch.tensor(0.0)
    initial = (u(params, zero) - 1.0) ** 2 + u_t(params, zero) ** 2
    return torch.mean(r ** 2) + 10.0 * initial


params = init([1, 32, 32, 1])
optimizer = torch.optim.Adamax(list(params.values()), lr=0.02, betas=(0.9, 0.999), eps=1e-8)
gen = torch.Generator().manual_seed(17)

for epoch in range(150):
    perm = torch.randperm(200, generator=gen)
    running = []
    for k in range(4):
        optimizer.zero_grad()
        loss = objective(params, col[perm[50 * k:50 * (k + 1)]])
        loss.backward()
        optimizer.step()
        running.append(loss.item())
    if (epoch + 1) % 25 == 0:
        print("epoch %3d  loss %.5f" % (epoch + 1, sum(running) / 4))

grid = np.linspace(0, T_END, 101)
om = np.sqrt(4.0 - 0.3 ** 2)
exact = np.exp(-0.3 * grid) * (np.cos(om * grid) + 0.3 / om * np.sin(om * grid))
with torch.no_grad():
    pred = vmap(u, in_dims=(None, 0))(params, torch.tensor(grid, dtype=torch.float32)).numpy()
print("max error %.4f   rmse %.4f" % (np.abs(pred - exact).max(), np.sqrt(np.mean((pred - exact) ** 2))))
