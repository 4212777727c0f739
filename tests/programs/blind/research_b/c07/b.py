"""Contrastive pairs of digits with NT-Xent (bare tensors, own batch norm and own update)."""
import math

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.neighbors import KNeighborsClassifier

EPOCHS, BATCH, TAU = 25, 128, 0.3
LR, MU, DECAY = 0.08, 0.9, 1e-3


def digits():
    x, y = load_digits(return_X_y=True)
    x = (x / 16.0).astype(np.float32)
    order = np.random.default_rng(23).permutation(len(x))
    x, y = x[order], y[order]
    return x[:1400], y[:1400], x[1400:], y[1400:]


g = torch.Generator().manual_seed(77)


def augment(x):
    """Shift by at most one pixel, random gain, Gaussian noise."""
    n = x.shape[0]
    big = torch.zeros(n, 10, 10)
    big[:, 1:9, 1:9] = x.view(n, 8, 8)
    windows = big.unfold(1, 8, 1).unfold(2, 8, 1).reshape(n, 9, 64)
    which = torch.randint(9, (n,), generator=g)
    shifted = windows[torch.arange(n), which]
    gain = 0.7 + 0.6 * torch.rand(n, 1, generator=g)
    return gain * shifted + 0.1 * torch.randn(n, 64, generator=g)


def uniform(shape, fan_in):
    k = 1.0 / math.sqrt(fan_in)
    return ((2 * torch.rand(shape, generator=g) - 1) * k).requires_grad_(True)


P = {
    "w1": uniform((64, 96), 64),
    "gamma": torch.ones(96, requires_grad=True),
    "beta": torch.zeros(96, requires_grad=True),
    "w2": uniform((96, 48), 96),
    "b2": uniform((48,), 96),
    "w3": uniform((48, 24), 48),
}
velocity = {k: torch.zeros_like(v) for k, v in P.items()}
running_mean, running_var = torch.zeros(96), torch.ones(96)


def trunk(x, training):
    global running_mean, running_var
    a = x @ P["w1"]
    if training:
        m = a.mean(0)
        v = ((a - m) ** 2).mean(0)
        n = a.shape[0]
        running_mean = 0.9 * running_mean + 0.1 * m.detach()
        running_var = 0.9 * running_var + 0.1 * v.detach() * n / (n - 1)
    else:
        m, v = running_mean, running_var
    h = torch.relu(P["gamma"] * (a - m) / torch.sqrt(v + 1e-5) + P["beta"])
    return torch.relu(h @ P["w2"] + P["b2"])


def nt_xent(first, second):
    b = first.shape[0]
    z = torch.cat([first, second])
    z = z / z.norm(dim=1, keepdim=True).clamp_min(1e-12)
    sim = (z @ z.T) / TAU
    positive = (z[:b] * z[b:]).sum(1) / TAU
    others = ~torch.eye(2 * b, dtype=torch.bool)
    log_total = torch.logsumexp(sim[others].view(2 * b, 2 * b - 1), dim=1)
    return (log_total - torch.cat([positive, positive])).sum() / (2 * b)


x, y, xt, yt = digits()
x_all = torch.from_numpy(x)
steps_per_epoch = len(x) // BATCH                                   # the short batch is left out
for epoch in range(EPOCHS):
    rate = 0.5 * LR * (1 + math.cos(math.pi * epoch / EPOCHS))
    order = torch.randperm(len(x), generator=g)
    losses = []
    for i in range(steps_per_epoch):
        batch = x_all[order[i * BATCH:(i + 1) * BATCH]]
        views = torch.cat([augment(batch), augment(batch)])
        out = trunk(views, training=True) @ P["w3"]
        loss = nt_xent(out[:BATCH], out[BATCH:])
        grads = torch.autograd.grad(loss, list(P.values()))
        with torch.no_grad():
            for (name, p), grad in zip(P.items(), grads):
                velocity[name] = MU * velocity[name] + grad + DECAY * p
                p -= rate * velocity[name]
        losses.append(loss.item())
    if epoch % 5 == 4:
        print(f"epoch {epoch + 1}  loss {np.mean(losses):.4f}")

with torch.no_grad():
    h, ht = trunk(x_all, False).numpy(), trunk(torch.from_numpy(xt), False).numpy()
knn = KNeighborsClassifier(5).fit(h, y)
print(f"5-NN accuracy on the learned features {knn.score(ht, yt):.4f}")
