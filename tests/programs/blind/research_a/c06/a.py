"""Physics-informed network for the heat equation u_t = K u_xx on [0,1] x [0,1], PyTorch."""
import math

import numpy as np
import torch
from torch import nn

torch.manual_seed(4)

K = 0.15
STEPS = 500


class Net(nn.Module):
    def __init__(self, width=32):
        super().__init__()
        self.fc1 = nn.Linear(2, width)
        self.fc2 = nn.Linear(width, width)
        self.fc3 = nn.Linear(width, 1)
        for fc in (self.fc1, self.fc2, self.fc3):
            nn.init.xavier_normal_(fc.weight)
            nn.init.zeros_(fc.bias)

    def forward(self, t, x):
        h = torch.tanh(self.fc1(torch.cat([t, x], dim=1)))
        h = torch.tanh(self.fc2(h))
        return self.fc3(h)


net = Net()
opt = torch.optim.Adam(net.parameters(), lr=1e-2, betas=(0.9, 0.999), eps=1e-8)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.995)


def grad(y, x):
    return torch.autograd.grad(y, x, torch.ones_like(y), create_graph=True)[0]


def sample():
    interior = torch.rand(96, 2)
    initial = torch.rand(32, 1)
    edge = torch.rand(32, 1)
    return interior, initial, edge


def losses(interior, initial, edge):
    t = interior[:, 0:1].clone().requires_grad_(True)
    x = interior[:, 1:2].clone().requires_grad_(True)
    u = net(t, x)
    u_t, u_x = grad(u, t), grad(u, x)
    pde = (u_t - K * grad(u_x, x)).pow(2).mean()
    ic = (net(torch.zeros_like(initial), initial) - torch.sin(math.pi * initial)).pow(2).mean()
    bc = 0.5 * (net(edge, torch.zeros_like(edge)).pow(2).mean()
                + net(edge, torch.ones_like(edge)).pow(2).mean())
    return pde, ic, bc


def train_step(points):
    pde, ic, bc = losses(*points)
    loss = pde + 10.0 * ic + 5.0 * bc
    opt.zero_grad()
    loss.backward()
    opt.step()
    sched.step()
    return pde.item(), ic.item(), bc.item()


# ---- training
for step in range(STEPS):
    parts = train_step(sample())
    if (step + 1) % 100 == 0:
        print("step %d  pde %.5f  ic %.5f  bc %.5f" % (step + 1, *parts))

tt, xx = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41), indexing="ij")
exact = np.exp(-K * np.pi ** 2 * tt) * np.sin(np.pi * xx)
with torch.no_grad():
    u = net(torch.tensor(tt.reshape(-1, 1), dtype=torch.float32),
            torch.tensor(xx.reshape(-1, 1), dtype=torch.float32)).numpy().reshape(tt.shape)
print("relative L2 error %.4f" % (np.linalg.norm(u - exact) / np.linalg.norm(exact)))
