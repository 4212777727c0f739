"""Mixture-density network on a minimal gated recurrent cell stepped in Python.
Functional PyTorch: a dict of tensors, torch.func for gradients, Adamax written out."""
import math
import numpy as np
import torch
from torch.func import grad_and_value

gen = torch.Generator().manual_seed(1234)
torch.set_num_threads(1)

N, LENGTH, BATCH, EPOCHS, HIDDEN, COMPONENTS = 600, 18, 50, 20, 24, 3
LR, B1, B2, EPS = 8e-3, 0.9, 0.999, 1e-8

rng = np.random.default_rng(30)
series = np.zeros((N + 150, LENGTH + 1))
series[:, 0] = rng.uniform(-1, 1, N + 150)
velocity = rng.choice([-0.3, 0.3], N + 150)
for k in range(1, LENGTH + 1):
    flip = rng.random(N + 150) < 0.15           # the direction turns now and then
    velocity = np.where(flip, -velocity, velocity)
    series[:, k] = np.sin(series[:, k - 1] + velocity) * 1.05 + 0.04 * rng.standard_normal(N + 150)
series = series.astype(np.float32)[:, :, None]
train, test = torch.from_numpy(series[:N]), torch.from_numpy(series[N:])


def glorot(n_in, n_out):
    limit = math.sqrt(6.0 / (n_in + n_out))
    return (2.0 * torch.rand(n_in, n_out, generator=gen) - 1.0) * limit


def orthogonal(n):
    q, r = torch.linalg.qr(torch.randn(n, n, generator=gen))
    return q * torch.sign(torch.diagonal(r))


params = {
    "Wf": glorot(1, HIDDEN), "Uf": orthogonal(HIDDEN), "bf": torch.zeros(HIDDEN),
    "Wc": glorot(1, HIDDEN), "Uc": orthogonal(HIDDEN), "bc": torch.zeros(HIDDEN),
    "Wo": glorot(HIDDEN, 3 * COMPONENTS), "bo": torch.zeros(3 * COMPONENTS),
}


def unroll(p, x):
    h = torch.zeros(x.shape[0], HIDDEN)
    outs = []
    for xk in x.unbind(1):
        f = torch.sigmoid(xk @ p["Wf"] + h @ p["Uf"] + p["bf"])
        c = torch.tanh(xk @ p["Wc"] + (f * h) @ p["Uc"] + p["bc"])
        h = h + f * (c - h)
        outs.append(h @ p["Wo"] + p["bo"])
    return torch.stack(outs, dim=1)


def nll(p, batch):
    out = unroll(p, batch[:, :-1])
    log_pi = torch.log_softmax(out[..., :COMPONENTS], dim=-1)
    mean = out[..., COMPONENTS:2 * COMPONENTS]
    scale = torch.nn.functional.softplus(out[..., 2 * COMPONENTS:]) + 1e-2
    log_normal = -0.5 * ((batch[:, 1:] - mean) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(log_pi + log_normal, dim=-1).mean()


step_fn = grad_and_value(nll)
m = {k: torch.zeros_like(v) for k, v in params.items()}
u = {k: torch.zeros_like(v) for k, v in params.items()}
step = 0

for epoch in range(EPOCHS):
    total = 0.0
    for idx in torch.randperm(N, generator=gen).split(BATCH):
        grads, loss = step_fn(params, train[idx])
        step += 1
        for k, g in grads.items():
            m[k] = B1 * m[k] + (1.0 - B1) * g
            u[k] = torch.maximum(B2 * u[k], g.abs() + EPS)
            params[k] = params[k] - LR / (1.0 - B1 ** step) * m[k] / u[k]
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1:2d}  train nll {total / N:.4f}")

print(f"test nll {nll(params, test).item():.4f}")
