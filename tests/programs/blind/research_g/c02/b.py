"""GAN with an R1 gradient penalty on a ring of Gaussians. PyTorch, two optimizers."""
import numpy as np
import torch
from torch import nn
import torch.nn.functional as F

torch.manual_seed(31)
torch.set_num_threads(1)

N, BATCH, EPOCHS, NOISE, GAMMA = 2048, 128, 18, 4, 0.05

rng = np.random.default_rng(7)
angles = rng.integers(0, 6, N) * (2 * np.pi / 6)
centres = np.stack([np.cos(angles), np.sin(angles)], axis=1) * 1.5
data = torch.from_numpy((centres + 0.12 * rng.standard_normal((N, 2))).astype(np.float32))


def mlp(sizes, slope):
    mods = []
    for i, o in zip(sizes[:-2], sizes[1:-1]):
        lin = nn.Linear(i, o)
        nn.init.kaiming_uniform_(lin.weight, a=0.0, mode="fan_in", nonlinearity="relu")
        nn.init.zeros_(lin.bias)
        mods += [lin, nn.LeakyReLU(slope)]
    head = nn.Linear(sizes[-2], sizes[-1])
    nn.init.xavier_uniform_(head.weight)
    nn.init.zeros_(head.bias)
    return nn.Sequential(*mods, head)


gen = mlp([NOISE, 64, 64, 2], 0.1)
disc = mlp([2, 64, 64, 1], 0.2)
g_opt = torch.optim.Adam(gen.parameters(), lr=2e-3, betas=(0.5, 0.99), eps=1e-12)
d_opt = torch.optim.Adam(disc.parameters(), lr=4e-3, betas=(0.5, 0.99), eps=1e-12)


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def energy_distance(p, q):
    def mean_dist(u, v):
        return np.linalg.norm(u[:, None] - v[None], axis=2).mean()
    return 2.0 * mean_dist(p, q) - mean_dist(p, p) - mean_dist(q, q)


@torch.no_grad()
def draw(n=1000):
    return gen(torch.randn(n, NOISE)).numpy()


before = energy_distance(draw(), data[:1000].numpy())
for epoch in range(EPOCHS):
    dl, gl = [], []
    for idx in torch.randperm(N).split(BATCH):
        real = data[idx].requires_grad_(True)
        n = len(idx)

        # discriminator
        with torch.no_grad():
            fake = gen(torch.randn(n, NOISE))
        d_real = disc(real)
        slope, = torch.autograd.grad(d_real.sum(), real, create_graph=True)
        r1 = slope.square().sum(dim=1).mean()
        d_loss = bce(d_real, 0.9) + bce(disc(fake), 0.0) + 0.5 * GAMMA * r1
        d_opt.zero_grad()
        d_loss.backward()
        d_opt.step()

        # generator, with fresh noise
        g_loss = bce(disc(gen(torch.randn(n, NOISE))), 1.0)
        g_opt.zero_grad()
        g_loss.backward()
        g_opt.step()
        dl.append(d_loss.item())
        gl.append(g_loss.item())
    print(f"epoch {epoch + 1:2d}  D {np.mean(dl):.4f}  G {np.mean(gl):.4f}")

sample = draw()
print(f"energy distance: untrained {before:.4f}  trained {energy_distance(sample, data[:1000].numpy()):.4f}  "
      f"mean radius {np.linalg.norm(sample, axis=1).mean():.3f}")
