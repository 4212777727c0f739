"""Three-arm spiral, parameters and update rule written by hand."""
import math

import numpy as np
import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.manual_seed(321)


def spiral(n_per_arm, gen):
    xs, ys = [], []
    for arm in range(3):
        r = np.sqrt(gen.random(n_per_arm))
        phi = 4.0 * r + arm * 2 * np.pi / 3 + 0.15 * gen.normal(size=n_per_arm)
        xs.append(np.stack([r * np.cos(phi), r * np.sin(phi)], 1))
        ys.append(np.full(n_per_arm, arm))
    return np.concatenate(xs).astype(np.float32), np.concatenate(ys).astype(np.int64)


gen = np.random.default_rng(1)
x_train, y_train = map(torch.from_numpy, spiral(300, gen))
x_test, y_test = map(torch.from_numpy, spiral(150, gen))

params = {}


def linear_params(name, fan_in, fan_out):
    k = 1.0 / math.sqrt(fan_in)
    params[name + ".w"] = torch.empty(fan_out, fan_in).uniform_(-k, k).requires_grad_()
    params[name + ".b"] = torch.empty(fan_out).uniform_(-k, k).requires_grad_()


def norm_params(name, size):
    params[name + ".g"] = torch.ones(size, requires_grad=True)
    params[name + ".s"] = torch.zeros(size, requires_grad=True)


linear_params("l1", 2, 64)
norm_params("n1", 64)
linear_params("l2", 64, 64)
norm_params("n2", 64)
linear_params("l3", 64, 3)


def forward(x, training):
    for i in ("1", "2"):
        x = F.linear(x, params["l" + i + ".w"], params["l" + i + ".b"])
        x = F.layer_norm(x, (64,), params["n" + i + ".g"], params["n" + i + ".s"], 1e-5)
        x = F.dropout(F.gelu(x), 0.1, training=training)
    return F.linear(x, params["l3.w"], params["l3.b"])


B1, B2, EPS, WD, MAX_NORM = 0.9, 0.99, 1e-8, 0.05, 1.0
m = {k: torch.zeros_like(v) for k, v in params.items()}
v = {k: torch.zeros_like(p) for k, p in params.items()}
step = 0

for epoch in range(24):
    lr = 5e-3 * 0.3 ** (epoch // 8)
    perm = torch.randperm(len(x_train))
    for start in range(0, len(perm), 50):
        idx = perm[start:start + 50]
        loss = F.cross_entropy(forward(x_train[idx], True), y_train[idx])
        grads = dict(zip(params, torch.autograd.grad(loss, list(params.values()))))
        norm = torch.sqrt(sum((g ** 2).sum() for g in grads.values()))
        scale = min(1.0, MAX_NORM / (norm.item() + 1e-6))
        step += 1
        with torch.no_grad():
            for k, p in params.items():
                g = grads[k] * scale + WD * p
                m[k] = B1 * m[k] + (1 - B1) * g
                v[k] = B2 * v[k] + (1 - B2) * g * g
                p -= lr * (m[k] / (1 - B1 ** step)) / (torch.sqrt(v[k] / (1 - B2 ** step)) + EPS)

with torch.no_grad():
    out = forward(x_test, False)
    print("test loss %.4f acc %.4f" % (F.cross_entropy(out, y_test), (out.argmax(1) == y_test).float().mean()))
