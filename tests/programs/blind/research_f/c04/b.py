"""Physics-informed network for the heat equation u_t = k u_xx (torch.func: per-point derivatives)."""
import math

import numpy as np
import torch
from torch.func import grad, vmap

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
torch.manual_seed(7)

K, STEPS, N_IN = 0.1, 500, 128
W_IC, W_BC = 10.0, 5.0

x_ic = torch.tensor(np.linspace(-1, 1, 40))
t_bc = torch.tensor(np.linspace(0, 1, 20))


def make_params(sizes=(2, 24, 24, 1)):
    params = {}
    for i, (n, m) in enumerate(zip(sizes[:-1], sizes[1:])):
        params[f"W{i}"] = torch.randn(n, m) * math.sqrt(2.0 / (n + m))
        params[f"b{i}"] = torch.zeros(m)
    return {k: v.requires_grad_(True) for k, v in params.items()}


def u(params, x, t):
    """Solution at one point; x and t are scalars."""
    h = torch.stack([x, t])
    h = torch.tanh(h @ params["W0"] + params["b0"])
    h = torch.tanh(h @ params["W1"] + params["b1"])
    return (h @ params["W2"] + params["b2"]).squeeze(-1)


u_t = grad(u, argnums=2)
u_xx = grad(grad(u, argnums=1), argnums=1)
batched = lambda f: vmap(f, in_dims=(None, 0, 0))
U, U_T, U_XX = batched(u), batched(u_t), batched(u_xx)


def pinn_loss(params, x, t):
    pde = torch.mean((U_T(params, x, t) - K * U_XX(params, x, t)) ** 2)
    ic = torch.mean((U(params, x_ic, torch.zeros_like(x_ic)) - torch.sin(math.pi * x_ic)) ** 2)
    edge = torch.ones_like(t_bc)
    bc = 0.5 * (torch.mean(U(params, -edge, t_bc) ** 2) + torch.mean(U(params, edge, t_bc) ** 2))
    return pde + W_IC * ic + W_BC * bc


params = make_params()
opt = torch.optim.Adam(params.values(), lr=8e-3, betas=(0.9, 0.999), eps=1e-8)


def error():
    xs, ts = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(0, 1, 21))
    exact = (np.exp(-K * math.pi ** 2 * ts) * np.sin(math.pi * xs)).ravel()
    with torch.no_grad():
        pred = U(params, torch.tensor(xs.ravel()), torch.tensor(ts.ravel())).numpy()
    return np.linalg.norm(pred - exact) / np.linalg.norm(exact)


# ---- training
for step in range(STEPS):
    for group in opt.param_groups:
        group["lr"] = 8e-3 * 0.996 ** step
    x = torch.empty(N_IN).uniform_(-1, 1)
    t = torch.empty(N_IN).uniform_(0, 1)
    loss = pinn_loss(params, x, t)
    grads = torch.autograd.grad(loss, list(params.values()))
    for p, g in zip(params.values(), grads):
        p.grad = g
    opt.step()
    if step % 100 == 0 or step == STEPS - 1:
        print(f"step {step} loss {loss.item():.5f} relative L2 error {error():.4f}")
