"""Breast cancer diagnosis in PyTorch (double precision): loss, penalty and Adam by hand."""
import math

import numpy as np
import torch
from sklearn.datasets import load_breast_cancer

torch.set_default_dtype(torch.float64)


def load():
    X, y = load_breast_cancer(return_X_y=True)
    order = np.random.RandomState(8).permutation(len(X))
    X, y = X[order], y[order]
    X_tr, X_te, y_tr, y_te = X[:430], X[430:], y[:430], y[430:]
    mu, sd = X_tr.mean(axis=0), X_tr.std(axis=0)
    return (X_tr - mu) / sd, y_tr, (X_te - mu) / sd, y_te


class HandAdam:
    def __init__(self, params, lr, b1, b2, eps):
        self.params, self.lr, self.b1, self.b2, self.eps = params, lr, b1, b2, eps
        self.m = [torch.zeros_like(p) for p in params]
        self.v = [torch.zeros_like(p) for p in params]
        self.t = 0

    @torch.no_grad()
    def step(self, grads):
        self.t += 1
        rate = self.lr * math.sqrt(1 - self.b2 ** self.t) / (1 - self.b1 ** self.t)
        for p, g, m, v in zip(self.params, grads, self.m, self.v):
            m.copy_(self.b1 * m + (1 - self.b1) * g)
            v.copy_(self.b2 * v + (1 - self.b2) * g * g)
            p -= rate * m / (v.sqrt() + self.eps)


def init(sizes, gen):
    weights, biases = [], []
    for n_in, n_out in zip(sizes[:-1], sizes[1:]):
        bound = math.sqrt(6.0 / (n_in + n_out))
        weights.append(((torch.rand(n_in, n_out, generator=gen) * 2 - 1) * bound).requires_grad_())
        biases.append(((torch.rand(n_out, generator=gen) * 2 - 1) * bound).requires_grad_())
    return weights, biases


def forward(x, weights, biases):
    for w, b in zip(weights[:-1], biases[:-1]):
        x = (x @ w + b).clamp(min=0)
    return (x @ weights[-1] + biases[-1]).squeeze(1)


def log_loss(z, y):
    # softplus(z) - y z, safe for large |z|
    return (z.clamp(min=0) - z * y + torch.log1p(torch.exp(-z.abs()))).mean()


def main():
    X_tr, y_tr, X_te, y_te = (torch.as_tensor(v, dtype=torch.float64) for v in load())
    gen = torch.Generator().manual_seed(4)
    weights, biases = init((30, 20, 10, 1), gen)
    params = weights + biases
    opt = HandAdam(params, lr=0.002, b1=0.9, b2=0.999, eps=1e-8)
    alpha, batch, epochs = 1.0, 40, 30
    for e in range(epochs):
        order = torch.randperm(len(X_tr), generator=gen)
        total = 0.0
        for s in range(0, len(X_tr), batch):
            idx = order[s:s + batch]
            data = log_loss(forward(X_tr[idx], weights, biases), y_tr[idx])
            decay = alpha / 2 * sum((w ** 2).sum() for w in weights) / len(idx)
            loss = data + decay
            opt.step(torch.autograd.grad(loss, params))
            total += loss.item() * len(idx)
        if e % 5 == 4:
            print(f"epoch {e + 1:2d}  objective {total / len(X_tr):.5f}")
    with torch.no_grad():
        for name, X, y in (("train", X_tr, y_tr), ("test", X_te, y_te)):
            z = forward(X, weights, biases)
            acc = ((z > 0).double() == y).double().mean().item()
            print(f"{name}: log loss {log_loss(z, y).item():.5f}, accuracy {acc:.4f}")


if __name__ == "__main__":
    main()
