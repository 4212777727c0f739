"""Residual MLP, layer norm and the AdamW update written by hand (PyTorch)."""
import math

import numpy as np
import torch
import torch.nn as nn

torch.manual_seed(2024)

rng = np.random.default_rng(7)
N, D = 1300, 10
x = rng.uniform(size=(N, D))
y = (10 * np.sin(np.pi * x[:, 0] * x[:, 1]) + 20 * (x[:, 2] - 0.5) ** 2
     + 10 * x[:, 3] + 5 * x[:, 4] + rng.normal(scale=0.5, size=N))
y = (y - y.mean()) / y.std()
x = torch.tensor(((x - 0.5) * np.sqrt(12)).astype("float32"))
y = torch.tensor(y.astype("float32")[:, None])
x_train, y_train, x_val, y_val = x[:1000], y[:1000], x[1000:], y[1000:]

WIDTH, EPOCHS, BATCH = 32, 15, 50


def dense(n_in, n_out):
    layer = nn.Linear(n_in, n_out)
    nn.init.xavier_uniform_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


class HandLayerNorm(nn.Module):
    def __init__(self, width, eps=1e-5):
        super().__init__()
        self.gain = nn.Parameter(torch.ones(width))
        self.shift = nn.Parameter(torch.zeros(width))
        self.eps = eps

    def forward(self, h):
        mu = h.mean(dim=-1, keepdim=True)
        centered = h - mu
        var = (centered * centered).mean(dim=-1, keepdim=True)
        return self.gain * centered / torch.sqrt(var + self.eps) + self.shift


def gelu(t):
    return 0.5 * t * (1.0 + torch.erf(t / math.sqrt(2.0)))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = HandLayerNorm(WIDTH)
        self.up = dense(WIDTH, 2 * WIDTH)
        self.down = dense(2 * WIDTH, WIDTH)

    def forward(self, h):
        return h + self.down(gelu(self.up(self.norm(h))))


model = nn.Sequential(dense(D, WIDTH), Block(), Block(), HandLayerNorm(WIDTH), dense(WIDTH, 1))


class HandAdamW:
    """Decay first, then Adam with the step size lr*sqrt(1-b2^t)/(1-b1^t) and m/(sqrt(v)+eps)."""

    def __init__(self, params, lr, weight_decay, b1=0.9, b2=0.999, eps=1e-7):
        self.params = list(params)
        self.lr, self.wd, self.b1, self.b2, self.eps = lr, weight_decay, b1, b2, eps
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]
        self.t = 0

    @torch.no_grad()
    def step(self):
        self.t += 1
        alpha = self.lr * math.sqrt(1 - self.b2 ** self.t) / (1 - self.b1 ** self.t)
        for p, m, v in zip(self.params, self.m, self.v):
            p -= self.lr * self.wd * p
            m += (p.grad - m) * (1 - self.b1)
            v += (p.grad ** 2 - v) * (1 - self.b2)
            p -= alpha * m / (v.sqrt() + self.eps)
            p.grad = None


opt = HandAdamW(model.parameters(), lr=2e-3, weight_decay=0.02)

# ---- training
for epoch in range(EPOCHS):
    perm = torch.randperm(len(x_train))
    for i in range(0, len(perm), BATCH):
        b = perm[i:i + BATCH]
        loss = ((model(x_train[b]) - y_train[b]) ** 2).mean()
        loss.backward()
        opt.step()

with torch.no_grad():
    print("train mse %.4f" % ((model(x_train) - y_train) ** 2).mean().item())
    print("val mse   %.4f" % ((model(x_val) - y_val) ** 2).mean().item())
