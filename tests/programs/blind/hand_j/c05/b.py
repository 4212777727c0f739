"""The MLP regressor of scikit-learn, rewritten with torch autograd and a hand-made Adam."""
import math

import numpy as np
import torch
from sklearn.datasets import make_friedman1

BATCH, EPOCHS, ALPHA, LR = 50, 30, 0.4, 3e-3
B1, B2, EPS = 0.9, 0.999, 1e-8
SIZES = [10, 40, 20, 1]


def load():
    x, y = make_friedman1(n_samples=1150, n_features=10, noise=0.5, random_state=9)
    x_train, x_test, y_train, y_test = x[:830], x[830:], y[:830], y[830:]
    mu, sd = x_train.mean(0), x_train.std(0)
    m, s = y_train.mean(), y_train.std()
    return (((x_train - mu) / sd).astype("float32"), ((y_train - m) / s).astype("float32"),
            ((x_test - mu) / sd).astype("float32"), ((y_test - m) / s).astype("float32"))


def init_params(gen):
    coefs, intercepts = [], []
    for fan_in, fan_out in zip(SIZES[:-1], SIZES[1:]):
        bound = math.sqrt(6.0 / (fan_in + fan_out))
        coefs.append(((torch.rand(fan_in, fan_out, generator=gen) * 2 - 1) * bound).requires_grad_())
        intercepts.append(((torch.rand(fan_out, generator=gen) * 2 - 1) * bound).requires_grad_())
    return coefs, intercepts


def predict(coefs, intercepts, x):
    for w, b in zip(coefs[:-1], intercepts[:-1]):
        x = torch.relu(x @ w + b)
    return (x @ coefs[-1] + intercepts[-1]).squeeze(1)


def objective(coefs, intercepts, x, y):
    data = 0.5 * (predict(coefs, intercepts, x) - y).square().mean()
    penalty = 0.5 * ALPHA * sum(w.square().sum() for w in coefs) / len(x)
    return data + penalty


class Adam:
    """Adam with the bias corrections folded into the step size."""

    def __init__(self, params):
        self.params, self.t = params, 0
        self.m = [torch.zeros_like(p) for p in params]
        self.v = [torch.zeros_like(p) for p in params]

    @torch.no_grad()
    def step(self, grads):
        self.t += 1
        rate = LR * math.sqrt(1 - B2 ** self.t) / (1 - B1 ** self.t)
        for p, m, v, g in zip(self.params, self.m, self.v, grads):
            m.mul_(B1).add_(g, alpha=1 - B1)
            v.mul_(B2).addcmul_(g, g, value=1 - B2)
            p.sub_(rate * m / (v.sqrt() + EPS))


def main():
    x, y, x_test, y_test = (torch.from_numpy(v) for v in load())
    gen = torch.Generator().manual_seed(23)
    coefs, intercepts = init_params(gen)
    params = coefs + intercepts
    opt = Adam(params)
    for epoch in range(EPOCHS):
        total = 0.0
        for idx in torch.randperm(len(x), generator=gen).split(BATCH):
            loss = objective(coefs, intercepts, x[idx], y[idx])
            opt.step(torch.autograd.grad(loss, params))
            total += loss.item() * len(idx)
        if epoch % 5 == 4:
            print(f"epoch {epoch + 1}: objective {total / len(x):.5f}")
    with torch.no_grad():
        print(f"test mse {(predict(coefs, intercepts, x_test) - y_test).square().mean().item():.5f}")


if __name__ == "__main__":
    main()
