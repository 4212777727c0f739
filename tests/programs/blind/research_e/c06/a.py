"""Physics-informed network for the heat equation u_t = k u_xx on [0,1] (PyTorch)."""
import math

import numpy as np
import torch
from torch import nn

torch.manual_seed(0)

KAPPA, STEPS = 0.15, 500
W_PDE, W_INIT, W_WALL = 1.0, 10.0, 5.0

rng = np.random.default_rng(99)
inner = rng.random((200, 2))  # columns x, t
start = np.stack([rng.random(60), np.zeros(60)], 1)
walls = np.stack([np.repeat([0.0, 1.0], 30), rng.random(60)], 1)
inner, start, walls = (torch.tensor(p, dtype=torch.float32) for p in (inner, start, walls))
u_start = torch.sin(math.pi * start[:, 0])


def exact(x, t):
    return torch.exp(-KAPPA * math.pi**2 * t) * torch.sin(math.pi * x)


def layer(n_in, n_out):
    lin = nn.Linear(n_in, n_out)
    # normal cut off at two of its deviations, of variance 2 / (n_in + n_out)
    std = math.sqrt(2.0 / (n_in + n_out)) / 0.87962566103423978
    nn.init.trunc_normal_(lin.weight, mean=0.0, std=std, a=-2 * std, b=2 * std)
    nn.init.zeros_(lin.bias)
    return lin


net = nn.Sequential(layer(2, 24), nn.Tanh(), layer(24, 24), nn.Tanh(), layer(24, 24), nn.Tanh(), layer(24, 1))


def residual(points):
    x, t = points[:, :1].clone().requires_grad_(), points[:, 1:].clone().requires_grad_()
    u = net(torch.cat([x, t], 1))
    u_x, u_t = torch.autograd.grad(u.sum(), (x, t), create_graph=True)
    (u_xx,) = torch.autograd.grad(u_x.sum(), x, create_graph=True)
    return u_t - KAPPA * u_xx


opt = torch.optim.Adamax(net.parameters(), lr=2e-2, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.LambdaLR(opt, lambda k: 0.3 ** (k / 300))

for k in range(STEPS):
    pde = residual(inner).square().mean()
    ini = (net(start)[:, 0] - u_start).square().mean()
    wall = net(walls).square().mean()
    loss = W_PDE * pde + W_INIT * ini + W_WALL * wall
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    if k % 100 == 99:
        print(f"step {k + 1}: loss {loss.item():.5f} (pde {pde.item():.5f}, start {ini.item():.5f}, walls {wall.item():.5f})")

g = torch.linspace(0, 1, 41)
gx, gt = torch.meshgrid(g, g, indexing="ij")
with torch.no_grad():
    u = net(torch.stack([gx.reshape(-1), gt.reshape(-1)], 1))[:, 0]
    ref = exact(gx.reshape(-1), gt.reshape(-1))
print(f"relative error {(u - ref).norm() / ref.norm():.4f}")
