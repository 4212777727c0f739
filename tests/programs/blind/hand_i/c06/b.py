"""Rare-event detection, PyTorch: weights per class, accumulation over four micro batches
and the RMSprop step, all by hand."""
import numpy as np
import torch
from torch import nn

MICRO, ACCUM, EPOCHS = 16, 4, 11
WEIGHTS = {0: 0.6, 1: 3.0}
LR, RHO, EPS = 0.006, 0.9, 1e-7


def make_data(n, seed):
    rng = np.random.RandomState(seed)
    x = rng.normal(size=(n, 8))
    score = x[:, 0] * x[:, 1] + 0.8 * x[:, 2] - 0.5 * x[:, 3] ** 2
    y = (score + 0.2 * rng.normal(size=n) > 0.7).astype("float32")
    return x.astype("float32"), y[:, None]


def build():
    model = nn.Sequential(nn.Linear(8, 32), nn.Tanh(), nn.Linear(32, 16), nn.ELU(), nn.Linear(16, 1))
    for layer in model:
        if isinstance(layer, nn.Linear):
            bound = (6.0 / layer.in_features) ** 0.5
            nn.init.uniform_(layer.weight, -bound, bound)
            nn.init.zeros_(layer.bias)
    return model


def weighted_loss(z, y):
    w = torch.where(y > 0.5, WEIGHTS[1], WEIGHTS[0])
    bce = z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))
    return (w * bce).sum() / len(y)


@torch.no_grad()
def report(name, model, x, y):
    z = model(x)
    recall = ((z > 0) & (y > 0.5)).sum() / (y > 0.5).sum()
    print(f"{name}: weighted loss {weighted_loss(z, y).item():.4f}  recall {recall.item():.4f}"
          f"  accuracy {((z > 0) == (y > 0.5)).float().mean().item():.4f}")


def main():
    torch.manual_seed(8)
    x, y = (torch.from_numpy(v) for v in make_data(832, 5))
    xt, yt = (torch.from_numpy(v) for v in make_data(800, 6))
    print("positive share", y.mean().item())
    model = build()
    params = list(model.parameters())
    square = [torch.zeros_like(p) for p in params]
    bucket = [torch.zeros_like(p) for p in params]
    seen = 0
    for e in range(EPOCHS):
        order = torch.randperm(len(x))
        total = 0.0
        for s in range(0, len(x), MICRO):
            idx = order[s:s + MICRO]
            loss = weighted_loss(model(x[idx]), y[idx])
            for b, g in zip(bucket, torch.autograd.grad(loss, params)):
                b += g
            seen += 1
            if seen % ACCUM == 0:
                with torch.no_grad():
                    for p, b, v in zip(params, bucket, square):
                        g = b / ACCUM
                        v.copy_(RHO * v + (1 - RHO) * g * g)
                        p -= LR * g / torch.sqrt(v + EPS)
                        b.zero_()
            total += loss.item() * len(idx)
        print(f"epoch {e + 1:2d}: {total / len(x):.4f}")
    report("train", model, x, y)
    report("test", model, xt, yt)


if __name__ == "__main__":
    main()
