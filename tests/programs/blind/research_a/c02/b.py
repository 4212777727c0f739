import numpy as np
import torch
from torch import nn
from torch.nn.functional import softplus
from torch.utils.data import DataLoader, TensorDataset

torch.manual_seed(7)

# a bent cloud of points
rng = np.random.default_rng(42)
u = rng.normal(size=(2560, 2))
real = np.stack([u[:, 0], 0.5 * u[:, 0] ** 2 - 0.5 + 0.3 * u[:, 1]], axis=1).astype(np.float32)

z_dim, width, gamma = 4, 48, 0.2


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.normal_(m.weight, 0.0, 0.15)
        nn.init.zeros_(m.bias)


G = nn.Sequential(nn.Linear(z_dim, width), nn.ReLU(),
                  nn.Linear(width, width), nn.ReLU(),
                  nn.Linear(width, 2)).apply(init)
D = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(0.2),
                  nn.Linear(width, width), nn.LeakyReLU(0.2),
                  nn.Linear(width, 1)).apply(init)

opt_g = torch.optim.Adam(G.parameters(), lr=2e-3, betas=(0.5, 0.99), eps=1e-12)
opt_d = torch.optim.Adam(D.parameters(), lr=4e-3, betas=(0.5, 0.99), eps=1e-12)


def d_step(x):
    with torch.no_grad():
        fake = G(torch.randn(len(x), z_dim))
    x = x.clone().requires_grad_(True)
    d_real = D(x)
    grad, = torch.autograd.grad(d_real.sum(), x, create_graph=True)
    r1 = grad.square().sum(dim=1).mean()
    loss = softplus(-d_real).mean() + softplus(D(fake)).mean() + gamma / 2 * r1
    opt_d.zero_grad()
    loss.backward()
    opt_d.step()
    return loss.item(), r1.item()


def g_step(n):
    loss = softplus(-D(G(torch.randn(n, z_dim)))).mean()
    opt_g.zero_grad()
    loss.backward()
    opt_g.step()
    return loss.item()


# ---- training
loader = DataLoader(TensorDataset(torch.from_numpy(real)), batch_size=128, shuffle=True)
for epoch in range(14):
    for (x,) in loader:
        d_loss, r1 = d_step(x)
        g_loss = g_step(len(x))
    print(f"epoch {epoch + 1}: d_loss {d_loss:.4f} g_loss {g_loss:.4f} r1 {r1:.4f}")

z = np.random.default_rng(1).normal(size=(4000, z_dim)).astype(np.float32)
with torch.no_grad():
    sample = G(torch.from_numpy(z)).numpy()
print("mean real", real.mean(0), "fake", sample.mean(0))
print("cov error %.4f" % np.abs(np.cov(real.T) - np.cov(sample.T)).max())
print("corr(x^2, y): real %.3f fake %.3f" % (np.corrcoef(real[:, 0] ** 2, real[:, 1])[0, 1],
                                             np.corrcoef(sample[:, 0] ** 2, sample[:, 1])[0, 1]))
