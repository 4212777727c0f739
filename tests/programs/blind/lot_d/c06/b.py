import math

import numpy as np
import torch

torch.set_num_threads(1)
gen = torch.Generator().manual_seed(99)


def spirals(n, seed):
    rng = np.random.default_rng(seed)
    label = np.arange(n) % 2
    radius = np.sqrt(rng.uniform(0.02, 1.0, n)) * 3.0
    angle = 1.6 * radius + np.pi * label
    pts = np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1) + rng.normal(0, 0.1, (n, 2))
    return torch.tensor(pts, dtype=torch.float32), torch.tensor(label[:, None], dtype=torch.float32)


x_train, y_train = spirals(900, 1)
x_test, y_test = spirals(400, 2)

params = []
for fan_in, fan_out in [(2, 48), (48, 48), (48, 1)]:
    bound = 1.0 / math.sqrt(fan_in)
    params.append((torch.rand(fan_in, fan_out, generator=gen) * 2 - 1) * bound)
    params.append((torch.rand(fan_out, generator=gen) * 2 - 1) * bound)
for p in params:
    p.requires_grad_(True)
first = [torch.zeros_like(p) for p in params]
second = [torch.zeros_like(p) for p in params]


def forward(x):
    w1, b1, w2, b2, w3, b3 = params
    h = x @ w1 + b1
    h = h * torch.sigmoid(h)
    h = h @ w2 + b2
    h = h * torch.sigmoid(h)
    return h @ w3 + b3


def bce(z, y):
    # log(1 + exp(-|z|)) form
    return (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


BETA1, BETA2, EPS, DECAY = 0.9, 0.99, 1e-8, 0.05
step = 0
for epoch in range(30):
    lr = 5e-3 * 0.3 ** (epoch // 10)
    perm = torch.randperm(len(x_train), generator=gen)
    for k in range(0, len(x_train), 60):
        rows = perm[k:k + 60]
        grads = torch.autograd.grad(bce(forward(x_train[rows]), y_train[rows]), params)
        step += 1
        with torch.no_grad():
            for p, g, m, v in zip(params, grads, first, second):
                p.mul_(1 - lr * DECAY)
                m.mul_(BETA1).add_(g, alpha=1 - BETA1)
                v.mul_(BETA2).addcmul_(g, g, value=1 - BETA2)
                denom = (v / (1 - BETA2 ** step)).sqrt() + EPS
                p.sub_(lr * (m / (1 - BETA1 ** step)) / denom)
    if (epoch + 1) % 10 == 0:
        with torch.no_grad():
            print(epoch + 1, "train loss", round(bce(forward(x_train), y_train).item(), 5))

with torch.no_grad():
    z = forward(x_test)
    print("test loss", bce(z, y_test).item())
    print("test accuracy", ((z > 0).float() == y_test).float().mean().item())
