"""Film ratings: the same factor model from bare tensors, with the update written out."""
import numpy as np
import torch

gen = torch.Generator().manual_seed(90)

USERS, FILMS, RANK = 80, 50, 5
RATE, LAMBDA, BATCH, EPOCHS = 3.0, 0.02, 100, 20


def ratings(seed=13):
    rng = np.random.default_rng(seed)
    p, q = rng.normal(0, 0.7, (USERS, 3)), rng.normal(0, 0.7, (FILMS, 3))
    bu, bf = rng.normal(0, 0.4, USERS), rng.normal(0, 0.5, FILMS)
    cells = rng.permutation(USERS * FILMS)[:3000]
    u, f = cells // FILMS, cells % FILMS
    r = 3.2 + bu[u] + bf[f] + (p[u] * q[f]).sum(1) + rng.normal(0, 0.3, len(u))
    return u, f, np.clip(r, 0.5, 5.0).astype("float32")


u, f, r = (torch.from_numpy(v) for v in ratings())
n_train = 2400
mu = r[:n_train].mean().item()

P = (0.1 * torch.randn(USERS, RANK, generator=gen)).requires_grad_()
Q = (0.1 * torch.randn(FILMS, RANK, generator=gen)).requires_grad_()
B = torch.zeros(USERS, requires_grad=True)
C = torch.zeros(FILMS, requires_grad=True)
params = [P, Q, B, C]


def predict(i):
    return mu + B[u[i]] + C[f[i]] + torch.einsum("nk,nk->n", P[u[i]], Q[f[i]])


def penalty(i):
    pu, qf = P[u[i]], Q[f[i]]
    return (pu.square().sum() + qf.square().sum() + B[u[i]].square().sum() + C[f[i]].square().sum()) / len(i)


for epoch in range(EPOCHS):
    total = 0.0
    for i in torch.randperm(n_train, generator=gen).split(BATCH):
        mse = (predict(i) - r[i]).square().mean()
        grads = torch.autograd.grad(mse + LAMBDA * penalty(i), params)
        with torch.no_grad():
            for w, g in zip(params, grads):
                w -= RATE * g
        total += mse.item() * len(i)
    print(f"epoch {epoch + 1:2d}  train mse {total / n_train:.4f}")

with torch.no_grad():
    held_out = torch.arange(n_train, len(r))
    rmse = (predict(held_out) - r[held_out]).square().mean().sqrt()
print(f"test rmse {rmse.item():.4f}")
