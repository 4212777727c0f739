"""Digits, small convolutional net in PyTorch. The regularisation, the learning-rate curve
and the decoupled-decay Adam update are written out."""
import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_digits
from torch import nn

BATCH, EPOCHS, CLASSES = 50, 15, 10
WARMUP, TOTAL, PEAK, DECAY, SMOOTH, DROP = 45, 420, 4e-3, 0.02, 0.1, 0.25
B1, B2, EPS = 0.9, 0.99, 1e-7


def load():
    d = load_digits()
    order = np.random.RandomState(100).permutation(len(d.target))
    x = (d.images[order] / 16.0).astype("float32")
    y = d.target[order].astype("int64")
    return x[:1400], y[:1400], x[1400:], y[1400:]


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1 = nn.Conv2d(1, 12, 3, padding=1)
        self.c2 = nn.Conv2d(12, 24, 3, padding=1)
        self.out = nn.Linear(24 * 2 * 2, CLASSES)
        for layer in (self.c1, self.c2, self.out):
            nn.init.xavier_uniform_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, x):
        h = F.max_pool2d(F.relu(self.c1(x)), 2)
        h = F.max_pool2d(F.relu(self.c2(h)), 2)
        h = h.flatten(1)
        if self.training:
            keep = (torch.rand_like(h) >= DROP).float()
            h = h * keep / (1.0 - DROP)
        return self.out(h)


def rate(step):
    """step counts from 0; linear up to the peak, then half a cosine down to 0."""
    if step < WARMUP:
        return PEAK * step / WARMUP
    done = min(step - WARMUP, TOTAL - WARMUP) / (TOTAL - WARMUP)
    return PEAK * 0.5 * (1.0 + math.cos(math.pi * done))


def smoothed_cross_entropy(logits, y):
    target = torch.full_like(logits, SMOOTH / CLASSES)
    target[torch.arange(len(y)), y] += 1.0 - SMOOTH
    return -(target * torch.log_softmax(logits, dim=1)).sum(dim=1).mean()


def main():
    torch.manual_seed(2)
    x, y, xt, yt = (torch.from_numpy(v) for v in load())
    x, xt = x.unsqueeze(1), xt.unsqueeze(1)
    model = Net()
    named = list(model.named_parameters())
    first = {n: torch.zeros_like(p) for n, p in named}
    second = {n: torch.zeros_like(p) for n, p in named}
    print("weights", sum(p.numel() for _, p in named))
    step = 0
    for e in range(EPOCHS):
        model.train()
        order = torch.randperm(len(x))
        total = 0.0
        for s in range(0, len(x), BATCH):
            idx = order[s:s + BATCH]
            loss = smoothed_cross_entropy(model(x[idx]), y[idx])
            model.zero_grad()
            loss.backward()
            lr = rate(step)
            step += 1
            lr_t = lr * math.sqrt(1 - B2 ** step) / (1 - B1 ** step)
            with torch.no_grad():
                for n, p in named:
                    if not n.endswith("bias"):
                        p.mul_(1.0 - lr * DECAY)
                    first[n].mul_(B1).add_(p.grad, alpha=1 - B1)
                    second[n].mul_(B2).add_(p.grad ** 2, alpha=1 - B2)
                    p.sub_(lr_t * first[n] / (second[n].sqrt() + EPS))
            total += loss.item() * len(idx)
        print(f"epoch {e + 1}: loss {total / len(x):.4f}")
    model.eval()
    with torch.no_grad():
        logits = model(xt)
        acc = (logits.argmax(1) == yt).float().mean().item()
        print(f"test loss {smoothed_cross_entropy(logits, yt).item():.4f} accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
