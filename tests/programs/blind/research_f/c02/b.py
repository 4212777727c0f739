"""WGAN with gradient penalty on a ring of Gaussians (PyTorch)."""
import numpy as np
import torch
import torch.nn as nn
from torch.utils.data import DataLoader

torch.manual_seed(88)
torch.set_num_threads(1)

NOISE, WIDTH = 4, 32
BATCH, EPOCHS, CRITIC_STEPS, GP = 64, 4, 3, 1.0


def ring(n, seed):
    rng = np.random.default_rng(seed)
    k = rng.integers(0, 6, n)
    ang = 2 * np.pi * k / 6
    centre = np.stack([1.5 + np.cos(ang), -1.0 + np.sin(ang)], 1)
    return (centre + 0.1 * rng.normal(size=(n, 2))).astype("float32")


real, held_out = ring(1920, 1), ring(500, 2)


def glorot(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        nn.init.zeros_(m.bias)


G = nn.Sequential(nn.Linear(NOISE, WIDTH), nn.ReLU(),
                  nn.Linear(WIDTH, WIDTH), nn.ReLU(),
                  nn.Linear(WIDTH, 2)).apply(glorot)
C = nn.Sequential(nn.Linear(2, WIDTH), nn.LeakyReLU(0.2),
                  nn.Linear(WIDTH, WIDTH), nn.LeakyReLU(0.2),
                  nn.Linear(WIDTH, 1)).apply(glorot)

opt_c = torch.optim.Adam(C.parameters(), lr=5e-3, betas=(0.5, 0.9), eps=1e-12)
opt_g = torch.optim.Adam(G.parameters(), lr=1.5e-3, betas=(0.5, 0.9), eps=1e-12)


def gradient_penalty(x, fake):
    u = torch.rand(len(x), 1)
    mix = (u * x + (1 - u) * fake).requires_grad_(True)
    grad, = torch.autograd.grad(C(mix).sum(), mix, create_graph=True)
    norm = (grad.pow(2).sum(1) + 1e-12).sqrt()
    return ((norm - 1) ** 2).mean()


def critic_loss(x, fake):
    wass = C(x).mean() - C(fake).mean()
    return -wass + GP * gradient_penalty(x, fake), wass


def generator_loss(n):
    return -C(G(torch.randn(n, NOISE))).mean()


def energy_distance(a, b):
    d = lambda p, q: np.sqrt(((p[:, None] - q[None]) ** 2).sum(-1)).mean()
    return 2 * d(a, b) - d(a, a) - d(b, b)


@torch.no_grad()
def evaluate():
    fake = G(torch.randn(500, NOISE)).numpy()
    return energy_distance(fake, held_out), fake.mean(0)


loader = DataLoader(torch.from_numpy(real), batch_size=BATCH, shuffle=True)

# ---- training
print("before", evaluate())
for epoch in range(EPOCHS):
    for x in loader:
        for _ in range(CRITIC_STEPS):
            with torch.no_grad():
                fake = G(torch.randn(len(x), NOISE))
            loss_c, wass = critic_loss(x, fake)
            opt_c.zero_grad()
            loss_c.backward()
            opt_c.step()
        loss_g = generator_loss(len(x))
        opt_g.zero_grad()
        loss_g.backward()
        opt_g.step()
    print(f"epoch {epoch + 1}: critic {loss_c.item():.4f} wasserstein {wass.item():.4f} "
          f"generator {loss_g.item():.4f}")
print("after", evaluate())
