"""Physics-informed network for the Fisher-KPP equation  u_t = u_xx + u (1 - u)."""
import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(8)


def exact(x, t):
    return 1.0 / (1.0 + np.exp((x - 5.0 * t / np.sqrt(6.0)) / np.sqrt(6.0))) ** 2


rng = np.random.default_rng(2024)
X_MAX, T_MAX = 4.0, 1.0
interior = np.column_stack([rng.uniform(-X_MAX, X_MAX, 1600), rng.uniform(0, T_MAX, 1600)]).astype(np.float32)
start = np.column_stack([rng.uniform(-X_MAX, X_MAX, 80), np.zeros(80)]).astype(np.float32)
side = np.column_stack([np.where(np.arange(60) % 2 == 0, -X_MAX, X_MAX), rng.uniform(0, T_MAX, 60)]).astype(np.float32)
u_start = exact(start[:, :1].astype(np.float64), start[:, 1:].astype(np.float64)).astype(np.float32)
u_side = exact(side[:, :1].astype(np.float64), side[:, 1:].astype(np.float64)).astype(np.float32)
gx, gt = np.meshgrid(np.linspace(-X_MAX, X_MAX, 41), np.linspace(0, T_MAX, 11))
grid = np.column_stack([gx.ravel(), gt.ravel()])
u_grid = exact(grid[:, :1], grid[:, 1:])

start, side, u_start, u_side = map(torch.from_numpy, (start, side, u_start, u_side))

net = nn.Sequential(nn.Linear(2, 20), nn.Tanh(), nn.Linear(20, 20), nn.Tanh(), nn.Linear(20, 1))
for layer in net:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)


def residual(points):
    x = points[:, :1].clone().requires_grad_(True)
    t = points[:, 1:].clone().requires_grad_(True)
    u = net(torch.cat([x, t], dim=1))
    ones = torch.ones_like(u)
    u_x, u_t = torch.autograd.grad(u, (x, t), grad_outputs=ones, create_graph=True)
    u_xx = torch.autograd.grad(u_x, x, grad_outputs=ones, create_graph=True)[0]
    return u_t - u_xx - u * (1 - u)


def objective(points):
    pde = (residual(points) ** 2).mean()
    ini = ((net(start) - u_start) ** 2).mean()
    bnd = ((net(side) - u_side) ** 2).mean()
    return pde + 10.0 * ini + 5.0 * bnd


opt = torch.optim.Adam(net.parameters(), lr=5e-3, betas=(0.9, 0.999), eps=1e-12)
sched = torch.optim.lr_scheduler.ExponentialLR(opt, gamma=0.96)
loader = DataLoader(TensorDataset(torch.from_numpy(interior)), batch_size=160, shuffle=True)

for epoch in range(40):
    for (pts,) in loader:
        loss = objective(pts)
        opt.zero_grad()
        loss.backward()
        opt.step()
    sched.step()
    if (epoch + 1) % 10 == 0:
        with torch.no_grad():
            pred = net(torch.from_numpy(grid.astype(np.float32))).numpy()
        print("epoch", epoch + 1, "loss %.5f" % loss.item(), "rmse %.5f" % np.sqrt(np.mean((pred - u_grid) ** 2)))
