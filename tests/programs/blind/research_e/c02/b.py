"""Wasserstein GAN with gradient penalty on a ring of Gaussians (PyTorch)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(2024)

rng = np.random.default_rng(42)
angle = rng.integers(0, 8, 2000) * (2 * np.pi / 8)
real = np.stack([np.cos(angle), np.sin(angle)], 1) + 0.08 * rng.normal(size=(2000, 2))
real = torch.from_numpy(real.astype(np.float32))
z_eval = torch.from_numpy(rng.normal(size=(1000, 4)).astype(np.float32))

NZ, HID, BATCH, N_CRITIC, ROUNDS, LAMBDA = 4, 48, 128, 4, 110, 1.0


def init(m):
    if isinstance(m, nn.Linear):
        nn.init.xavier_uniform_(m.weight)
        if m.bias is not None:
            nn.init.zeros_(m.bias)


gen = nn.Sequential(nn.Linear(NZ, HID), nn.ReLU(), nn.Linear(HID, HID), nn.ReLU(), nn.Linear(HID, 2))
critic = nn.Sequential(
    nn.Linear(2, HID), nn.Tanh(), nn.Linear(HID, HID), nn.Tanh(), nn.Linear(HID, 1, bias=False)
)
gen.apply(init)
critic.apply(init)
opt_g = torch.optim.Adam(gen.parameters(), lr=1e-3, betas=(0.5, 0.9), eps=1e-8)
opt_d = torch.optim.Adam(critic.parameters(), lr=5e-3, betas=(0.5, 0.9), eps=1e-8)


def penalty(x, fake):
    u = torch.rand(len(x), 1)
    mid = (u * x + (1 - u) * fake).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(mid).sum(), mid, create_graph=True)
    norm = torch.sqrt(slope.pow(2).sum(1) + 1e-12)
    return ((norm - 1) ** 2).mean()


for k in range(ROUNDS):
    for _ in range(N_CRITIC):
        x = real[torch.randint(0, len(real), (BATCH,))]
        with torch.no_grad():
            fake = gen(torch.randn(BATCH, NZ))
        gap = critic(x).mean() - critic(fake).mean()
        loss_d = -gap + LAMBDA * penalty(x, fake)
        opt_d.zero_grad()
        loss_d.backward()
        opt_d.step()

    loss_g = -critic(gen(torch.randn(BATCH, NZ))).mean()
    opt_g.zero_grad()
    loss_g.backward()
    opt_g.step()
    if k % 22 == 21:
        print(f"round {k + 1}: critic gap {gap.item():.4f}")

with torch.no_grad():
    fake, ref = gen(z_eval), real[:1000]


def mean_dist(a, b):
    return (a[:, None] - b[None]).pow(2).sum(-1).sqrt().mean().item()


print(f"energy distance {2 * mean_dist(fake, ref) - mean_dist(fake, fake) - mean_dist(ref, ref):.4f}")
