import math

import numpy as np
import torch

g = np.random.default_rng(2024)
X = g.normal(size=(1000, 8)).astype("float32")
w = g.normal(size=(8, 3))
Y = np.tanh(X @ w[:, :1]) + 0.4 * np.cos(X @ w[:, 1:2]) + 0.1 * (X @ w[:, 2:])
Y = (Y + 0.05 * g.normal(size=Y.shape)).astype("float32")
Xtr, Ytr, Xte, Yte = map(torch.from_numpy, (X[:800], Y[:800], X[800:], Y[800:]))

EPOCHS, BATCH = 20, 48
gen = torch.Generator().manual_seed(31)
sizes = [8, 48, 24, 1]
params = []
for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
    r = 1.0 / math.sqrt(fan_in)
    params.append((torch.rand(fan_in, fan_out, generator=gen) * 2 * r - r).requires_grad_())
    params.append((torch.rand(fan_out, generator=gen) * 2 * r - r).requires_grad_())


def forward(x, drop):
    W1, b1, W2, b2, W3, b3 = params
    h = torch.clamp(x @ W1 + b1, min=0)
    if drop > 0:
        keep = (torch.rand(h.shape, generator=gen) >= drop).float()
        h = h * keep / (1 - drop)
    h = torch.clamp(h @ W2 + b2, min=0)
    return h @ W3 + b3


n = len(Xtr)
steps = EPOCHS * math.ceil(n / BATCH)
lr0, b1, b2, eps, wd = 5e-3, 0.9, 0.99, 1e-8, 0.05
m = [torch.zeros_like(p) for p in params]
v = [torch.zeros_like(p) for p in params]
t = 0
for epoch in range(EPOCHS):
    order = torch.randperm(n, generator=gen)
    total = 0.0
    for s in range(0, n, BATCH):
        idx = order[s:s + BATCH]
        loss = ((forward(Xtr[idx], 0.1) - Ytr[idx]) ** 2).mean()
        grads = torch.autograd.grad(loss, params)
        lr = 0.5 * lr0 * (1 + math.cos(math.pi * t / steps))
        t += 1
        with torch.no_grad():
            for p, gr, mi, vi in zip(params, grads, m, v):
                p.mul_(1 - lr * wd)
                mi.mul_(b1).add_(gr, alpha=1 - b1)
                vi.mul_(b2).addcmul_(gr, gr, value=1 - b2)
                m_hat = mi / (1 - b1 ** t)
                v_hat = vi / (1 - b2 ** t)
                p.sub_(lr * m_hat / (v_hat.sqrt() + eps))
        total += loss.item() * len(idx)
    if epoch % 5 == 4:
        print(f"{epoch + 1:3d} {total / n:.5f}")

with torch.no_grad():
    tr = ((forward(Xtr, 0.0) - Ytr) ** 2).mean().item()
    te = ((forward(Xte, 0.0) - Yte) ** 2).mean().item()
print(f"train {tr:.5f} test {te:.5f}")
