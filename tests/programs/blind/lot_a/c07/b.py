import math

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.datasets import load_breast_cancer


def load():
    d = load_breast_cancer()
    order = np.random.default_rng(2).permutation(len(d.target))
    x, y = d.data[order], d.target[order]
    m, s = x[:400].mean(0), x[:400].std(0)
    x = ((x - m) / s).astype("float32")
    y = y.astype("float32")[:, None]
    return [torch.from_numpy(v) for v in (x[:400], y[:400], x[400:], y[400:])]


def build():
    sizes = [30, 24, 12, 1]
    params = []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:]):
        k = 1.0 / math.sqrt(fan_in)
        params.append(torch.empty(fan_out, fan_in).uniform_(-k, k).requires_grad_())
        params.append(torch.empty(fan_out).uniform_(-k, k).requires_grad_())
    return params


def predict(params, x):
    w1, b1, w2, b2, w3, b3 = params
    h = F.relu(x @ w1.T + b1)
    h = F.relu(h @ w2.T + b2)
    return h @ w3.T + b3


def nll(z, y):
    return (F.softplus(z) - z * y).mean()


def main():
    torch.manual_seed(18)
    x, y, xt, yt = load()
    params = build()
    velocity = [torch.zeros_like(p) for p in params]
    lr, mu, decay = 0.05, 0.9, 1e-3
    for epoch in range(25):
        if epoch in (10, 20):
            lr *= 0.2
        perm = torch.randperm(len(x))
        for start in range(0, len(x), 25):
            idx = perm[start:start + 25]
            objective = nll(predict(params, x[idx]), y[idx]) + 0.5 * decay * sum(p.square().sum() for p in params)
            grads = torch.autograd.grad(objective, params)
            with torch.no_grad():
                for p, v, g in zip(params, velocity, grads):
                    v.mul_(mu).add_(g)
                    p.sub_(lr * v)
    with torch.no_grad():
        print("train %.5f" % nll(predict(params, x), y).item())
        out = predict(params, xt)
        print("test %.5f acc %.4f" % (nll(out, yt).item(), ((out > 0).float() == yt).float().mean().item()))


if __name__ == "__main__":
    main()
