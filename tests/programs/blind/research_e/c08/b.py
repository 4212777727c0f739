"""Recurrent mixture-density network, functional: a dictionary of tensors, autograd.grad, RMSprop in the loop."""
import math

import numpy as np
import torch

gen = torch.Generator().manual_seed(6)

M, HID, EPOCHS, BATCH, T = 3, 32, 12, 50, 12
LR, RHO, EPS, P_DROP = 2e-3, 0.95, 1e-6, 0.1

rng = np.random.default_rng(2718)
n = 2400
omega, phase = rng.uniform(0.3, 0.9, (n, 1)), rng.uniform(0, 2 * np.pi, (n, 1))
wave = np.sin(omega * np.arange(T + 1) + phase)
seq = wave[:, :T] + 0.05 * rng.normal(size=(n, T))
y = wave[:, T] * np.where(rng.random(n) < 0.7, 1.0, -1.0) + 0.05 * rng.normal(size=n)
seq, y = torch.from_numpy(seq).float(), torch.from_numpy(y).float()


def glorot(n_in, n_out):
    lim = math.sqrt(6.0 / (n_in + n_out))
    return (torch.rand(n_in, n_out, generator=gen) * 2 - 1) * lim


params = {
    "Wf": glorot(1 + HID, HID),
    "bf": torch.full((HID,), -1.0),
    "Wc": glorot(1 + HID, HID),
    "bc": torch.zeros(HID),
    "Wo": glorot(HID, 3 * M),
    "bo": torch.zeros(3 * M),
}
for w in params.values():
    w.requires_grad_(True)
square = {k: torch.zeros_like(w) for k, w in params.items()}


def nll(p, x, y, train):
    h = torch.zeros(len(x), HID)
    for t in range(T):
        xt = x[:, t : t + 1]
        f = torch.sigmoid(torch.hstack([xt, h]) @ p["Wf"] + p["bf"])
        c = torch.tanh(torch.hstack([xt, f * h]) @ p["Wc"] + p["bc"])
        h = h + f * (c - h)
    if train:
        keep = (torch.rand(h.shape, generator=gen) >= P_DROP).float()
        h = h * keep / (1 - P_DROP)
    out = h @ p["Wo"] + p["bo"]
    logw = torch.log_softmax(out[:, :M], dim=1)
    mu = out[:, M : 2 * M]
    sigma = torch.logaddexp(out[:, 2 * M :], torch.zeros(())) + 0.02
    logn = -0.5 * ((y[:, None] - mu) / sigma) ** 2 - sigma.log() - 0.5 * math.log(2 * math.pi)
    return -torch.logsumexp(logw + logn, dim=1).mean()


for epoch in range(EPOCHS):
    perm = torch.randperm(2000, generator=gen)
    total = 0.0
    for i in range(0, 2000, BATCH):
        idx = perm[i : i + BATCH]
        loss = nll(params, seq[idx], y[idx], train=True)
        grads = torch.autograd.grad(loss, list(params.values()))
        with torch.no_grad():
            for (k, w), g in zip(params.items(), grads):
                square[k].mul_(RHO).add_((1 - RHO) * g * g)
                w -= LR * g / (square[k].sqrt() + EPS)
        total += loss.item() * len(idx)
    print(f"epoch {epoch + 1}: nll {total / 2000:.4f}")

with torch.no_grad():
    print(f"test nll {nll(params, seq[2000:], y[2000:], train=False).item():.4f}")
