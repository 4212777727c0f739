"""Unbalanced clusters, PyTorch tensors only: normalisation over the batch, the weighted loss
and the Adagrad update are written down."""
import math

import numpy as np
import torch

CLASS_WEIGHTS = torch.tensor([0.5, 1.0, 2.0, 4.0])
SIZES = [6, 40, 24, 4]
LR, ACC0, EPS = 0.05, 0.1, 1e-10
BN_EPS, BN_NEW = 1e-5, 0.1
BATCH, EPOCHS = 64, 18


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    y = rng.choice(4, size=n, p=[0.55, 0.25, 0.13, 0.07])
    angle = rng.uniform(0, 2 * np.pi, size=n)
    radius = 1.0 + 0.8 * y + 0.25 * rng.normal(size=n)
    x = np.concatenate([
        (radius * np.cos(angle))[:, None], (radius * np.sin(angle))[:, None],
        rng.normal(size=(n, 4))], axis=1)
    return torch.tensor(x, dtype=torch.float32), torch.tensor(y, dtype=torch.int64)


def make_params():
    params, stats = {}, {}
    for k, (i, o) in enumerate(zip(SIZES[:-1], SIZES[1:])):
        params[f"w{k}"] = torch.randn(i, o) * math.sqrt(2.0 / (i + o))
        if k < len(SIZES) - 2:
            params[f"gamma{k}"] = torch.ones(o)
            params[f"beta{k}"] = torch.zeros(o)
            stats[f"mean{k}"] = torch.zeros(o)
            stats[f"var{k}"] = torch.ones(o)
        else:
            params[f"b{k}"] = torch.zeros(o)
    for p in params.values():
        p.requires_grad_()
    return params, stats


def batch_norm(h, k, params, stats, training):
    if training:
        n = len(h)
        mean = h.mean(0)
        var = ((h - mean) ** 2).mean(0)
        with torch.no_grad():
            stats[f"mean{k}"] += BN_NEW * (mean - stats[f"mean{k}"])
            stats[f"var{k}"] += BN_NEW * (var * n / (n - 1) - stats[f"var{k}"])
    else:
        mean, var = stats[f"mean{k}"], stats[f"var{k}"]
    return (h - mean) / torch.sqrt(var + BN_EPS) * params[f"gamma{k}"] + params[f"beta{k}"]


def forward(x, params, stats, training):
    for k in (0, 1):
        x = torch.relu(batch_norm(x @ params[f"w{k}"], k, params, stats, training))
    return x @ params["w2"] + params["b2"]


def criterion(logits, y):
    nll = torch.logsumexp(logits, dim=1) - logits.gather(1, y[:, None]).squeeze(1)
    w = CLASS_WEIGHTS[y]
    return (w * nll).sum() / w.sum()


def main():
    torch.manual_seed(21)
    x, y = make_data(1300, 1)
    xt, yt = make_data(700, 2)
    params, stats = make_params()
    print("weights:", sum(p.numel() for p in params.values()))
    acc = {name: torch.full_like(p, ACC0) for name, p in params.items()}
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(x)).split(BATCH):
            loss = criterion(forward(x[idx], params, stats, True), y[idx])
            grads = torch.autograd.grad(loss, list(params.values()))
            with torch.no_grad():
                for (name, p), g in zip(params.items(), grads):
                    acc[name] += g * g
                    p -= LR * g / (acc[name].sqrt() + EPS)
            total += loss.item() * len(idx)
        print(f"epoch {epoch + 1:2d}  loss {total / len(x):.4f}")
    with torch.no_grad():
        out = forward(xt, params, stats, False)
        print(f"test loss {criterion(out, yt).item():.4f}  accuracy {(out.argmax(1) == yt).float().mean().item():.4f}")


if __name__ == "__main__":
    main()
