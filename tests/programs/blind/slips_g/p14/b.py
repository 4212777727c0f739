"""Residual MLP regression in PyTorch with the normalisation, the loss, the optimizer and its schedule by hand."""
import math

import numpy as np
import torch

torch.manual_seed(2)
torch.set_num_threads(1)

N_TRAIN, N_TEST, BATCH, EPOCHS = 1000, 400, 40, 16
WIDTH, BLOCKS = 32, 2
STEPS = EPOCHS * (N_TRAIN // BATCH)
WARMUP = 50
LR0, LR_MAX, FLOOR = 1e-4, 4e-3, 0.05
DECAY, B1, B2, EPS = 0.05, 0.9, 0.99, 1e-7


def make_data(n, seed):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-1, 1, size=(n, 8))
    y = np.sin(3 * x[:, 0]) + x[:, 1] * x[:, 2] + np.abs(x[:, 3]) - 0.5 * x[:, 4] ** 2
    y = y + 0.1 * rng.standard_t(3, size=n)
    return x.astype("float32"), y.astype("float32")[:, None]


x_train, y_train = map(torch.from_numpy, make_data(N_TRAIN, 10))
x_test, y_test = map(torch.from_numpy, make_data(N_TEST, 11))

params = {}


def add_dense(name, n_in, n_out):
    limit = math.sqrt(6 / (n_in + n_out))
    params[name + ".w"] = (torch.rand(n_in, n_out) * 2 - 1) * limit
    params[name + ".b"] = torch.zeros(n_out)


def add_norm(name):
    params[name + ".g"] = torch.ones(WIDTH)
    params[name + ".s"] = torch.zeros(WIDTH)


add_dense("stem", 8, WIDTH)
for k in range(BLOCKS):
    add_norm(f"n{k}")
    add_dense(f"up{k}", WIDTH, 2 * WIDTH)
    add_dense(f"down{k}", 2 * WIDTH, WIDTH)
add_norm("final")
add_dense("head", WIDTH, 1)
for p in params.values():
    p.requires_grad_(True)


def dense(name, x):
    return x @ params[name + ".w"] + params[name + ".b"]


def norm(name, x):
    centred = x - x.mean(dim=1, keepdim=True)
    var = centred.pow(2).mean(dim=1, keepdim=True)
    return centred * torch.rsqrt(var + 1e-5) * params[name + ".g"] + params[name + ".s"]


def gelu(x):
    return 0.5 * x * (1 + torch.erf(x / math.sqrt(2)))


def forward(x):
    h = dense("stem", x)
    for k in range(BLOCKS):
        h = h + dense(f"down{k}", gelu(dense(f"up{k}", norm(f"n{k}", h))))
    return dense("head", norm("final", h))


def huber(target, pred, delta=0.5):
    a = (pred - target).abs()
    return torch.where(a <= delta, 0.5 * a * a, delta * a - 0.5 * delta * delta).mean()


def learning_rate(t):
    if t < WARMUP:
        return LR0 + (LR_MAX - LR0) * t / WARMUP
    fraction = (t - WARMUP) / (STEPS - WARMUP)
    return LR_MAX * ((1 - FLOOR) * 0.5 * (1 + math.cos(math.pi * fraction)) + FLOOR)


m = {k: torch.zeros_like(p) for k, p in params.items()}
v = {k: torch.zeros_like(p) for k, p in params.items()}
t = 0
for epoch in range(EPOCHS):
    perm = torch.randperm(N_TRAIN)
    losses = []
    for idx in perm.split(BATCH):
        loss = huber(y_train[idx], forward(x_train[idx]))
        grads = torch.autograd.grad(loss, list(params.values()))
        lr = learning_rate(t)
        t += 1
        step = lr * math.sqrt(1 - B2 ** t) / (1 - B1 ** t)
        with torch.no_grad():
            for (k, p), g in zip(params.items(), grads):
                if k.endswith(".w"):
                    g = g + DECAY * p
                m[k].mul_(B1).add_(g, alpha=1 - B1)
                v[k].mul_(B2).add_(g * g, alpha=1 - B2)
                p.sub_(step * m[k] / (v[k].sqrt() + EPS))
        losses.append(loss.item())
    print(f"epoch {epoch + 1:2d} huber {np.mean(losses):.5f}")

with torch.no_grad():
    pred = forward(x_test)
    print(f"test huber {huber(y_test, pred).item():.5f} mae {(pred - y_test).abs().mean().item():.5f}")
