"""Multi-label MLP on bare tensors: layer norm, loss, penalty, clipping and momentum by hand."""
import math

import numpy as np
import torch

BATCH, EPOCHS = 48, 20
LR, MOMENTUM, CLIP, L2 = 0.1, 0.9, 0.25, 5e-4
SIZES = [18, 56, 28, 5]


def make_labels(n, rng, proto):
    """Each row switches several of the 5 labels on; features mix their prototypes."""
    y = (rng.random((n, 5)) < 0.4).astype("float32")
    x = y @ proto + 0.5 * np.roll(y, 1, axis=1) * y @ proto[::-1] + 1.2 * rng.normal(size=(n, 18))
    return x.astype("float32"), y


def init_params():
    p = {}
    for k, (n_in, n_out) in enumerate(zip(SIZES[:-1], SIZES[1:])):
        a = math.sqrt(6.0 / (n_in + n_out))
        p[f"w{k}"] = torch.empty(n_in, n_out).uniform_(-a, a)
        p[f"b{k}"] = torch.zeros(n_out)
        if k < 2:
            p[f"gamma{k}"] = torch.ones(n_out)
            p[f"beta{k}"] = torch.zeros(n_out)
    return {name: t.requires_grad_() for name, t in p.items()}


def layer_norm(x, gamma, beta):
    mean = x.mean(dim=1, keepdim=True)
    var = x.var(dim=1, unbiased=False, keepdim=True)
    return gamma * (x - mean) * torch.rsqrt(var + 1e-5) + beta


def forward(p, x):
    for k in range(2):
        x = torch.relu(layer_norm(x @ p[f"w{k}"] + p[f"b{k}"], p[f"gamma{k}"], p[f"beta{k}"]))
    return x @ p["w2"] + p["b2"]


def bce(z, y):
    return (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def train_step(p, velocity, x, y):
    loss = bce(forward(p, x), y) + L2 * sum((p[f"w{k}"] ** 2).sum() for k in range(3))
    grads = torch.autograd.grad(loss, list(p.values()))
    norm = torch.sqrt(sum((g ** 2).sum() for g in grads))
    scale = min(1.0, CLIP / norm.item())
    with torch.no_grad():
        for name, g in zip(p, grads):
            velocity[name] = MOMENTUM * velocity[name] - LR * scale * g
            p[name] += velocity[name]
    return loss.item()


def main():
    rng = np.random.default_rng(64)
    proto = rng.normal(size=(5, 18))
    x, y = map(torch.from_numpy, make_labels(700, rng, proto))
    xt, yt = map(torch.from_numpy, make_labels(300, rng, proto))

    torch.manual_seed(12)
    p = init_params()
    velocity = {name: torch.zeros_like(t) for name, t in p.items()}
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(x)).split(BATCH):
            total += train_step(p, velocity, x[idx], y[idx]) * len(idx)
        print(f"epoch {epoch + 1}: loss {total / len(x):.4f}")

    with torch.no_grad():
        z = forward(p, xt)
        print(f"test bce {bce(z, yt).item():.4f} label acc {((z > 0) == (yt > 0.5)).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
