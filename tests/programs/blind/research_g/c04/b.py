"""Physics-informed network for the heat equation u_t = k u_xx, PyTorch."""
import math
import numpy as np
import torch
from torch import nn

torch.manual_seed(5)
torch.set_num_threads(1)

K, STEPS, W_IC, W_BC = 0.15, 550, 5.0, 2.0
N_COL, N_IC, N_BC = 256, 64, 64

net = nn.Sequential(
    nn.Linear(2, 32), nn.Tanh(),
    nn.Linear(32, 32), nn.Tanh(),
    nn.Linear(32, 32), nn.Tanh(),
    nn.Linear(32, 1),
)


def reset(module):
    if isinstance(module, nn.Linear):
        nn.init.xavier_uniform_(module.weight)
        nn.init.zeros_(module.bias)


net.apply(reset)

optimizer = torch.optim.Adam(net.parameters(), lr=4e-3, betas=(0.9, 0.999), eps=1e-12)
scheduler = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda s: 0.8 ** (s / 100))


def u(x, t):
    return net(torch.cat([x, t], dim=1))


def residual(x, t):
    x = x.clone().requires_grad_(True)
    t = t.clone().requires_grad_(True)
    out = u(x, t)
    u_x, u_t = torch.autograd.grad(out, (x, t), torch.ones_like(out), create_graph=True)
    u_xx, = torch.autograd.grad(u_x, x, torch.ones_like(u_x), create_graph=True)
    return u_t - K * u_xx


def parts(x, t, x0, tb, side):
    pde = residual(x, t).pow(2).mean()
    ic = (u(x0, torch.zeros_like(x0)) - torch.sin(math.pi * x0)).pow(2).mean()
    bc = u(side, tb).pow(2).mean()
    return pde, ic, bc


side = torch.cat([torch.zeros(N_BC // 2, 1), torch.ones(N_BC // 2, 1)])
for i in range(STEPS):
    pde, ic, bc = parts(torch.rand(N_COL, 1), torch.rand(N_COL, 1),
                        torch.rand(N_IC, 1), torch.rand(N_BC, 1), side)
    loss = pde + W_IC * ic + W_BC * bc
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    scheduler.step()
    if (i + 1) % 50 == 0:
        print(f"step {i + 1:4d}  loss {loss.item():.3e}  pde {pde.item():.3e}  ic {ic.item():.3e}  bc {bc.item():.3e}")

gx, gt = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
grid = np.stack([gx.ravel(), gt.ravel()], axis=1).astype(np.float32)
exact = np.sin(np.pi * grid[:, 0]) * np.exp(-K * np.pi ** 2 * grid[:, 1])
with torch.no_grad():
    pred = net(torch.from_numpy(grid)).numpy()[:, 0]
print("relative L2 error %.4f" % (np.linalg.norm(pred - exact) / np.linalg.norm(exact)))
