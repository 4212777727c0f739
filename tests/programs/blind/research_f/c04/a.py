"""Physics-informed network for the heat equation u_t = k u_xx (PyTorch, autograd.grad)."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.set_default_dtype(torch.float64)
torch.set_num_threads(1)
torch.manual_seed(7)

K, STEPS, N_IN = 0.1, 500, 128
W_IC, W_BC = 10.0, 5.0

x_ic = torch.tensor(np.linspace(-1, 1, 40))[:, None]
t_bc = torch.tensor(np.linspace(0, 1, 20))[:, None]


class Net(nn.Module):
    def __init__(self, width=24):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(2, width), nn.Tanh(),
                                  nn.Linear(width, width), nn.Tanh(),
                                  nn.Linear(width, 1))
        for m in self.body:
            if isinstance(m, nn.Linear):
                nn.init.xavier_normal_(m.weight)
                nn.init.zeros_(m.bias)

    def forward(self, x, t):
        return self.body(torch.cat([x, t], 1))


def residual(net, x, t):
    x = x.requires_grad_(True)
    t = t.requires_grad_(True)
    u = net(x, t)
    one = torch.ones_like(u)
    u_t = torch.autograd.grad(u, t, one, create_graph=True)[0]
    u_x = torch.autograd.grad(u, x, one, create_graph=True)[0]
    u_xx = torch.autograd.grad(u_x, x, one, create_graph=True)[0]
    return u_t - K * u_xx


def pinn_loss(net, x, t):
    pde = residual(net, x, t).pow(2).mean()
    ic = (net(x_ic, torch.zeros_like(x_ic)) - torch.sin(math.pi * x_ic)).pow(2).mean()
    left = net(-torch.ones_like(t_bc), t_bc)
    right = net(torch.ones_like(t_bc), t_bc)
    bc = torch.cat([left, right]).pow(2).mean()
    return pde + W_IC * ic + W_BC * bc


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=8e-3, betas=(0.9, 0.999), eps=1e-8)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.996)


def error():
    xs, ts = np.meshgrid(np.linspace(-1, 1, 41), np.linspace(0, 1, 21))
    exact = np.exp(-K * math.pi ** 2 * ts) * np.sin(math.pi * xs)
    with torch.no_grad():
        u = net(torch.tensor(xs.reshape(-1, 1)), torch.tensor(ts.reshape(-1, 1))).numpy()
    return np.linalg.norm(u.ravel() - exact.ravel()) / np.linalg.norm(exact)


# ---- training
for step in range(STEPS):
    x = torch.rand(N_IN, 1) * 2 - 1
    t = torch.rand(N_IN, 1)
    opt.zero_grad()
    loss = pinn_loss(net, x, t)
    loss.backward()
    opt.step()
    sched.step()
    if step % 100 == 0 or step == STEPS - 1:
        print(f"step {step} loss {loss.item():.5f} relative L2 error {error():.4f}")
