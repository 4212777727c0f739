"""Friedman regression in PyTorch with the layer norm, the Huber loss, AdamW and the warm-up by hand."""
import math
import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from sklearn.datasets import make_friedman1

torch.manual_seed(77)

X, t = make_friedman1(n_samples=1100, n_features=10, noise=0.5, random_state=5)
X = (2 * X - 1).astype(np.float32)
t = ((t - t[:800].mean()) / t[:800].std()).astype(np.float32)[:, None]
Xtr, ttr = torch.from_numpy(X[:800]), torch.from_numpy(t[:800])
Xte, tte = torch.from_numpy(X[800:]), torch.from_numpy(t[800:])


class Norm(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))

    def forward(self, h):
        centred = h - h.mean(dim=-1, keepdim=True)
        var = centred.square().mean(dim=-1, keepdim=True)
        return centred / torch.sqrt(var + 1e-5) * self.scale + self.shift


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.l1, self.n1 = nn.Linear(10, 48), Norm(48)
        self.l2, self.n2 = nn.Linear(48, 48), Norm(48)
        self.l3 = nn.Linear(48, 1)

    def forward(self, x):
        x = F.silu(self.n1(self.l1(x)))
        x = F.silu(self.n2(self.l2(x)))
        return self.l3(x)


def huber(pred, target, delta=0.7):
    e = (pred - target).abs()
    return torch.where(e <= delta, 0.5 * e * e, delta * (e - 0.5 * delta)).mean()


net = Net()
params = list(net.parameters())
LR, B1, B2, EPS, DECAY, WARM = 5e-3, 0.9, 0.98, 1e-8, 0.02, 60
m = [torch.zeros_like(p) for p in params]
v = [torch.zeros_like(p) for p in params]
step = 0

for epoch in range(20):
    running = 0.0
    order = torch.randperm(len(Xtr))
    for idx in order.split(48):
        loss = huber(net(Xtr[idx]), ttr[idx])
        grads = torch.autograd.grad(loss, params)
        step += 1
        lr = LR * min(1.0, step / WARM)
        with torch.no_grad():
            for p, g, mi, vi in zip(params, grads, m, v):
                p.mul_(1 - lr * DECAY)
                mi.mul_(B1).add_(g, alpha=1 - B1)
                vi.mul_(B2).addcmul_(g, g, value=1 - B2)
                m_hat = mi / (1 - B1 ** step)
                denom = vi.sqrt() / math.sqrt(1 - B2 ** step) + EPS
                p.sub_(lr * m_hat / denom)
        running += loss.item() * len(idx)
    print(f"epoch {epoch:2d}  huber {running / len(Xtr):.4f}")

with torch.no_grad():
    print(f"test huber {huber(net(Xte), tte).item():.4f}")
