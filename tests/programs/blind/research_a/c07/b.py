"""SimCLR-like training of a small network, tensors only: no nn.Module, no torch.optim."""
import math

import numpy as np
import torch

gen = torch.Generator().manual_seed(31)


def make_waves(n, rng):
    kind = rng.integers(0, 6, n)
    grid = np.linspace(0, 1, 32, endpoint=False)
    freq = np.array([1, 2, 3, 1, 2, 3])[kind][:, None]
    arg = 2 * np.pi * freq * (grid[None] + rng.uniform(0, 0.15, (n, 1)))
    wave = np.where(kind[:, None] < 3, np.sin(arg), np.sign(np.sin(arg)))
    wave = wave * rng.uniform(0.6, 1.4, (n, 1)) + 0.25 * rng.normal(size=(n, 32))
    return wave.astype(np.float32), kind


rng = np.random.default_rng(99)
train_np, k_train = make_waves(1500, rng)
test_np, k_test = make_waves(500, rng)
train, test = torch.tensor(train_np), torch.tensor(test_np)


def uniform(shape, bound):
    return ((2 * torch.rand(shape, generator=gen) - 1) * bound).requires_grad_()


p = {}
for name, n_in, n_out in [("1", 32, 64), ("2", 64, 48)]:
    p["w" + name] = uniform((n_in, n_out), 1 / math.sqrt(n_in))
    p["b" + name] = uniform((n_out,), 1 / math.sqrt(n_in))
    p["scale" + name] = torch.ones(n_out, requires_grad=True)
    p["shift" + name] = torch.zeros(n_out, requires_grad=True)
p["proj"] = uniform((48, 16), 1 / math.sqrt(48))


def layer_norm(h, scale, shift):
    centred = h - h.mean(dim=-1, keepdim=True)
    var = (centred ** 2).mean(dim=-1, keepdim=True)
    return centred / torch.sqrt(var + 1e-5) * scale + shift


def features(x):
    for k in "12":
        x = x @ p["w" + k] + p["b" + k]
        x = layer_norm(x, p["scale" + k], p["shift" + k]).clamp(min=0)
    return x


def unit(v):
    return v / v.norm(dim=1, keepdim=True).clamp_min(1e-12)


def view(x):
    x = x + 0.3 * torch.randn(x.shape, generator=gen)
    return torch.where(torch.rand(x.shape, generator=gen) < 0.25, torch.zeros_like(x), x)


def contrastive_loss(x, tau=0.2):
    za = unit(features(view(x)) @ p["proj"])
    zb = unit(features(view(x)) @ p["proj"])
    n = len(x)
    ab = torch.einsum("id,jd->ij", za, zb) / tau
    aa = torch.einsum("id,jd->ij", za, za) / tau
    bb = torch.einsum("id,jd->ij", zb, zb) / tau
    self_pair = torch.eye(n, dtype=torch.bool)
    aa = aa.masked_fill(self_pair, -torch.inf)
    bb = bb.masked_fill(self_pair, -torch.inf)
    pos = ab.diagonal()
    from_a = torch.logsumexp(torch.cat([aa, ab], dim=1), dim=1) - pos
    from_b = torch.logsumexp(torch.cat([bb, ab.T], dim=1), dim=1) - pos
    return 0.5 * (from_a.mean() + from_b.mean())


square_avg = {k: torch.zeros_like(v) for k, v in p.items()}


def train_step(x, lr=5e-4, rho=0.95, eps=1e-6):
    loss = contrastive_loss(x)
    grads = torch.autograd.grad(loss, list(p.values()))
    with torch.no_grad():
        for (k, v), g in zip(p.items(), grads):
            square_avg[k].mul_(rho).add_((1 - rho) * g * g)
            v -= lr * g / (square_avg[k].sqrt() + eps)
    return loss.item()


@torch.no_grad()
def knn_accuracy():
    a, b = unit(features(train)), unit(features(test))
    near = (b @ a.T).topk(5, dim=1).indices.numpy()
    votes = np.array([np.bincount(row, minlength=6).argmax() for row in k_train[near]])
    return np.mean(votes == k_test)


# ---- training
print(f"kNN accuracy at start {knn_accuracy():.3f}")
for epoch in range(1, 31):
    order = torch.randperm(len(train), generator=gen)
    values = [train_step(train[ids]) for ids in order.split(128)]
    if epoch % 5 == 0:
        print(f"epoch {epoch} loss {np.mean(values):.4f} kNN {knn_accuracy():.3f}")
