"""Estimate the Wasserstein-1 distance of two point clouds with a penalised critic (torch)."""
import numpy as np
import torch
from torch import nn

torch.manual_seed(88)

rng = np.random.default_rng(12)
n = 1024
angle = 2 * np.pi * rng.integers(0, 8, size=n) / 8
ring = 1.5 * np.column_stack([np.cos(angle), np.sin(angle)]) + 0.08 * rng.normal(size=(n, 2))
blob = np.array([0.8, 0.3]) + 0.4 * rng.normal(size=(n, 2))
ring, blob = torch.from_numpy(ring.astype(np.float32)), torch.from_numpy(blob.astype(np.float32))


class Critic(nn.Module):
    def __init__(self, width=48):
        super().__init__()
        self.net = nn.Sequential(
            nn.Linear(2, width), nn.LeakyReLU(0.2),
            nn.Linear(width, width), nn.LeakyReLU(0.2),
            nn.Linear(width, 1, bias=False),
        )
        self.apply(self.reset)

    @staticmethod
    def reset(m):
        if isinstance(m, nn.Linear):
            nn.init.xavier_uniform_(m.weight)
            if m.bias is not None:
                nn.init.zeros_(m.bias)

    def forward(self, x):
        return self.net(x).squeeze(1)


def penalty(f, a, b):
    u = torch.rand(a.shape[0], 1)
    mid = (u * a + (1 - u) * b).requires_grad_(True)
    (slope,) = torch.autograd.grad(f(mid).sum(), mid, create_graph=True)
    norm = (slope.pow(2).sum(dim=1) + 1e-12).sqrt()
    return ((norm - 1) ** 2).mean()


f = Critic()
shadow = {k: v.detach().clone() for k, v in f.state_dict().items()}
f_avg = Critic()
opt = torch.optim.Adam(f.parameters(), lr=2e-3, betas=(0.5, 0.9), eps=1e-12)
decay, lam = 0.98, 5.0


@torch.no_grad()
def distance(critic):
    return (critic(ring).mean() - critic(blob).mean()).item()


print("start: distance %.4f" % distance(f))
for epoch in range(25):
    losses = []
    for idx in torch.randperm(n).split(64):
        a, b = ring[idx], blob[idx]
        loss = f(b).mean() - f(a).mean() + lam * penalty(f, a, b)
        opt.zero_grad()
        loss.backward()
        opt.step()
        for k, v in f.state_dict().items():
            shadow[k].lerp_(v, 1 - decay)
        losses.append(loss.item())
    if epoch % 6 == 0 or epoch == 24:
        f_avg.load_state_dict(shadow)
        print("epoch %d loss %.4f distance %.4f averaged %.4f"
              % (epoch, np.mean(losses), distance(f), distance(f_avg)))
