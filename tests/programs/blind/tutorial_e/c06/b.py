"""Collaborative filtering: biased matrix factorisation with plain tensors and a hand-written SGD."""
import numpy as np
import torch

USERS, ITEMS, DIM = 150, 100, 6
STEP_SIZE, LAMBDA = 4.0, 2e-4


def make_ratings():
    rng = np.random.default_rng(12)
    p = rng.normal(0, 0.7, (USERS, 3))
    q = rng.normal(0, 0.7, (ITEMS, 3))
    bu, bi = rng.normal(0, 0.4, USERS), rng.normal(0, 0.5, ITEMS)
    pairs = rng.choice(USERS * ITEMS, size=6000, replace=False)
    u, i = pairs // ITEMS, pairs % ITEMS
    r = 3.4 + bu[u] + bi[i] + (p[u] * q[i]).sum(1) + rng.normal(0, 0.3, 6000)
    r = np.clip(np.round(r * 2) / 2, 0.5, 5.0).astype("float32")
    cut = 5000
    return (u[:cut], i[:cut], r[:cut]), (u[cut:], i[cut:], r[cut:])


torch.manual_seed(0)
(ut, it, rt), (uv, iv, rv) = make_ratings()
mean = float(rt.mean())
ut, it, rt, uv, iv, rv = map(torch.from_numpy, (ut, it, rt, uv, iv, rv))

P = (0.1 * torch.randn(USERS, DIM)).requires_grad_()
Q = (0.1 * torch.randn(ITEMS, DIM)).requires_grad_()
bu = torch.zeros(USERS, requires_grad=True)
bi = torch.zeros(ITEMS, requires_grad=True)
tables = [P, Q, bu, bi]


def predict(u, i):
    return mean + torch.einsum("bd,bd->b", P[u], Q[i]) + bu[u] + bi[i]


for epoch in range(20):
    order = torch.randperm(len(rt))
    seen = 0.0
    for chunk in order.split(200):
        err = predict(ut[chunk], it[chunk]) - rt[chunk]
        mse = (err ** 2).mean()
        penalty = 0.5 * LAMBDA * sum((w ** 2).sum() for w in tables)
        grads = torch.autograd.grad(mse + penalty, tables)
        with torch.no_grad():
            for w, g in zip(tables, grads):
                w -= STEP_SIZE * g
        seen += mse.item() * len(chunk)
    print(f"epoch {epoch:2d} train MSE {seen / len(rt):.4f}")

with torch.no_grad():
    test_mse = ((predict(uv, iv) - rv) ** 2).mean().item()
print(f"test MSE {test_mse:.4f}  (variance {rv.var().item():.4f})")
