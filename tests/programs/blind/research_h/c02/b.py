# Toy GAN, points near a circle. PyTorch, two optimisers, R1 regularisation.
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(4)

rng = np.random.default_rng(7)
angle = rng.uniform(0, 2 * np.pi, 1600)
radius = 1.0 + 0.08 * rng.normal(size=1600)
real = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1).astype("float32")
real_t = torch.from_numpy(real)

nz, gamma, bs = 2, 0.2, 100


def init(net):
    linears = [m for m in net if isinstance(m, nn.Linear)]
    for m in linears[:-1]:
        nn.init.kaiming_uniform_(m.weight, a=0, nonlinearity="relu")
    nn.init.xavier_uniform_(linears[-1].weight)
    for m in linears:
        nn.init.zeros_(m.bias)
    return net


G = init(nn.Sequential(nn.Linear(nz, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 2)))
D = init(nn.Sequential(nn.Linear(2, 64), nn.LeakyReLU(0.2), nn.Linear(64, 64), nn.LeakyReLU(0.2),
                       nn.Linear(64, 1)))
opt_d = torch.optim.Adam(D.parameters(), lr=1e-2, betas=(0.5, 0.9), eps=1e-12)
opt_g = torch.optim.Adam(G.parameters(), lr=1e-3, betas=(0.5, 0.9), eps=1e-12)

for epoch in range(1, 19):
    perm = torch.randperm(len(real_t))
    sums = np.zeros(2)
    for i in range(0, len(perm), bs):
        x = real_t[perm[i:i + bs]].requires_grad_(True)
        n = len(x)

        with torch.no_grad():
            fake = G(torch.randn(n, nz))
        s_real, s_fake = D(x), D(fake)
        grad_x, = torch.autograd.grad(s_real.sum(), x, create_graph=True)
        penalty = grad_x.pow(2).sum(dim=1).mean()
        loss_d = F.softplus(-s_real).mean() + F.softplus(s_fake).mean() + gamma / 2 * penalty
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()

        loss_g = F.softplus(-D(G(torch.randn(n, nz)))).mean()
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
        sums += n * np.array([loss_d.item(), loss_g.item()])
    print("epoch %d d_loss %.4f g_loss %.4f" % (epoch, *(sums / len(real_t))))

with torch.no_grad():
    samples = G(torch.randn(1000, nz)).numpy()
off = np.abs(np.linalg.norm(samples, axis=1) - 1.0).mean()
sector = np.floor((np.arctan2(samples[:, 1], samples[:, 0]) + np.pi) / (2 * np.pi) * 8).astype(int) % 8
print("mean distance to the circle: %.4f" % off)
print("smallest share of an octant: %.4f" % (np.bincount(sector, minlength=8).min() / 1000))
