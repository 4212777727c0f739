"""Physics-informed network for a reaction-diffusion problem (PyTorch, autograd.grad)."""
import numpy as np
import torch
from torch import nn

ALPHA, K = 0.08, 0.5
EPOCHS, BATCH = 40, 128
W_PDE, W_IC, W_BC = 1.0, 10.0, 5.0


def points():
    rng = np.random.default_rng(21)
    inner = rng.random((1000, 2)).astype(np.float32)              # (x, t)
    x0 = np.linspace(0, 1, 64, dtype=np.float32)[:, None]
    tb = rng.random((64, 1)).astype(np.float32)
    side = np.repeat([0.0, 1.0], 32).astype(np.float32)[:, None]
    return inner, x0, np.concatenate([side, tb], axis=1)


def exact(x, t):
    return np.exp(-(ALPHA * np.pi ** 2 + K) * t) * np.sin(np.pi * x)


torch.manual_seed(2)
inner, x0, walls = points()

net = nn.Sequential(
    nn.Linear(2, 24), nn.Tanh(),
    nn.Linear(24, 24), nn.Tanh(),
    nn.Linear(24, 24), nn.Tanh(),
    nn.Linear(24, 1),
)
for layer in net:
    if isinstance(layer, nn.Linear):
        nn.init.xavier_uniform_(layer.weight)
        nn.init.zeros_(layer.bias)

opt = torch.optim.Adam(net.parameters(), lr=6e-3, betas=(0.9, 0.99), eps=1e-12)
scheduler = torch.optim.lr_scheduler.StepLR(opt, step_size=80, gamma=0.6)   # stepped once per batch

inner = torch.from_numpy(inner)
ic_in = torch.from_numpy(np.concatenate([x0, np.zeros_like(x0)], axis=1))
ic_out = torch.from_numpy(np.sin(np.pi * x0).astype(np.float32))
bc_in = torch.from_numpy(walls)


def residual(xt):
    xt = xt.clone().requires_grad_(True)
    u = net(xt)
    du = torch.autograd.grad(u.sum(), xt, create_graph=True)[0]
    u_x, u_t = du[:, 0:1], du[:, 1:2]
    u_xx = torch.autograd.grad(u_x.sum(), xt, create_graph=True)[0][:, 0:1]
    return u_t - ALPHA * u_xx + K * u


for epoch in range(EPOCHS):
    order = torch.randperm(len(inner))
    for idx in order.split(BATCH):
        l_pde = residual(inner[idx]).pow(2).mean()
        l_ic = (net(ic_in) - ic_out).pow(2).mean()
        l_bc = net(bc_in).pow(2).mean()
        loss = W_PDE * l_pde + W_IC * l_ic + W_BC * l_bc
        opt.zero_grad()
        loss.backward()
        opt.step()
        scheduler.step()
    if epoch % 10 == 9:
        print("epoch", epoch + 1, "loss of last batch %.5f" % loss.item())

gx, gt = np.meshgrid(np.linspace(0, 1, 41), np.linspace(0, 1, 41))
grid = np.stack([gx.ravel(), gt.ravel()], axis=1).astype(np.float32)
with torch.no_grad():
    u = net(torch.from_numpy(grid)).numpy().ravel()
ref = exact(grid[:, 0], grid[:, 1])
print("relative L2 error %.4f" % (np.linalg.norm(u - ref) / np.linalg.norm(ref)))
